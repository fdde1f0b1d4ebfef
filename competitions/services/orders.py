"""The trader's doors: place, cancel, change, protect, close. They write wishes as `accepted` and wake the engine; they never fill.

Checked here and again by the engine: the contest runs, the entry is active, sizes, margin. Rules: docs/rules/trading.md.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from accounts.models import User
from accounts.rules.switches import Part
from accounts.selectors import switches
from competitions.engine.instruments import INSTRUMENTS
from competitions.marketdata import bus
from competitions.models import Amendment, Competition, Entry, Order, Position
from competitions.models.trading import Side
from competitions.selectors.newest import newest
from competitions.services.tickets import (
    UNDECIDED,
    Ticket,
    check_digits,
    check_protection,
    check_sizes,
    require_acceptable,
)
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal, Unavailable
from tradingarena.core.ids import new_id
from tradingarena.core.locks import queue_for, share_row


class Unset:
    """Says that a field of a change was not given, which is not the same as None."""


UNSET = Unset()


def order_place(
    user: User,
    competition_id: UUID,
    *,
    id: UUID,
    pair: str,
    side: str,
    type: str,
    units: int,
    price: Decimal | None = None,
    stop_loss: Decimal | None = None,
    take_profit: Decimal | None = None,
) -> tuple[Order, bool]:
    """Accept an order, to be decided by the engine at a later quote.

    Shapes: the order and whether this call made it; the same id and content again gives the same order.
    Units: units of the base currency; prices Decimal with the pair's digits.
    Locks / Effects: FOR SHARE on the contest, one turn per entry; wakes the engine on commit.
    Raises: NotFound: no such contest, or no entry in it. Conflict: it does not run, or the entry is out.
        RuleRefusal: a rule of docs/rules/trading.md says no; `code` names it. TradingOff. Unavailable: quotes cannot be read.
    """
    return _accept(user, competition_id, Ticket(id, pair, side, type, units, price, stop_loss, take_profit))


def position_close(
    user: User, competition_id: UUID, position_id: UUID, *, units: int | None, id: UUID
) -> tuple[Order, bool]:
    """Accept a market order that closes a position or a part of it, and can neither open nor flip one.

    Units: units > 0 and at most what the position holds; None for all of it.
    Raises: as `order_place`; NotFound: not the user's position; Conflict `position_closed`: it is flat already.
    """
    entry = _own_entry(user, competition_id)
    position = Position.objects.filter(pk=position_id, entry=entry).first()
    if position is None:
        raise NotFound("You have no such position.")
    if (known := Order.objects.filter(pk=id, entry=entry, closes_position=position_id).first()) is not None:
        return known, False
    if not position.units:
        raise Conflict("This position is closed already.", code="position_closed")
    if units is not None and not 0 < units <= abs(position.units):
        raise RuleRefusal(f"Close between 1 and {abs(position.units)} units.", code="units_out_of_range")
    side = Side.SELL if position.units > 0 else Side.BUY
    ticket = Ticket(
        id, position.pair, side, Order.Type.MARKET, units or abs(position.units), closes_position=position.pk
    )
    return _accept(user, competition_id, ticket)


def order_cancel(user: User, competition_id: UUID, order_id: UUID) -> Order:
    """Ask the engine to cancel an order that it has not decided yet.

    Raises: NotFound: not the user's order. Conflict `order_decided`: too late.
    """
    return _amend_order(user, competition_id, order_id, Amendment.Kind.CANCEL)


def order_modify(
    user: User,
    competition_id: UUID,
    order_id: UUID,
    *,
    units: int | None = None,
    price: Decimal | None = None,
    stop_loss: Decimal | Unset | None = UNSET,
    take_profit: Decimal | Unset | None = UNSET,
) -> Order:
    """Ask the engine to change a pending order; what is not given stays.

    Raises: NotFound: not the user's order. Conflict: decided already, or a market order. RuleRefusal: sizes or prices.
    """

    def changed(order: Order, competition: Competition) -> dict[str, Any]:
        if order.type == Order.Type.MARKET:
            raise Conflict("A market order cannot be changed.", code="not_pending")
        values = {
            "units": units if units is not None else order.units,
            "price": price if price is not None else order.price,
            "stop_loss": order.stop_loss if isinstance(stop_loss, Unset) else stop_loss,
            "take_profit": order.take_profit if isinstance(take_profit, Unset) else take_profit,
        }
        ticket = Ticket(order.pk, order.pair, order.side, order.type, **values)
        check_sizes(ticket, competition)
        check_protection(ticket, ticket.price)
        return values

    return _amend_order(user, competition_id, order_id, Amendment.Kind.MODIFY, changed)


def position_protect(
    user: User, competition_id: UUID, position_id: UUID, *, stop_loss: Decimal | None, take_profit: Decimal | None
) -> Position:
    """Ask the engine to set a position's stop-loss and take-profit; None takes one away.

    Raises: NotFound: not the user's position. Conflict `position_closed`. RuleRefusal: a price on the wrong side.
    """
    with transaction.atomic():
        switches.require_on(Part.TRADING)
        competition, entry = _take_turn(user, competition_id)
        _require_running(competition, entry)
        position = Position.objects.filter(pk=position_id, entry=entry).first()
        if position is None:
            raise NotFound("You have no such position.")
        if not position.units:
            raise Conflict("This position is closed already.", code="position_closed")
        quote = newest().get(position.pair)
        side = Side.BUY if position.units > 0 else Side.SELL
        ticket = Ticket(position.pk, position.pair, side, "protect", abs(position.units), None, stop_loss, take_profit)
        check_digits(ticket)
        if quote is not None:
            market = quote.bid if position.units > 0 else quote.ask
            check_protection(ticket, INSTRUMENTS[position.pair].to_price(market))
        _amend(entry, Amendment.Kind.PROTECT, position=position, stop_loss=stop_loss, take_profit=take_profit)
    position.stop_loss, position.take_profit = stop_loss, take_profit
    return position


def request_disqualification(entry: Entry, reason: str) -> None:
    """Ask the engine to put an entry of a running contest out. Inside the caller's transaction."""
    _amend(entry, Amendment.Kind.DISQUALIFY, note=reason)


