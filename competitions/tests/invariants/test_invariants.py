"""The books add up after real trading, and each check finds the one thing that was made wrong."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from competitions.invariants import CHECKS
from competitions.models import Competition, Entry
from competitions.services.supervision import supervise
from competitions.tests.money import charge
from competitions.tests.stage import Market, contest, enter, person, play, stream_engine, wish
from tradingarena import invariants
from tradingarena.core.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600_000


@pytest.fixture
def market() -> Market:
    return Market()


def _path() -> Iterator[tuple[int, str, str, str]]:
    """Give quotes of twenty seconds in which prices go up and down."""
    for step in range(40):
        at, wave = 500 * step, (step * 7) % 11
        yield at, "EUR/USD", f"1.08{500 + wave * 13:03d}", f"1.08{510 + wave * 13:03d}"
        yield at + 1, "USD/JPY", f"150.{100 + wave * 9:03d}", f"150.{110 + wave * 9:03d}"
        yield at + 2, "GBP/USD", f"1.27{wave:03d}", f"1.27{wave + 10:03d}"
        yield at + 3, "EUR/GBP", f"0.85{200 - wave * 11:03d}", f"0.85{210 - wave * 11:03d}"


@pytest.fixture
def played(market: Market) -> Competition:
    """A contest in which three have traded, flipped, been stopped, and one has not; over and settled."""
    competition = contest(commission_cents_per_lot=350)
    entries = [enter(competition, person(name)) for name in ("alice", "bob", "carol", "dave")]
    charge(competition, 1000, rake_bps=700, prize_split_bps=[6000, 4000])
    for number, entry in enumerate(entries[:3]):
        for turn in range(6):
            pair = ("EUR/USD", "USD/JPY", "EUR/GBP")[(turn + number) % 3]
            wish(entry, 1_000 + 2_000 * turn + number, pair, (100_000, -250_000, 150_000)[turn % 3])
        wish(entry, 1_500, "EUR/USD", 50_000, type="limit", price="1.08520", stop_loss="1.08400", take_profit="1.08590")
        wish(entry, 1_600, "USD/JPY", -50_000, type="stop", price="150.120")
    engine = stream_engine()
    play(engine, market, _path())
    play(engine, market, [(HOUR - 2_000 + n, *quote[1:]) for n, quote in enumerate(_path()) if n < 8])
    play(engine, market, [(HOUR + 1, "EUR/USD", "1.08500", "1.08510"), (HOUR + 800, "EUR/USD", "1.08500", "1.08510")])
    competition.refresh_from_db()
    assert competition.status == "settling"
    return competition


def _broken() -> set[str]:
    return {finding.check.name for finding in invariants.prove() if finding.violations}


def test_the_books_add_up_when_nothing_has_happened():
    assert _broken() == set()


def test_the_books_add_up_after_a_contest(played):
    from competitions.models import Deal, Fill, Payout

    assert Fill.objects.count() >= 20
    assert Deal.objects.count() > Fill.objects.count()  # flips
    assert sum(payout.amount_cents for payout in Payout.objects.all()) == 4000 - 280
    assert _broken() == set()


@contextmanager
def _unguarded() -> Iterator[None]:
    """Let rows be changed that nobody can change, as a disk fault or an operator with a console might."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE competitions_fill DISABLE TRIGGER USER; ALTER TABLE competitions_deal DISABLE TRIGGER USER"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE competitions_fill ENABLE TRIGGER USER; ALTER TABLE competitions_deal ENABLE TRIGGER USER"
            )


