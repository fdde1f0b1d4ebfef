"""The terms of a challenge: what they must hold to, what changed between two versions, and the bytes that both have accepted.

Whether the pairs are quoted and who may stake is not here. Rules: docs/rules/pvp.md#terms.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta

MINUTE, DAY = 60, 86_400
SHORTEST_S, LONGEST_S = 5 * MINUTE, 30 * DAY
SOONEST, LATEST = timedelta(minutes=10), timedelta(days=30)
MOST_RAKE_BPS = 2_000
STAKE_CENTS = (1_00, 10_000_00)
STAKE_TOKENS = (1, 1_000_000)
BALANCE_CENTS = (1_000_00, 1_000_000_000_00)
DRAWDOWN_RULES = ("none", "start", "peak", "daily")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What two people play for and by which rules.

    Units: stakes are each side's, in US cents or in tokens, the other is 0; the balance is virtual US cents; starts_at is aware UTC,
        None as soon as both have paid.
    """

    stake_cents: int
    stake_tokens: int
    starting_balance_cents: int
    pairs: tuple[str, ...]
    duration_s: int
    starts_at: datetime | None
    rake_bps: int
    drawdown_rule: str
    drawdown_limit_bps: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with terms."""

    field: str
    code: str
    detail: str


FIELDS = tuple(field.name for field in fields(Wanted))


def problems(wanted: Wanted, now: datetime) -> list[Problem]:
    """Find everything that is wrong with terms.

    Shapes: empty when they hold; now is the database's clock. Whether a pair exists is the caller's to say.
    Formula: docs/rules/pvp.md#terms.
    """
    return [*_stakes(wanted), *_contest(wanted), *_drawdown(wanted), *_start(wanted, now)]


def canonical(wanted: Wanted) -> bytes:
    """Write terms the one way in which they are compared: JSON with sorted names, times as ISO-8601 in UTC.

    Guarantees: equal terms have equal bytes, and different ones different bytes.
    """
    told = asdict(wanted) | {"starts_at": None if wanted.starts_at is None else _moment(wanted.starts_at)}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def digest(wanted: Wanted) -> str:
    """Give the SHA-256 of the canonical bytes, hexadecimal: what each side's acceptance stands for."""
    return hashlib.sha256(canonical(wanted)).hexdigest()


def changed(before: Wanted, after: Wanted) -> list[str]:
    """Name the terms in which two versions differ, in the order of FIELDS."""
    return [name for name in FIELDS if getattr(before, name) != getattr(after, name)]


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _within(name: str, value: int, bounds: tuple[int, int]) -> Iterator[Problem]:
    low, high = bounds
    if not low <= value <= high:
        yield Problem(name, "out_of_range", f"{name} is a whole number from {low:,} to {high:,}.")


def _stakes(wanted: Wanted) -> Iterator[Problem]:
    if bool(wanted.stake_cents) == bool(wanted.stake_tokens):
        yield Problem("stake_cents", "one_stake", "A challenge has a stake, in cents or in tokens, and not in both.")
    elif wanted.stake_cents:
        yield from _within("stake_cents", wanted.stake_cents, STAKE_CENTS)
    else:
        yield from _within("stake_tokens", wanted.stake_tokens, STAKE_TOKENS)
    yield from _within("rake_bps", wanted.rake_bps, (0, MOST_RAKE_BPS))


def _contest(wanted: Wanted) -> Iterator[Problem]:
    yield from _within("starting_balance_cents", wanted.starting_balance_cents, BALANCE_CENTS)
    yield from _within("duration_s", wanted.duration_s, (SHORTEST_S, LONGEST_S))
    if not wanted.pairs:
        yield Problem("pairs", "required", "A challenge has at least one pair.")
    if len(set(wanted.pairs)) != len(wanted.pairs):
        yield Problem("pairs", "repeated", "Each pair is listed once.")


def _drawdown(wanted: Wanted) -> Iterator[Problem]:
    if wanted.drawdown_rule not in DRAWDOWN_RULES:
        yield Problem("drawdown_rule", "unknown", f"The rule is one of {', '.join(DRAWDOWN_RULES)}.")
    elif (wanted.drawdown_rule == "none") != (wanted.drawdown_limit_bps == 0):
        yield Problem("drawdown_limit_bps", "with_rule", "A drawdown rule has a limit above zero, no rule has none.")
    yield from _within("drawdown_limit_bps", wanted.drawdown_limit_bps, (0, 10_000))


def _start(wanted: Wanted, now: datetime) -> Iterator[Problem]:
    if wanted.starts_at is not None and not now + SOONEST <= wanted.starts_at <= now + LATEST:
        yield Problem("starts_at", "out_of_range", "A fixed start is 10 minutes to 30 days from now.")
