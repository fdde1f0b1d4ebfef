"""The terms of a contest: which fields an operator sets, and what they must hold to before anybody can enter.

Who may set them and when they freeze is in `lifecycle.py`. Rules: docs/rules/competitions.md#terms.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.rules import countries
from competitions.engine.instruments import INSTRUMENTS, needed_pairs
from competitions.engine.prizes import check_split
from competitions.models import Competition
from tradingarena.core.errors import RuleRefusal
from tradingarena.core.money import BPS

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(days=92)
MAX_PLACES = 100

# What may still change after the first entrant has joined, because nobody's chances depend on it.
WORDS = frozenset({"title", "description"})
RULES = frozenset(
    {
        "kind",
        "starts_at",
        "ends_at",
        "pairs",
        "starting_balance_cents",
        "leverage",
        "min_units",
        "unit_step",
        "max_units",
        "max_orders",
        "commission_cents_per_lot",
        "stop_out_level_bps",
        "margin_call_level_bps",
        "drawdown_rule",
        "drawdown_limit_bps",
        "close_only_s",
        "market_order_timeout_ms",
        "quote_stale_ms",
        "min_entries",
        "max_entries",
        "late_join_bps",
        "invite_code",
        "min_account_age_h",
        "max_linked_entries",
        "blocked_countries",
        "bots_allowed",
        "bots_only",
        "buy_in_cents",
        "entry_tokens",
        "rake_bps",
        "prize_split_bps",
        "reward_tokens",
        "objection_s",
    }
)
FIELDS = WORDS | RULES

BOUNDS: dict[str, tuple[int, int]] = {
    "starting_balance_cents": (100_00, 1_000_000_000_00),
    "leverage": (1, 500),
    "min_units": (1, 100_000_000),
    "unit_step": (1, 100_000_000),
    "max_units": (1, 100_000_000),  # so that the engine's 64-bit sums hold: docs/engine.md
    "max_orders": (1, 500),
    "commission_cents_per_lot": (0, 1_000_00),
    "stop_out_level_bps": (0, BPS),
    "margin_call_level_bps": (0, 10 * BPS),
    "drawdown_limit_bps": (0, BPS),
    "close_only_s": (0, 86_400),
    "market_order_timeout_ms": (100, 60_000),
    "quote_stale_ms": (500, 600_000),
    "min_entries": (1, 1_000_000),
    "max_entries": (1, 1_000_000),
    "late_join_bps": (0, BPS),
    "min_account_age_h": (0, 87_600),
    "max_linked_entries": (0, 1_000),
    "buy_in_cents": (0, 10_000_00),
    "entry_tokens": (0, 1_000_000),
    "rake_bps": (0, BPS),
    "objection_s": (0, 604_800),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the terms."""

    field: str
    code: str
    detail: str


class TermsRefused(RuleRefusal):
    """Raised when the terms of a contest do not hold; `errors` names every field, with a code and a sentence."""

    code, message = "competition_invalid", "These terms do not hold."

    def __init__(self, problems: Iterable[Problem]) -> None:
        errors = [{"pointer": f"/{one.field}", "code": one.code, "detail": one.detail} for one in problems]
        super().__init__(" ".join(error["detail"] for error in errors), errors=errors)


def problems(terms: Competition, *, fed: frozenset[str], now: datetime) -> list[Problem]:
    """Find everything that is wrong with a contest's terms.

    Shapes: empty when they hold; fed names the pairs that have quotes; now is the database's clock.
    Formula: docs/rules/competitions.md#terms.
    """
    return [
        *_words(terms),
        *_bounds(terms),
        *_times(terms, now),
        *_pairs(terms, fed),
        *_trading(terms),
        *_entry(terms),
        *_bots(terms),
        *_money(terms),
    ]


def _words(terms: Competition) -> Iterator[Problem]:
    title = " ".join(terms.title.split())
    if not 3 <= len(title) <= 120 or _has_control(terms.title):
        yield Problem("title", "length", "A title has 3 to 120 characters on one line.")
    if len(terms.description) > 4000:
        yield Problem("description", "length", "A description has at most 4,000 characters.")
    if _has_control(terms.description.replace("\n", " ").replace("\r", " ").replace("\t", " ")):
        yield Problem("description", "characters", "A description is plain text.")
    if terms.kind not in Competition.Kind.values:
        yield Problem("kind", "unknown", f"The kind is one of {', '.join(Competition.Kind.values)}.")


def _has_control(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)


def _bounds(terms: Competition) -> Iterator[Problem]:
    for field, (low, high) in BOUNDS.items():
        value = getattr(terms, field)
        if value is None and field == "max_entries":
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            yield Problem(field, "out_of_range", f"{field} is a whole number from {low:,} to {high:,}.")


