"""Two hundred honest people and a few who are not: what they were seen on, whom they brought, what they traded, staked and played.

The honest share homes, a campus and friends, trade at the same news, bring their families, and lose to better players.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import IntegrityCase, Sighting, User
from accounts.services import people
from competitions.models import Competition, Entry, Order
from competitions.tests.factories import make_competition
from pvp.models import Challenge, Terms
from tokens.models import Referral

HONEST = 200
PAIRS = ["EUR/USD", "USD/JPY"]
_seq = count(1_000_000)


@dataclass
class Crowd:
    """Everybody by name. The same seed is the same crowd."""

    chance: random.Random = field(default_factory=lambda: random.Random(8))
    people: dict[str, User] = field(default_factory=dict)

    @property
    def honest(self) -> list[User]:
        """List the honest ones."""
        return [user for name, user in self.people.items() if name.startswith("honest")]

    def join(self, *names: str) -> None:
        """Let people come, each with a device and an address of their own."""
        for name in names:
            self.people[name] = people.person_add(f"{name}@example.com", name, confirmed=True)
            self.seen("device", f"device of {name}", name)
            self.seen("address", f"home of {name}", name)

    def seen(self, kind: str, what: str, *names: str) -> None:
        """Note that people were seen on the same thing."""
        now = timezone.now()
        Sighting.objects.bulk_create(
            Sighting(user=self.people[name], kind=kind, digest=what.ljust(64, "."), last_at=now) for name in names
        )

    def live(self) -> None:
        """Let the honest live: homes of two or three, some of which share a tablet, and a campus."""
        self.join(*(f"honest{number}" for number in range(HONEST)))
        names = [user.username for user in self.honest]
        for home in range(30):
            members = names[home * 3 : home * 3 + self.chance.choice([2, 3])]
            self.seen("address", f"shared home {home}", *members)
            if home < 6:
                self.seen("device", f"tablet {home}", *members[:2])
        self.seen("address", "campus", *names[100:140])

    def bring(self, referrer: str, *referees: str) -> None:
        """Let somebody bring others."""
        Referral.objects.bulk_create(
            Referral(referrer=self.people[referrer], referee=self.people[name]) for name in referees
        )

    def bring_friends(self) -> None:
        """Let the honest bring: families, friends, and one streamer their audience."""
        names = [user.username for user in self.honest]
        for home in range(0, 30, 2):
            self.bring(names[home * 3], names[home * 3 + 1])
        self.bring(names[150], *names[100:120])
        for place in range(151, 190, 3):
            self.bring(names[place], names[place + 1])

    def contest(self, *more: str) -> tuple[Competition, dict[str, Entry]]:
        """Let the honest and some others trade for an hour that is over: about 15 orders each, many at the same news."""
        now = timezone.now()
        made = make_competition(
            status="completed", starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1)
        )
        names = [*(user.username for user in self.honest), *more]
        start = made.starting_balance_cents
        entries = {
            name: Entry(
                competition=made, user=self.people[name], number=number, cash_cents=start, max_equity_cents=start,
                day_start_equity_cents=start, last_equity_cents=start, final_equity_cents=start, finalized_at=now,
            )
            for number, name in enumerate(names, 1)
        }  # fmt: skip
        Entry.objects.bulk_create(entries.values())
        news = [made.starts_at + timedelta(minutes=minutes) for minutes in range(5, 60, 6)]
        orders: list[Order] = []
        for user in self.honest:
            moments = [
                made.starts_at + timedelta(seconds=self.chance.uniform(0, 3_500))
                for _ in range(self.chance.randint(4, 16))
            ]
            moments += [at + timedelta(seconds=self.chance.uniform(0, 3)) for at in news if self.chance.random() < 0.4]
            orders += [self.order(entries[user.username], at) for at in moments]
        Order.objects.bulk_create(orders)
        return made, entries

    def order(self, entry: Entry, at: datetime, *, side: str = "", pair: str = "", units: int = 0) -> Order:
        """Make an order as somebody would have placed it."""
        return Order(
            id=uuid4(), entry=entry, competition_id=entry.competition_id, seq=next(_seq), pair=pair or self.chance.choice(PAIRS),
            side=side or self.chance.choice(["buy", "sell"]), type="market", units=units or 1_000 * self.chance.randint(1, 50),
            status="filled", accepted_at=at, decided_at=at,
        )  # fmt: skip

    def duel(self, winner: str, loser: str, *, fills: int, lost_bps: int) -> None:
        """Let one have beaten another in a challenge for 100 tokens."""
        now = timezone.now()
        made = make_competition(
            status="completed", starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1)
        )
        start = made.starting_balance_cents
        for number, (name, cents, done) in enumerate(
            [(winner, start, 9), (loser, start - start * lost_bps // 10_000, fills)], 1
        ):
            Entry.objects.create(
                competition=made, user=self.people[name], number=number, cash_cents=cents, max_equity_cents=start, fills_count=done,
                day_start_equity_cents=start, last_equity_cents=cents, final_equity_cents=cents, finalized_at=now,
            )  # fmt: skip
        challenge = Challenge.objects.create(
            challenger=self.people[winner], invitee=self.people[loser], status="completed", outcome="won", winner=self.people[winner],
            challenger_version=1, invitee_version=1, agreed_digest="d" * 64, expires_at=now, competition=made, closed_at=now,
        )  # fmt: skip
        Terms.objects.create(
            challenge=challenge, version=1, proposed_by=self.people[winner], stake_cents=0, stake_tokens=100,
            starting_balance_cents=start, pairs=PAIRS, duration_s=3_600, rake_bps=0, drawdown_rule="none", drawdown_limit_bps=0,
            digest="d" * 64,
        )  # fmt: skip

    def play_duels(self) -> None:
        """Let the honest play: rivals of about equal strength, families, and one who keeps losing and keeps trying."""
        names = [user.username for user in self.honest]
        for place in range(0, 60, 3):
            for _ in range(self.chance.randint(1, 4)):
                winner, loser = self.chance.sample([names[place], names[place + 1]], 2)
                self.duel(winner, loser, fills=self.chance.randint(2, 30), lost_bps=self.chance.randint(5, 900))
        for _ in range(5):
            self.duel(names[190], names[191], fills=12, lost_bps=self.chance.randint(50, 700))


def flagged() -> dict[str, set[UUID]]:
    """Give whom cases are about, by kind."""
    found: dict[str, set[UUID]] = {}
    for case in IntegrityCase.objects.all():
        found.setdefault(case.kind, set()).update(case.people)
    return found
