"""Who gets the stakes when a challenge has been played: the winner less the rake, or each their own.

Where the money is and how it moves is in `services/settlement.py`. Rules: docs/rules/pvp.md#result.
"""

from dataclasses import dataclass

WON, TIE, VOID = "won", "tie", "void"
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of two stakes. Units: cents or tokens.

    Shapes: winner is 0 or 1, the place of the rank that won; None when both get their own back.
    """

    outcome: str
    winner: int | None
    pot: int
    paid: int
    rake: int
    returned: int


def decide(ranks: tuple[int | None, int | None]) -> tuple[str, int | None]:
    """Tell from the final ranks of a contest of two who has won.

    Shapes: None is unranked: disqualified, or without a single fill. The outcome, and the winner's place.
    Formula: the better rank wins; a ranked one beats an unranked one; a shared rank is a tie; nobody ranked is void.
        Source: docs/rules/pvp.md#result.
    Example:
        >>> decide((1, 2)), decide((None, 1)), decide((1, 1)), decide((None, None))
        (('won', 0), ('won', 1), ('tie', None), ('void', None))
    """
    first, second = ranks
    if first is None and second is None:
        return VOID, None
    if first == second:
        return TIE, None
    if second is None or (first is not None and first < second):
        return WON, 0
    return WON, 1


def share(stake: int, rake_bps: int, ranks: tuple[int | None, int | None]) -> Plan:
    """Share two equal stakes out by the final ranks.

    Units: stake in cents or tokens (int > 0), rake_bps in 0..2,000.
    Formula: pot = 2 * stake; won: rake = pot * rake_bps // 10_000 and the winner gets the rest; tie and void: each stake goes back, no
        rake. Source: docs/rules/pvp.md#result.
    Guarantees: paid + rake + returned == pot.
    Example:
        >>> share(1_000, 500, (2, 1))
        Plan(outcome='won', winner=1, pot=2000, paid=1900, rake=100, returned=0)
    """
    outcome, winner = decide(ranks)
    pot = 2 * stake
    if winner is None:
        return Plan(outcome, None, pot, 0, 0, pot)
    rake = pot * rake_bps // BPS
    plan = Plan(outcome, winner, pot, pot - rake, rake, 0)
    assert plan.paid + plan.rake + plan.returned == pot
    return plan
