"""What a leaderboard costs at a million ledger rows: reading a page of it, one's own place, and keeping it in step.

    python -m bench.leaderboards [--legs 1000000] [--people 20000]

The reference is a plain read by an index in the same run: a hundred lines of a statement, newest first, with their transfers.
Beside it stands what the board would cost if it were counted from the ledger each time it is looked at.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from bench.report import ROOT, machine, own_services, percentile, prepare_django, say, table, verdict

ROUNDS = 60
TARGET_MS, TARGET_RATIO = 50.0, 10.0
# People, wallets and legs as the ledger would leave them, made by the database itself, without real digests: reading is measured.
FILL = (
    """
    INSERT INTO accounts_user (id, password, email, username, username_skeleton, role, country, timezone, case_change_used,
        terms_version, is_bot, is_active, date_joined)
    SELECT md5('person' || n)::uuid, '!', 'p' || n || '@example.com', 'person' || n, 'person' || n, 'user', '', 'UTC', false, '', false,
        true, now() FROM generate_series(1, %(people)s) AS n
    """,
    """
    CREATE UNLOGGED TABLE made AS SELECT n, md5('transfer' || n)::uuid AS id, 1 + n %% %(people)s AS person,
        1 + (n * 7919::bigint) %% 97 AS amount, now() - (n %% 400) * interval '1 day' AS at,
        (ARRAY['reward', 'payout', 'bet', 'bet'])[1 + (n / %(people)s) %% 4] AS kind
    FROM generate_series(1, %(transfers)s) AS n
    """,
    """
    INSERT INTO tokens_account (id, kind, owner_id, name, created_at, balance_tokens, legs_count, chain, debt_tokens,
        lifetime_earned_tokens, lifetime_spent_tokens, spent_on_day_tokens, frozen_reason)
    SELECT md5('wallet' || person)::uuid, 'wallet', md5('person' || person)::uuid, '', now(), 0, count(*), ''::bytea, 0, 0, 0, 0, ''
    FROM made GROUP BY person
    UNION ALL SELECT md5('house')::uuid, 'house', NULL, 'bench', now(), 0, 0, ''::bytea, 0, 0, 0, 0, ''
    """,
    """
    INSERT INTO tokens_transfer (id, kind, reason, reference_type, reference_id, digest, created_at)
    SELECT id, kind, 'bench', 'market', '', '', at FROM made
    """,
    """
    INSERT INTO tokens_leg (transfer_id, account_id, amount_tokens, number, balance_after_tokens, chain)
    SELECT id, md5('wallet' || person)::uuid, CASE kind WHEN 'bet' THEN -amount ELSE amount END,
        row_number() OVER (PARTITION BY person ORDER BY n), 0, ''::bytea FROM made
    UNION ALL SELECT id, md5('house')::uuid, CASE kind WHEN 'bet' THEN amount ELSE -amount END, NULL, NULL, NULL FROM made
    """,
)
STATEMENT = """
    SELECT leg.number, leg.amount_tokens, whole.kind, whole.reason, whole.created_at FROM tokens_leg AS leg
    JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id
    WHERE leg.account_id = %s AND leg.number IS NOT NULL ORDER BY leg.number DESC LIMIT 100
"""
RECOUNT = """
    SELECT account.owner_id, sum(leg.amount_tokens) AS score FROM tokens_leg AS leg
    JOIN tokens_account AS account ON account.id = leg.account_id AND account.kind = 'wallet'
    JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id
    WHERE leg.amount_tokens > 0 AND whole.kind IN ('reward', 'payout') GROUP BY account.owner_id ORDER BY score DESC LIMIT 100
"""


def fill(legs: int, people: int) -> None:
    """Write the rows."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        with transaction.atomic():
            for statement in FILL:
                cursor.execute(statement, {"people": people, "transfers": legs // 2})
        cursor.execute("DROP TABLE made")
        cursor.execute("VACUUM ANALYZE accounts_user, tokens_account, tokens_transfer, tokens_leg")


def timed(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Give the 95th of a hundred durations of a piece of work, in milliseconds."""
    work()
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1000)
    return percentile(found, 0.95)


def measure(legs: int, people: int) -> list[tuple[str, float]]:
    """Fill, count, and read; give what was read with its milliseconds, the reference first."""
    from django.db import connection

    from tokens.rules.economy import Period
    from tokens.selectors import boards as read
    from tokens.services import boards

    fill(legs, people)
    began = time.perf_counter()
    counted = boards.ledger_count()
    took = time.perf_counter() - began
    say(f"the boards caught up with {counted:,} legs of wallets in {took:.1f} s, {counted / took:,.0f} a second")
    somebody = UUID(_one("SELECT md5('person7')::uuid::text"))
    wallet = _one("SELECT md5('wallet7')::uuid::text")

    def ask(statement: str, *values: object) -> Callable[[], Any]:
        def asked() -> Any:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()

        return asked

    found = [("a hundred lines of a statement", timed(ask(STATEMENT, wallet)))]
    for period in Period:
        found.append((f"a hundred places, {period.value}", timed(lambda p=period: read.board_page("earned", p))))
    found.append(("places 901 to 1,000, all", timed(lambda: read.board_page("earned", Period.ALL, place=901))))
    found.append(
        (
            "a hundred places and one's own, all",
            timed(lambda: read.board_page("earned", Period.ALL, viewer_id=somebody)),
        )
    )
    found.append(("keeping in step: nothing new", timed(boards.ledger_count, rounds=20)))
    found.append(("counted from the ledger each time", timed(ask(RECOUNT), rounds=3)))
    return found


def _one(statement: str) -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--legs", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=20_000)
    options = parser.parse_args()
    say(machine())
    with own_services():
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, cwd=ROOT)
        prepare_django()
        found = measure(options.legs, options.people)
    reference = found[0][1]
    say()
    head = (f"{options.legs:,} ledger rows, {options.people:,} people", "p95 ms", "ratio")
    table(head, [(what, f"{ms:.2f}", f"{ms / reference:.2f}×") for what, ms in found])
    say()
    pages = [ms for what, ms in found if "place" in what]
    say(verdict("the slowest page, ms", max(pages), TARGET_MS, at_least=False))
    say(
        verdict(
            "the first page of all time against a plain read by an index",
            found[4][1] / reference,
            TARGET_RATIO,
            at_least=False,
        )
    )
    say(machine())


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"
    main()
