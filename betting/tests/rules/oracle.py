"""Settlement told again from the rules' text alone, with fractions, and nothing shared with `betting/rules/`."""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Told:
    """A market: how the contest and its trader ended, and the bets as (threshold in percent, says yes, stake, weight in bps)."""

    start_cents: int
    final_cents: int | None
    rake: Fraction
    contest_cancelled: bool = False
    withdrew: bool = False
    fills: int = 1
    out: str = ""  # "before", "after" (the lock, by the drawdown rule) or "operator"
    bets: list[tuple[Fraction, bool, int, int]] = field(default_factory=list)


@dataclass
class Outcome:
    """What follows: what each bet receives, and the rake of each line."""

    pays: list[int]
    rakes: dict[Fraction, int]
    refunded: int


def outcome(told: Told) -> Outcome:
    """Work out what everybody receives."""
    nothing_counts = told.contest_cancelled or told.withdrew or told.out in {"before", "operator"} or not told.fills
    pays = [0] * len(told.bets)
    rakes: dict[Fraction, int] = {}
    refunded = 0
    for line in {bet[0] for bet in told.bets}:
        places = [place for place, bet in enumerate(told.bets) if bet[0] == line]
        yes = sum(told.bets[place][2] for place in places if told.bets[place][1])
        no = sum(told.bets[place][2] for place in places if not told.bets[place][1])
        verdict = None
        if not nothing_counts:
            assert told.final_cents is not None
            gain = Fraction(told.final_cents - told.start_cents, told.start_cents) * 100
            verdict = None if gain == line else gain > line
        if verdict is None or not yes or not no:
            for place in places:
                pays[place] = told.bets[place][2]
                refunded += pays[place]
            rakes[line] = 0
            continue
        lost, winners = (no, True) if verdict else (yes, False)
        rakes[line] = min(int((yes + no) * told.rake), lost)
        right = [place for place in places if told.bets[place][1] is winners]
        whole = sum(Fraction(told.bets[place][2] * told.bets[place][3]) for place in right)
        exact = {
            place: (lost - rakes[line]) * Fraction(told.bets[place][2] * told.bets[place][3]) / whole for place in right
        }
        for place in right:
            pays[place] = told.bets[place][2] + int(exact[place])
        odd = lost - rakes[line] - sum(int(one) for one in exact.values())
        for place in sorted(right, key=lambda place: (int(exact[place]) - exact[place], place))[:odd]:
            pays[place] += 1
    return Outcome(pays, rakes, refunded)
