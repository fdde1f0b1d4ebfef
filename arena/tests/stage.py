"""A session with canaries in it: figures that occur nowhere else, planted where each may be seen by some and not by others."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import User
from arena.models import Admission, Listing
from arena.services.listings import listing_change, listing_make
from competitions.models import Competition, Deal, Entry, Fill, Order, Position, Trade
from competitions.tests.factories import make_competition, make_entry, make_user
from tradingarena.core.ids import derived_id
from tradingarena.tests.cast import Cast

OLD, NEW = timedelta(hours=2), timedelta(seconds=1)
DELAY_S = 3_600

# where a figure shows that one has seen something
BOARD, CLOSED, OPEN, FRESH, OWN = "board", "closed trade", "open trade", "fresh trade", "own order"
SIGNS = {
    BOARD: ("12345678", "123,456.78"),
    CLOSED: ("1.41414", "1.45454"),
    OPEN: ("1.31313", "131.313"),
    FRESH: ("1.27272", "127.272"),
    OWN: ("1.23231", "1.21217", "1.52525"),
}
OPEN_TO_ALL = frozenset({BOARD, CLOSED, OPEN})


def seen_in(body: str) -> set[str]:
    """Name the canaries that a text gives away."""
    return {name for name, signs in SIGNS.items() if any(sign in body for sign in signs)}


@dataclass
class Session:
    """A contest with a delay, its listing and everybody who might look at it."""

    cast: Cast
    contest: Competition
    listing: Listing
    owner: Entry
    people: dict[str, User | None] = field(default_factory=dict)
    fresh: Trade | None = None
    trades: dict[str, Trade] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)

    def change(self, mode: str) -> None:
        """Let the operator change who may watch."""
        cost = 25 if mode == Listing.Mode.TOKEN_GATED else 0
        self.listing = listing_change(self.cast.operator, self.listing.pk, mode=mode, spectator_token_cost=cost)

    def may_see(self, who: str, mode: str) -> frozenset[str]:
        """Say what somebody may see of it, as docs/rules/arena.md does."""
        if who == "owner":
            return frozenset(SIGNS)
        if who == "rival":
            return frozenset({BOARD, CLOSED})
        let_in = {
            "open": True,
            "token_gated": who in {"paid", "moderator", "host"},
            "private": who in {"invited", "moderator", "host"},
            "closed": who in {"moderator", "host"},
        }
        return OPEN_TO_ALL if let_in[mode] else frozenset()


def set_up() -> Session:
    """Make a contest with canaries, and an audience."""
    cast = Cast.assemble()
    host = make_user("hanna")
    contest = make_competition(title="Guarded", slug="guarded", pairs=["EUR/USD", "GBP/USD", "EUR/GBP"], host=host)
    listing = listing_make(cast.operator, contest.pk, delay_s=DELAY_S)
    owner = make_entry(contest, cast.alice, last_equity_cents=12_345_678, fills_count=4)
    make_entry(contest, cast.bob)
    session = Session(cast, contest, listing, owner)
    paid, invited, banned = make_user("petra"), make_user("ivan"), make_user("barbara")
    Admission.objects.create(listing=listing, user=paid, kind=Admission.Kind.PASS, paid_tokens=25)
    Admission.objects.create(listing=listing, user=invited, kind=Admission.Kind.INVITATION)
    session.people = {
        "anonymous": None, "unpaid": cast.carol, "paid": paid, "invited": invited, "owner": cast.alice, "rival": cast.bob,
        "banned": banned, "moderator": cast.moderator, "host": host,
    }  # fmt: skip
    now = timezone.now()
    session.trades["closed"] = _trade(session, 1, "GBP/USD", now - OLD, "1.41414", closed="1.45454")
    session.trades["open"] = _trade(session, 3, "EUR/USD", now - OLD, "1.31313")
    session.trades["fresh"] = _trade(session, 4, "EUR/GBP", now - NEW, "1.27272")
    Order.objects.create(
        id=uuid4(), entry=owner, competition=contest, seq=10**9, pair="EUR/USD", side="buy", type="limit", units=1_000,
        price=Decimal("1.23231"), status="working", accepted_at=now,
    )  # fmt: skip
    return session


def ban(user: User) -> None:
    """Ban somebody from the site, behind everybody's back."""
    User.objects.filter(pk=user.pk).update(banned_until=timezone.now() + timedelta(days=1))
    user.refresh_from_db()


def _trade(session: Session, number: int, pair: str, at: Any, price: str, *, closed: str = "") -> Trade:
    """Write a trade of a lot as the engine would: fill, deal, trade and, while it is open, a position with exits."""
    points = int(Decimal(price) * 100_000)
    trade = Trade.objects.create(
        entry=session.owner, pair=pair, side="buy", opened_at=at, opened_units=100_000, opened_cost_points=100_000 * points
    )  # fmt: skip
    _deal(session, trade, number, "in", at, price, 100_000 * points)
    if closed:
        _deal(session, trade, number + 1, "out", at, closed, 100_000 * points)
        trade.closed_units, trade.closed_cost_points = 100_000, 100_000 * int(Decimal(closed) * 100_000)
        trade.closed_at, trade.pnl_cents, trade.close_reason = at, 4_040, "market"
        trade.save()
        return trade
    Position.objects.create(
        id=derived_id(session.owner.pk, f"position:{pair}"), entry=session.owner, pair=pair, units=100_000,
        cost_points=100_000 * points, stop_loss=Decimal("1.21217"), take_profit=Decimal("1.52525"), trade=trade, opened_at=at,
        updated_at=at,
    )  # fmt: skip
    return trade


def _deal(session: Session, trade: Trade, number: int, direction: str, at: Any, price: str, cost: int) -> None:
    side = "buy" if direction == "in" else "sell"
    common = {
        "entry": session.owner,
        "competition": session.contest,
        "pair": trade.pair,
        "side": side,
        "units": 100_000,
    }
    fill = Fill.objects.create(
        **common, number=number, price=Decimal(price), rule="market", bid=Decimal(price), ask=Decimal(price), quote_id=number,
        quote_at=at, quote_received_at=at, quote_age_ms=1, source="test", engine_epoch=1, filled_at=at,
    )  # fmt: skip
    Deal.objects.create(
        **common, fill=fill, trade=trade, number=number, direction=direction, price=Decimal(price), cost_points=cost,
        cash_after_cents=10_000_000, at=at,
    )  # fmt: skip
    session.fills[f"{trade.pair} {direction}"] = fill


def close_now(session: Session, price: str) -> None:
    """Close the old open trade a second ago."""
    trade, at = session.trades["open"], timezone.now() - NEW
    _deal(session, trade, 5, "out", at, price, trade.opened_cost_points)
    Trade.objects.filter(pk=trade.pk).update(
        closed_at=at, closed_units=100_000, closed_cost_points=1, pnl_cents=777, close_reason="market"
    )
    Position.objects.filter(entry=session.owner, pair=trade.pair).update(units=0, cost_points=0)