FIRST_FILL = "id = (SELECT id FROM competitions_fill WHERE rule = 'market' ORDER BY id LIMIT 1)"
FIRST_DEAL = "id = (SELECT id FROM competitions_deal WHERE direction = 'out' ORDER BY id LIMIT 1)"
FAULTS = [
    ("UPDATE competitions_entry SET cash_cents = cash_cents + 1 WHERE number = 1", "cash"),
    (f"UPDATE competitions_deal SET cash_after_cents = cash_after_cents + 1 WHERE {FIRST_DEAL}", "cash_chain"),
    ("UPDATE competitions_deal SET number = number + 100 WHERE number = 3", "cash_chain"),
    ("UPDATE competitions_entry SET cash_cents = -1 WHERE number = 4", "no_debt"),
    (f"UPDATE competitions_fill SET units = units + 1 WHERE {FIRST_FILL}", "positions"),
    ("UPDATE competitions_order SET units = 1 WHERE status = 'filled'", "orders"),
    ("UPDATE competitions_order SET status = 'cancelled' WHERE status = 'filled'", "orders"),
    (f"UPDATE competitions_fill SET price = price + 0.00001 WHERE {FIRST_FILL}", "fill_prices"),
    ("UPDATE competitions_fill SET ask = price + 1, bid = price WHERE rule = 'limit' AND side = 'buy'", "fill_prices"),
    (
        f"UPDATE competitions_fill SET quote_received_at = quote_received_at - interval '1 h' WHERE {FIRST_FILL}",
        "fill_times",
    ),
    ("UPDATE competitions_entry SET fills_count = fills_count + 1 WHERE number = 2", "fill_counts"),
    (f"UPDATE competitions_deal SET fee_cents = fee_cents + 1 WHERE {FIRST_DEAL}", "deals_of_fills"),
    ("UPDATE competitions_trade SET pnl_cents = pnl_cents + 1", "trades"),
    ("UPDATE competitions_trade SET closed_at = NULL", "open_trades"),
    ("UPDATE competitions_position SET units = 1000", "nothing_open"),
    ("UPDATE competitions_order SET status = 'working'", "nothing_open"),
    ("UPDATE competitions_entry SET number = 9 WHERE number = 4", "entry_numbers"),
    ("UPDATE competitions_competition SET max_entries = 3", "entry_numbers"),
    ("UPDATE competitions_entry SET final_equity_cents = final_equity_cents + 1 WHERE number = 4", "frozen"),
    ("UPDATE competitions_entry SET final_equity_cents = NULL WHERE number = 4", "frozen"),
    ("UPDATE competitions_entry SET rank = 2 WHERE rank = 1", "ranks"),
    ("UPDATE competitions_entry SET rank = 4 WHERE number = 4", "ranks"),
    ("UPDATE competitions_payout SET amount_cents = amount_cents + 1 WHERE place = 1", "prizes"),
    ("DELETE FROM competitions_payout WHERE place = 2", "prizes"),
    ("UPDATE competitions_payout SET place = place + 1", "prizes"),
    ("UPDATE competitions_payout SET amount_tokens = 1 WHERE place = 1", "prizes"),
    ("UPDATE competitions_buyin SET amount_cents = amount_cents - 1", "buy_ins"),
    ("UPDATE competitions_buyin SET status = 'returned'", "buy_ins"),
    ("UPDATE competitions_entry SET status = 'withdrawn' WHERE number = 1", "buy_ins"),
    ("UPDATE competitions_buyin SET amount_cents = 0, amount_tokens = 5, payment_id = NULL", "pot"),
]


def test_each_check_finds_its_fault(played):
    found = {}
    for fault, name in FAULTS:
        with _unguarded(), connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(fault)
            assert cursor.rowcount
            found[fault] = name in _broken_inside(cursor)
            cursor.execute("ROLLBACK")
    assert [fault for fault, seen in found.items() if not seen] == []
    assert {name for _, name in FAULTS} == {check.name for check in CHECKS}


def _broken_inside(cursor) -> set[str]:
    broken = set()
    for check in CHECKS:
        cursor.execute(check.sql)
        if cursor.fetchone():
            broken.add(check.name)
    return broken


def test_the_command_says_what_holds_and_fails_when_something_does_not(played):
    said = StringIO()
    call_command("check_invariants", "--json", stdout=said)
    report = json.loads(said.getvalue())
    assert report["ok"]
    assert {check["name"] for check in report["checks"]} >= {check.name for check in CHECKS}
    Entry.objects.filter(number=1).update(cash_cents=1)
    said = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("check_invariants", stdout=said)
    assert failed.value.returncode == 1
    assert "BROKEN (1)" in said.getvalue()
    assert '"cash_cents": 1' in said.getvalue()


def test_what_beat_finds_reaches_the_operators(played, caplog):
    from tradingarena.tasks import check_invariants

    assert check_invariants() == 0
    Entry.objects.filter(number=1).update(rank=7)
    assert check_invariants() >= 1
    assert "invariant_broken" in caplog.text
    supervise()
    note = Lease.objects.get(name="beat").note
    assert note["violations"] >= 1
    assert "ranks" in note["broken"]
