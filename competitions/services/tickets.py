"""What an order must satisfy before it is accepted: sizes, digits, protection, the market, room and margin.

Every check is made again by the engine where it can have changed by then. Rules: docs/rules/trading.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from competitions.engine.decisions import Wish
from competitions.engine.instruments import INSTRUMENTS
from competitions.engine.quotes import Quote
from competitions.models import Competition, Entry, Order, Position
from competitions.models.trading import Side
from competitions.selectors.accounts import book_of
from competitions.selectors.newest import market_is_open
from tradingarena.core.clock import to_ms
from tradingarena.core.errors import RuleRefusal

UNDECIDED = (Order.Status.ACCEPTED, Order.Status.WORKING)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a trader asks for. Units: units > 0 of the base currency, prices with the pair's digits."""

    id: UUID
    pair: str
    side: str
    type: str
    units: int
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    closes_position: UUID | None = None


def require_acceptable(
    ticket: Ticket, competition: Competition, entry: Entry, quotes: dict[str, Quote], now: datetime
) -> None:
    """Refuse a ticket that breaks a rule; a close is only held against the market.

    Raises: RuleRefusal: `code` names the rule.
    """
    check_sizes(ticket, competition)
    positions = list(Position.objects.filter(entry=entry).exclude(units=0))
    _check_close_only(ticket, positions, competition, now)
    _check_market(ticket, competition, quotes, now)
    if ticket.closes_position is None:
        _check_room(entry, positions, competition)
        _check_margin(ticket, competition, entry, positions, quotes)


def check_sizes(ticket: Ticket, competition: Competition) -> None:
    """Refuse a pair, size or price that this contest does not trade."""
    if ticket.pair not in competition.pairs:
        raise RuleRefusal(f"{ticket.pair} is not traded in this contest.", code="pair_not_traded")
    closing = ticket.closes_position is not None
    if not closing and not competition.min_units <= ticket.units <= competition.max_units:
        raise RuleRefusal(
            f"An order has between {competition.min_units} and {competition.max_units} units.",
            code="units_out_of_range",
        )
    if not closing and ticket.units % competition.unit_step:
        raise RuleRefusal(f"Units come in steps of {competition.unit_step}.", code="units_off_step")
    if (ticket.type == Order.Type.MARKET) != (ticket.price is None):
        raise RuleRefusal("Limit and stop orders have a price, market orders have none.", code="price_with_type")
    check_digits(ticket)


def check_digits(ticket: Ticket) -> None:
    """Refuse prices that are not positive or finer than the pair's digits."""
    traded = INSTRUMENTS[ticket.pair]
    for name, price in (("price", ticket.price), ("stop_loss", ticket.stop_loss), ("take_profit", ticket.take_profit)):
        if price is None:
            continue
        if price <= 0:
            raise RuleRefusal(f"{name} must be above zero.", code="price_not_positive")
        try:
            traded.to_points(price)
        except ValueError:
            raise RuleRefusal(f"{ticket.pair} has {traded.digits} decimals.", code="price_digits") from None


def _check_close_only(ticket: Ticket, positions: Sequence[Position], competition: Competition, now: datetime) -> None:
    if not competition.close_only_s or (competition.ends_at - now).total_seconds() > competition.close_only_s:
        return
    held = next((row.units for row in positions if row.pair == ticket.pair), 0)
    shrinks = (held > 0) == (ticket.side == Side.SELL) and ticket.units <= abs(held)
    if not held or not shrinks:
        raise RuleRefusal("In the last minutes of this contest positions may only be closed.", code="close_only")


def _check_market(ticket: Ticket, competition: Competition, quotes: dict[str, Quote], now: datetime) -> None:
    if not market_is_open(now):
        raise RuleRefusal("The FX market is closed. It opens on Sunday at 17:00 in New York.", code="market_closed")
    quote = quotes.get(ticket.pair)
    stale = quote is None or to_ms(now) - quote.received_ms > competition.quote_stale_ms
    if ticket.type == Order.Type.MARKET and stale:
        raise RuleRefusal(f"There is no fresh quote of {ticket.pair}.", code="quote_stale")
    if quote is not None:
        market = quote.ask if ticket.side == Side.BUY else quote.bid
        check_protection(ticket, ticket.price or INSTRUMENTS[ticket.pair].to_price(market))


def check_protection(ticket: Ticket, reference: Decimal | None) -> None:
    """Refuse a stop-loss or take-profit that would close what it is to protect at once."""
    assert reference is not None
    sign = 1 if ticket.side == Side.BUY else -1
    if ticket.stop_loss is not None and (ticket.stop_loss - reference) * sign >= 0:
        raise RuleRefusal("The stop-loss is on the wrong side of the price.", code="stop_loss_wrong_side")
    if ticket.take_profit is not None and (ticket.take_profit - reference) * sign <= 0:
        raise RuleRefusal("The take-profit is on the wrong side of the price.", code="take_profit_wrong_side")


def _check_room(entry: Entry, positions: Sequence[Position], competition: Competition) -> None:
    taken = len(positions) + Order.objects.filter(entry=entry, status__in=UNDECIDED).count()
    if taken >= competition.max_orders:
        raise RuleRefusal(
            f"You have {taken} open positions and pending orders; {competition.max_orders} is the limit.",
            code="too_many_orders",
        )


def _check_margin(
    ticket: Ticket, competition: Competition, entry: Entry, positions: Sequence[Position], quotes: dict[str, Quote]
) -> None:
    quote = quotes.get(ticket.pair)
    if quote is None:
        return
    book = book_of(competition, entry, positions, quotes.values())
    units = ticket.units if ticket.side == Side.BUY else -ticket.units
    price = quote.ask if units > 0 else quote.bid
    if ticket.price is not None:
        price = INSTRUMENTS[ticket.pair].to_points(ticket.price)
    wish = Wish(str(ticket.id), 0, 0, ticket.pair, ticket.type, units, price, None, None, 0)
    if book.priced(ticket.pair) and not book.affordable(wish, price):
        raise RuleRefusal("Your free margin does not cover this order.", code="insufficient_margin")
