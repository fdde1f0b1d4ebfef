"""The table of docs/rules/quotes.md#conversion, and that whatever is fed can be valued."""

from fractions import Fraction

import pytest

from competitions.engine.instruments import INSTRUMENTS, needed_pairs
from competitions.engine.margin import rates_for

QUOTES = {"USD/JPY": (151_500, 151_508, 1), "GBP/USD": (127_000, 127_010, 2)}


@pytest.mark.parametrize(
    ("currency", "dollars_of_100"),
    [("USD", Fraction(100)), ("JPY", Fraction(100_000, 151_504)), ("GBP", Fraction("127.005"))],
)
def test_a_quote_currency_is_worth_what_the_table_says(currency: str, dollars_of_100: Fraction) -> None:
    rate = rates_for({currency}, QUOTES)[currency]
    assert 100 * Fraction(rate.numerator, rate.denominator) == dollars_of_100


def test_a_pair_is_fed_with_everything_that_values_it() -> None:
    assert needed_pairs(["EUR/GBP"]) == {"EUR/GBP", "EUR/USD", "GBP/USD"}
    assert needed_pairs(["AUD/JPY"]) == {"AUD/JPY", "AUD/USD", "USD/JPY"}
    assert needed_pairs(["USD/CHF"]) == {"USD/CHF"}
    assert all(needed_pairs([pair]) <= INSTRUMENTS.keys() for pair in INSTRUMENTS)