def _times(terms: Competition, now: datetime) -> Iterator[Problem]:
    for field in ("starts_at", "ends_at"):
        if getattr(terms, field) is None or getattr(terms, field).tzinfo is None:
            yield Problem(field, "required", f"{field} is a time with its zone.")
            return
    if terms.starts_at <= now:
        yield Problem("starts_at", "in_the_past", "A contest starts in the future.")
    length = terms.ends_at - terms.starts_at
    if not SHORTEST <= length <= LONGEST:
        yield Problem("ends_at", "duration", "A contest lasts from 10 seconds to 92 days.")
    elif isinstance(terms.close_only_s, int) and timedelta(seconds=terms.close_only_s) >= length:
        yield Problem("close_only_s", "out_of_range", "The close-only time is shorter than the contest.")


def _pairs(terms: Competition, fed: frozenset[str]) -> Iterator[Problem]:
    if not terms.pairs:
        yield Problem("pairs", "required", "A contest has at least one pair.")
    if len(set(terms.pairs)) != len(terms.pairs):
        yield Problem("pairs", "repeated", "Each pair is listed once.")
    if unknown := [pair for pair in terms.pairs if pair not in INSTRUMENTS]:
        yield Problem("pairs", "unknown", f"There is no pair {', '.join(map(str, unknown[:5]))}.")
    elif missing := sorted(needed_pairs(terms.pairs) - fed):
        yield Problem(
            "pairs", "not_fed", f"No quotes arrive of {', '.join(missing)}, which these pairs or their conversion need."
        )


def _trading(terms: Competition) -> Iterator[Problem]:
    if terms.drawdown_rule not in Competition.DrawdownRule.values:
        yield Problem("drawdown_rule", "unknown", f"The rule is one of {', '.join(Competition.DrawdownRule.values)}.")
    elif (terms.drawdown_rule == Competition.DrawdownRule.NONE) != (terms.drawdown_limit_bps == 0):
        yield Problem("drawdown_limit_bps", "with_rule", "A drawdown rule has a limit above zero, no rule has none.")
    if terms.max_units < terms.min_units:
        yield Problem("max_units", "out_of_range", "The largest order is not below the smallest.")
    if terms.unit_step and terms.min_units % terms.unit_step:
        yield Problem("min_units", "off_step", "The smallest order is a multiple of the step.")
    if terms.margin_call_level_bps < terms.stop_out_level_bps:
        yield Problem("margin_call_level_bps", "out_of_range", "The margin call comes before the stop-out.")


def _entry(terms: Competition) -> Iterator[Problem]:
    if terms.max_entries is not None and terms.max_entries < terms.min_entries:
        yield Problem("max_entries", "out_of_range", "The cap is not below the smallest number of entrants.")
    if terms.kind == Competition.Kind.PRIVATE and not terms.invite_code:
        yield Problem("invite_code", "required", "A private contest has an invite code.")
    if terms.invite_code and not re.fullmatch(r"[!-~]{4,64}", terms.invite_code):
        yield Problem("invite_code", "characters", "An invite code has 4 to 64 letters, digits or signs.")
    if unknown := [code for code in terms.blocked_countries if code not in countries.NAMES]:
        yield Problem("blocked_countries", "unknown", f"There is no country {', '.join(map(str, unknown[:5]))}.")


def _bots(terms: Competition) -> Iterator[Problem]:
    if terms.bots_only and not terms.bots_allowed:
        yield Problem("bots_only", "bots_not_allowed", "A contest for bots alone lets bots in.")


def _money(terms: Competition) -> Iterator[Problem]:
    if terms.buy_in_cents and terms.entry_tokens:
        yield Problem("entry_tokens", "with_buy_in", "Entry is free, by card or with tokens, not by both.")
    if terms.rake_bps and not (terms.buy_in_cents or terms.entry_tokens):
        yield Problem("rake_bps", "free_contest", "A free contest has nothing to take a rake of.")
    if len(terms.prize_split_bps) > MAX_PLACES or len(terms.reward_tokens) > MAX_PLACES:
        yield Problem("prize_split_bps", "too_many", f"At most {MAX_PLACES} places are paid.")
    elif terms.prize_split_bps or terms.buy_in_cents or terms.entry_tokens:
        try:
            check_split(terms.prize_split_bps)
        except ValueError as error:
            yield Problem("prize_split_bps", "not_a_split", f"The prize split does not hold: {error}.")
    if any(not 0 <= tokens <= 1_000_000 for tokens in terms.reward_tokens):
        yield Problem("reward_tokens", "out_of_range", "A place is rewarded with 0 to 1,000,000 tokens.")
