"""A small arena to look at: a running contest with trades, one that takes entries, and one that is over."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.utils import timezone

from competitions.models import Amendment, Competition, Entry, EquitySnapshot, Order
from competitions.services.orders import order_place
from competitions.tests.factories import Desk, make_competition, make_entry, make_open_competition, make_quote_on_bus
from tradingarena.tests.cast import Cast
from tradingarena.tests.flows.arena import until


@dataclass
class Scene:
    """What the pages show."""

    cast: Cast
    desk: Desk
    coming: Competition
    over: Competition

    @property
    def running(self) -> Competition:
        """The contest that runs."""
        return self.cast.sprint

    def decide(self, *prices: str) -> None:
        """Wait until something that a page has sent is there to be decided, and decide it at the next quote of EUR/USD."""
        until("an order or an amendment has arrived", self._is_asked, patience_s=10)
        self.desk.decide("EUR/USD", *prices)
        self.show()

    def show(self) -> None:
        """Let the engine tell boards and accounts now, and not only when its second is over."""
        for standings in self.desk.engine.standings.values():
            standings.show()

    def _is_asked(self) -> bool:
        waiting = {"competition": self.running, "status": "accepted"}
        return Order.objects.filter(**waiting).exists() or Amendment.objects.filter(**waiting).exists()


def set_up() -> Scene:
    """Make the cast, trades of Alice and Bob, a contest to join and a finished one."""
    cast = Cast.assemble()
    assert {cast.alices.number, cast.bobs.number} == {1, 2}
    coming = make_open_competition(title="Evening cup", slug="evening-cup", pairs=["EUR/USD", "EUR/GBP"])
    scene = Scene(cast, Desk(), coming, finished(cast))
    trade(scene, cast.alice, "buy")
    trade(scene, cast.bob, "sell")
    return scene


def trade(scene: Scene, user: object, side: str, units: int = 100_000) -> None:
    """Send a market order and let the engine fill it, at fresh quotes however slow the machine is."""
    make_quote_on_bus("EUR/USD")
    order_place(
        user, scene.running.pk, id=uuid4(), pair="EUR/USD", side=side, type="market", units=units,
        price=None, stop_loss=None, take_profit=None,
    )  # type: ignore[arg-type]  # fmt: skip
    scene.desk.decide("EUR/USD")


def finished(cast: Cast) -> Competition:
    """Make a contest that ended an hour ago, with ranks, curves and an entrant without a trade."""
    now = timezone.now()
    competition = make_competition(
        title="Night run", slug="night-run", status=Competition.Status.COMPLETED,
        starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=1), completed_at=now,
        objection_ends_at=now - timedelta(minutes=50), drawdown_rule="peak", drawdown_limit_bps=1_000, reward_tokens=[50, 20],
    )  # fmt: skip
    for place, (user, cents) in enumerate(
        [(cast.bob, 10_123_456), (cast.alice, 9_950_000), (cast.carol, 10_000_000)], 1
    ):
        make_entry(
            competition, user, final_equity_cents=cents, last_equity_cents=cents, cash_cents=cents, finalized_at=now,
            rank=place if place < 3 else None, fills_count=4 if place < 3 else 0, last_fill_at=now if place < 3 else None,
        )  # fmt: skip
    for minute, equity in enumerate(
        [(10_000_000,) * 3, (10_080_000, 9_990_000, 10_000_000), (10_123_456, 9_950_000, 10_000_000)]
    ):
        EquitySnapshot.objects.create(
            competition=competition,
            at=now - timedelta(hours=2, minutes=-minute),
            quote_id=minute + 1,
            equity_cents=list(equity),
        )
    assert competition.entries.filter(status=Entry.Status.ACTIVE).count() == 3
    return competition
