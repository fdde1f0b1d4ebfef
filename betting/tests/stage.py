"""A contest to bet on: traders with markets, bettors with tokens, and an end that the test chooses."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.rules import roles
from arena.models import Listing
from arena.services.listings import listing_make
from betting.models import Bet, Market, Settlement
from betting.services.bets import Placed, bet_place, pot
from betting.services.markets import markets_open
from competitions.models import Competition, Entry
from competitions.tests.factories import make_entry, make_open_competition, make_user
from tokens.invariants import CHECKS as TOKEN_CHECKS
from tokens.tests.ledger.book import give
from tradingarena.core.invariants import run

FUNDS = 5_000


@dataclass
class Stage:
    """An open contest with a listing; traders and bettors by name."""

    contest: Competition
    listing: Listing
    operator: User
    traders: dict[str, Entry] = field(default_factory=dict)
    bettors: dict[str, User] = field(default_factory=dict)

    def market(self, trader: str = "tara") -> Market:
        """Read a trader's newest market."""
        return Market.objects.filter(entry=self.traders[trader]).latest("opened_at")

    def bet(self, who: str, outcome: str = "positive", stake: int = 100, **more: Any) -> Placed:
        """Place a bet on tara, or as `more` says."""
        trader = more.pop("trader", "tara")
        values = {"id": uuid4(), "market_id": self.market(trader).pk, "outcome": outcome, "stake_tokens": stake}
        return bet_place(self.bettors[who], **(values | more))

    def lock_in(self, seconds: float) -> None:
        """Let every market lock so many seconds from now."""
        lock = timezone.now() + timedelta(seconds=seconds)
        Market.objects.filter(competition=self.contest).update(
            locks_at=lock, starts_at=min(self.contest.starts_at, lock - timedelta(seconds=1))
        )

    def end(self, status: str = "completed", **equities: int | None) -> None:
        """End the contest with these final equities in cents, as the engine would leave its rows; events are not told."""
        now = timezone.now()
        for name, cents in equities.items():
            fills = 0 if cents is None else 2
            Entry.objects.filter(pk=self.traders[name].pk).update(
                final_equity_cents=self.contest.starting_balance_cents if cents is None else cents,
                fills_count=fills,
                finalized_at=now,
            )
        times = {"starts_at": now - timedelta(hours=2), "ends_at": now - timedelta(hours=1), "planned_ends_at": None}
        Competition.objects.filter(pk=self.contest.pk).update(status=status, **times)

    def escrow_tokens(self, trader: str = "tara") -> int:
        """Sum up what is held for a trader's market."""
        return escrow_tokens(self.market(trader).pk)


def set_up(
    *, traders: tuple[str, ...] = ("tara",), bettors: tuple[str, ...] = ("ben", "bea"), **settings: Any
) -> Stage:
    """Make a contest, everybody in it, and who bets on them; people who are there already take part again."""
    operator = somebody("olga", role=roles.ADMIN)
    contest = make_open_competition(title="Cup", slug=f"cup-{uuid4().hex[:8]}")
    stage = Stage(contest, listing_make(operator, contest.pk, **settings), operator)
    for name in traders:
        stage.traders[name] = make_entry(contest, somebody(name))
    for name in bettors:
        stage.bettors[name] = somebody(name)
        give(stage.bettors[name].pk, FUNDS)
    markets_open(contest.pk)
    return stage


def somebody(name: str, **fields: Any) -> User:
    """Find a person by name, or make them."""
    return User.objects.filter(username=name).first() or make_user(name, **fields)


def escrow_tokens(market_id: UUID) -> int:
    """Sum up what is held for a market."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount_tokens), 0) FROM tokens_leg WHERE account_id = %s", [pot(market_id).id]
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def books_hold() -> None:
    """Assert that ledger and bets prove."""
    from betting.invariants import CHECKS

    found = [run(check) for check in (*TOKEN_CHECKS, *CHECKS)]
    assert [one for one in found if one.violations] == []


def pays(market: Market) -> list[int]:
    """List what each bet of a market has received, in the order of placing."""
    rows = Bet.objects.filter(market=market).order_by("placed_at", "id")
    return list(rows.values_list("result__pay_tokens", flat=True))


def settlements(market: Market) -> dict[int, Settlement]:
    """Read a market's settlements by threshold."""
    return {one.line.threshold_bps: one for one in Settlement.objects.filter(market=market).select_related("line")}
