"""What the tests of a contest's life are made of: people, a contest that is about to start, and moving its times."""

from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from accounts.rules import roles
from accounts.services import people
from competitions.models import Competition, Entry
from competitions.services.drafts import competition_create
from tradingarena.core.clock import database_now


def person(name: str, **fields: Any) -> User:
    """Add a confirmed person."""
    return people.person_add(f"{name.lower()}@example.com", name, **{"confirmed": True} | fields)


def operator() -> User:
    """Add an operator, or find the one there is."""
    return User.objects.filter(username="oscar").first() or person("oscar", role=roles.ADMIN)


def terms(**changes: Any) -> dict[str, Any]:
    """Give the terms of a plain contest: an hour long, starting in an hour."""
    start = database_now() + timedelta(hours=1)
    plain = {"title": "Spring Sprint", "pairs": ["EUR/USD"], "starts_at": start, "ends_at": start + timedelta(hours=1)}
    return plain | changes


def contest(*, open_now: bool = True, **changes: Any) -> Competition:
    """Make a contest by the operator's door."""
    return competition_create(operator(), open_now=open_now, **terms(**changes))


def make_due(competition: Competition, *, started_s: float = 1, length_s: float = 3600) -> Competition:
    """Move a contest's times behind the doors' back, so that its start has passed."""
    start = database_now() - timedelta(seconds=started_s)
    times: dict[str, datetime] = {"starts_at": start, "ends_at": start + timedelta(seconds=length_s)}
    Competition.objects.filter(pk=competition.pk).update(**times, planned_ends_at=times["ends_at"])
    competition.refresh_from_db()
    return competition


def freeze(
    entry: Entry, equity_cents: int, *, fills: int = 1, drawdown_bps: int = 0, last_fill_at: datetime | None = None
) -> None:
    """Write what the engine leaves of an entry when a contest ends."""
    moment = database_now()
    Entry.objects.filter(pk=entry.pk).update(
        final_equity_cents=equity_cents,
        cash_cents=equity_cents,
        fills_count=fills,
        max_drawdown_bps=drawdown_bps,
        last_fill_at=(last_fill_at or moment) if fills else None,
        finalized_at=moment,
    )
