"""Which badges a finished contest earns, from facts alone. Who has them already is not known here.

Rules: docs/rules/badges.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PODIUM, PODIUM_FIELD = 3, 4
STREAK = 3
WEEK_CONTESTS = 3
GIANT_WINS = 3
STEADY_BPS = 100
REGULAR, VETERAN = 10, 50


@dataclass(frozen=True, slots=True)
class Badge:
    """A badge: its name and what it is given for, in words."""

    name: str
    title: str
    what_for: str


BADGES: Mapping[str, Badge] = {
    badge.name: badge
    for badge in (
        Badge("first_win", "First win", "Won a contest for the first time."),
        Badge("podium", "Podium", f"Among the first {PODIUM} of at least {PODIUM_FIELD} ranked traders."),
        Badge("hat_trick", "Hat trick", f"Won {STREAK} contests in a row."),
        Badge("green_week", "Green week", f"{WEEK_CONTESTS} contests or more within seven days, and a gain in each."),
        Badge("giant_slayer", "Giant slayer", f"Won against somebody with {GIANT_WINS} more wins."),
        Badge("steady_hand", "Steady hand", "Won without ever being more than 1 % below the highest equity."),
        Badge("regular", "Regular", f"Ranked in {REGULAR} contests."),
        Badge("veteran", "Veteran", f"Ranked in {VETERAN} contests."),
    )
}


@dataclass(frozen=True, slots=True)
class Played:
    """One contest that somebody was ranked in. Units: US cents, bps."""

    rank: int
    ranked: int
    gain_cents: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one person when a contest is final.

    Shapes: `history` is every contest they were ranked in, the latest last, this one included; `week` those of the last seven days;
        `rival_wins` the most wins that anybody ranked below them had before, None when nobody was.
    """

    history: Sequence[Played]
    week: Sequence[Played]
    max_drawdown_bps: int
    rival_wins: int | None


def earned(facts: Facts) -> list[str]:
    """Name every badge that the facts earn, whether it is new or not, in the order of BADGES.

    Shapes: `facts.history` has at least this contest.
    Formula: a win is the first rank, shared or not, among at least two ranked traders. Source: docs/rules/badges.md.
    """
    this = facts.history[-1]
    wins = [one.rank == 1 and one.ranked > 1 for one in facts.history]
    before = sum(wins[:-1])
    tests = {
        "first_win": wins[-1],
        "podium": this.rank <= PODIUM and this.ranked >= PODIUM_FIELD,
        "hat_trick": len(wins) >= STREAK and all(wins[-STREAK:]),
        "green_week": len(facts.week) >= WEEK_CONTESTS and all(one.gain_cents > 0 for one in facts.week),
        "giant_slayer": wins[-1] and facts.rival_wins is not None and facts.rival_wins >= before + GIANT_WINS,
        "steady_hand": wins[-1] and facts.max_drawdown_bps <= STEADY_BPS,
        "regular": len(facts.history) >= REGULAR,
        "veteran": len(facts.history) >= VETERAN,
    }
    return [name for name in BADGES if tests[name]]
