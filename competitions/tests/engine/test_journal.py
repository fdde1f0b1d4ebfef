"""What the engine writes arrives as it was meant: texts with every sign that an array's own text knows, missing values, times."""

from decimal import Decimal

import pytest

from competitions.models import Amendment, Deal, Fill, Order
from competitions.tests.stage import START, Market, amend, contest, enter, person, play, stream_engine, wish
from tradingarena.core.clock import from_ms, to_ms

pytestmark = pytest.mark.django_db(transaction=True)

QUOTES = [(0, "EUR/USD", "1.08500", "1.08510"), (1, "USD/JPY", "150.000", "150.010")]


@pytest.mark.parametrize(
    "note",
    [
        'he said "no", {twice}',
        "back\\slash\\",
        "NULL",
        "{}",
        "a, b",
        " spaces ",
        "line\nbreak",
        "'; --",
        "naïve 漢字 %s",
    ],
)
def test_an_operators_reason_arrives_word_for_word(note: str) -> None:
    entry = enter(contest(), person("alice"))
    amend(entry, 10, "disqualify", note=note)
    play(stream_engine(), Market(), [*QUOTES, (100, "EUR/USD", "1.08500", "1.08510")])
    entry.refresh_from_db()
    assert (entry.status, entry.dq_reason) == ("disqualified", note)
    assert entry.dq_quote_id is None
    assert entry.dq_at == from_ms(to_ms(START) + 10)
    assert Amendment.objects.get().reason == ""


def test_values_that_are_missing_are_null_and_times_keep_their_milliseconds() -> None:
    entry = enter(contest(), person("alice"))
    order = wish(entry, 10, "EUR/USD", 10_000, take_profit="1.09000")
    play(
        stream_engine(),
        Market(),
        [*QUOTES, (123, "EUR/USD", "1.08500", "1.08510"), (456, "EUR/USD", "1.09001", "1.09010")],
    )
    opened, closed = Fill.objects.order_by("number")
    order.refresh_from_db()
    assert (opened.order_id, closed.order_id) == (order.pk, None)
    assert (order.price, order.stop_loss, order.take_profit) == (None, None, Decimal("1.09000"))
    assert closed.filled_at == from_ms(to_ms(START) + 456)
    assert [deal.conversion_quote_id for deal in Deal.objects.order_by("number")] == [None, None]
    assert Order.objects.get().decided_at == opened.filled_at