def wait_for_decision(order_id: UUID, timeout_s: float) -> Order:
    """Wait until the engine has decided an order or put it to work, at the latest until the time is over."""
    deadline, pause = time.monotonic() + timeout_s, 0.005
    while True:
        order = Order.objects.get(pk=order_id)
        if order.status != Order.Status.ACCEPTED or time.monotonic() >= deadline:
            return order
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


# -- accepting ----------------------------------------------------------------------------------------------------------


def _accept(user: User, competition_id: UUID, ticket: Ticket) -> tuple[Order, bool]:
    quotes = newest()
    try:
        with transaction.atomic():
            competition, entry = _take_turn(user, competition_id)
            if (known := _known(entry, ticket)) is not None:
                return known, False
            switches.require_on(Part.TRADING)
            now = _require_running(competition, entry)
            require_acceptable(ticket, competition, entry, quotes, now)
            seq, accepted_at = _next_seq()
            order = Order.objects.create(
                **asdict(ticket), entry=entry, competition=competition, seq=seq, accepted_at=accepted_at
            )
            transaction.on_commit(wake_engine)
    except IntegrityError as error:
        if Order.objects.filter(pk=ticket.id).exists():  # another person's order took this id in the same moment
            raise IdReused from error
        raise
    return order, True


class IdReused(RuleRefusal):
    """Raised when a client-made id comes again for another order."""

    code, message = "order_id_reused", "This id was used for another order. Make a new one."


def _known(entry: Entry, ticket: Ticket) -> Order | None:
    """Find the order that this client-made id already stands for.

    Raises: IdReused: for another order, or another person's.
    """
    order = Order.objects.filter(pk=ticket.id).first()
    if order is None:
        return None
    same = (order.entry_id, order.pair, order.side, order.type, order.closes_position) == (
        entry.pk, ticket.pair, ticket.side, ticket.type, ticket.closes_position,
    )  # fmt: skip
    sizes = (order.units, order.price, order.stop_loss, order.take_profit)
    if not same or (
        sizes != (ticket.units, ticket.price, ticket.stop_loss, ticket.take_profit) and not _was_modified(order)
    ):
        raise IdReused
    return order


def _was_modified(order: Order) -> bool:
    return order.amendments.filter(kind=Amendment.Kind.MODIFY, status=Amendment.Status.APPLIED).exists()


def _take_turn(user: User, competition_id: UUID) -> tuple[Competition, Entry]:
    """Keep a contest in its state, and take this person's turn in it, until the transaction ends."""
    competition = share_row(Competition, competition_id)
    queue_for("orders", f"{competition_id}:{user.pk}")
    return competition, _own_entry(user, competition_id)


def _require_running(competition: Competition, entry: Entry) -> datetime:
    """Give the moment at which contest and entry were found to be in the game.

    Raises: Conflict: one of them is not.
    """
    now = database_now()
    if competition.status != Competition.Status.RUNNING or not competition.starts_at <= now < competition.ends_at:
        raise Conflict("This contest is not running.", code="competition_not_running")
    if entry.status != Entry.Status.ACTIVE:
        raise Conflict("Your entry is no longer in this contest.", code="entry_not_active")
    return now


def _own_entry(user: User, competition_id: UUID) -> Entry:
    entry = Entry.objects.filter(competition_id=competition_id, user_id=user.pk).first()
    if entry is None:
        raise NotFound("You have no entry in this contest.", code="no_entry")
    return entry


# -- amending -----------------------------------------------------------------------------------------------------------


def _amend_order(
    user: User,
    competition_id: UUID,
    order_id: UUID,
    kind: Amendment.Kind,
    changed: Callable[[Order, Competition], dict[str, Any]] | None = None,
) -> Order:
    if kind != Amendment.Kind.CANCEL:  # getting out stays possible
        switches.require_on(Part.TRADING)
    with transaction.atomic():
        competition, entry = _take_turn(user, competition_id)
        _require_running(competition, entry)
        order = Order.objects.filter(pk=order_id, entry=entry).first()
        if order is None:
            raise NotFound("You have no such order.")
        if order.status not in UNDECIDED:
            raise Conflict(f"This order is {order.status} already.", code="order_decided")
        values = changed(order, competition) if changed else {}
        _amend(entry, kind, order=order, **values)
    for field, value in values.items():
        setattr(order, field, value)
    return order


def _amend(entry: Entry, kind: Amendment.Kind, **fields: Any) -> None:
    seq, accepted_at = _next_seq()
    Amendment.objects.create(
        id=new_id(),
        entry=entry,
        competition_id=entry.competition_id,
        seq=seq,
        kind=kind,
        accepted_at=accepted_at,
        **fields,
    )
    transaction.on_commit(wake_engine)


def _next_seq() -> tuple[int, datetime]:
    """Draw from the acceptance sequence, and say when."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('competitions_acceptance_seq'), clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0]), row[1]


def wake_engine() -> None:
    """Tell the engine that something waits; without Redis it finds it within a quarter of a second by looking."""
    try:
        bus.QuoteBus().wake()
    except Unavailable:
        return
