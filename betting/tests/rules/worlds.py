"""Random markets: the usual and the odd, for the oracle and for the database."""

import random
from fractions import Fraction

from betting.tests.rules.oracle import Told

START = 10_000_000
LINES = (0, 2, 5, 10)


def random_market(chance: random.Random, *, most_bets: int = 30, largest: int = 1_000) -> Told:
    """Make a market: 0 or 1 bettor, all right, none right, exactly on a line, 0.00 %, no fills, out, cancelled, huge pools."""
    lines = chance.sample(LINES, chance.randint(1, 4))
    on_a_line = START + START * chance.choice(LINES) // 100
    final = chance.choice(
        [START, on_a_line, on_a_line + 1, on_a_line - 1, 0, chance.randint(9_000_000, 11_500_000), 10**13]
    )
    told = Told(START, final, Fraction(chance.choice([0, 1, 250, 500, 500, 3_333, 10_000]), 10_000))
    match chance.randrange(12):
        case 0:
            told.contest_cancelled = True
        case 1:
            told.fills = 0
        case 2:
            told.out = chance.choice(["before", "operator"])
        case 3:
            told.out = "after"
        case 4:
            told.withdrew = True
    scale = 10**12 if largest > 1_000 and chance.random() < 0.1 else largest
    yes = chance.choice([0.0, 0.5, 0.5, 0.5, 0.9, 1.0])
    for _ in range(chance.choice([0, 1, 2, 3, chance.randint(4, most_bets)])):
        stake = chance.choice([10, 10, chance.randint(10, scale)])
        weight = chance.choice([10_000, 10_000, 5_000, chance.randint(5_000, 10_000)])
        told.bets.append((Fraction(chance.choice(lines)), chance.random() < yes, stake, weight))
    return told
