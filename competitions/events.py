"""Facts about contests for whoever stands above: ids and primitives, published when they have been committed.

What the engine decides quote by quote is published by the engine; rooms are in `broadcast.py`. Rules:
docs/rules/competitions.md.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CompetitionOpened:
    """A contest takes entries."""

    competition_id: UUID


@dataclass(frozen=True, slots=True)
class CompetitionStarted:
    """A contest runs."""

    competition_id: UUID
    started_at: datetime


@dataclass(frozen=True, slots=True)
class CompetitionClosing:
    """An operator has moved the end of a running contest to a moment that comes in seconds."""

    competition_id: UUID
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class CompetitionEnded:
    """A contest has ended: final equities are frozen, ranks and payouts are there and may still be objected to."""

    competition_id: UUID
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class StandingsRecomputed:
    """A late disqualification changed ranks and payouts of a contest that has ended."""

    competition_id: UUID


@dataclass(frozen=True, slots=True)
class CompetitionCompleted:
    """The objection window is over: ranks and payouts are final."""

    competition_id: UUID
    completed_at: datetime


@dataclass(frozen=True, slots=True)
class CompetitionCancelled:
    """A contest does not take place or does not count; whatever was paid for it goes back."""

    competition_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class EntryJoined:
    """Somebody has joined."""

    competition_id: UUID
    entry_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class EntryWithdrawn:
    """Somebody has withdrawn before the start."""

    competition_id: UUID
    entry_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class EntryDisqualified:
    """An operator has disqualified an entry; while the contest runs, the engine carries it out."""

    competition_id: UUID
    entry_id: UUID
    user_id: UUID
    reason: str
