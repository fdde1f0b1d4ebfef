"""What moving value costs: transfers, the delivery of a purchase, and a settlement in one go, on a durable server.

    python -m bench.ledger [--transfers 3000] [--payouts 100000]

Transfers go through `tokens.ledger` in a transaction each, from four processes, spread over many wallets and all on one. A delivery is what
happens when a payment has arrived, without the provider's network. Their reference is `pgbench -N` with four clients; a batch's is the
same rows written again by a plain `INSERT … SELECT` into tables of the same shape, without triggers.
"""

import argparse
import os
import subprocess
import sys
import time
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from bench.report import ROOT, machine, own_services, pgbench, prepare_django, say, table, together, verdict

CLIENTS, REPEATS, WALLETS = 4, 3, 500
MODES = ("transfers, many wallets", "transfers, one wallet", "deliveries of purchases")
TARGETS = {MODES[0]: 0.35, MODES[1]: 0.25}
BATCH_TARGET = 4.0


def child(mode: str, count: int, place: int) -> None:
    """Be one client."""
    prepare_django()
    work = {MODES[0]: _spread, MODES[1]: _hot, MODES[2]: _deliver}[mode](count, place)
    for _ in range(REPEATS):
        jobs = work()
        say("ready")
        sys.stdin.readline()
        began, cpu = time.time(), time.process_time()
        for job in jobs:
            job()
        say(f"[{began}, {time.time()}, {time.process_time() - cpu}]")


def _wallets(first: int, many: int) -> list[UUID]:
    from django.db import transaction

    from tokens import ledger
    from tokens.ledger import House, Kind

    users = [UUID(int=first + number) for number in range(many)]
    for user in users:
        with transaction.atomic():
            gift = {"source": ledger.house(House.PROMOTIONS), "target": ledger.wallet(user), "reason": "A gift"}
            ledger.move(Kind.REWARD, UUID(int=user.int + 2**100), 10**12, **gift)
    return users


def _bets(users: list[UUID], count: int) -> Any:
    from django.db import transaction

    from tokens import ledger
    from tokens.ledger import Kind

    pool = ledger.escrow(UUID(int=7), "bets")

    def bet(user: UUID) -> None:
        with transaction.atomic():
            ledger.move(Kind.BET, uuid4(), 1, source=ledger.wallet(user), target=pool, reason="A bet on somebody")

    for number in range(100):
        bet(users[number % len(users)])
    return lambda: [partial(bet, users[number % len(users)]) for number in range(count)]


def _spread(count: int, place: int) -> Any:
    return _bets(_wallets(1 + place * WALLETS, WALLETS), count)


def _hot(count: int, place: int) -> Any:
    return _bets(_wallets(1, 1), count)


def _deliver(count: int, place: int) -> Any:
    from datetime import UTC, datetime

    from django.db import transaction

    from accounts.models import User
    from tokens.models import Payment
    from tokens.payments.gateway import Session
    from tokens.services import payments
    from tradingarena.core.locks import lock_row

    tag = f"p{place}-{time.time_ns() % 10**9}"
    users = [
        User(email=f"{n}@{tag}.example", username=f"u{n}-{tag}"[:20], username_skeleton=f"u{n}-{tag}"[:20])
        for n in range(200)
    ]
    User.objects.bulk_create(users)

    def paid(payment: Payment) -> Session:
        metadata = {"user_id": str(payment.user_id)}
        return Session(
            str(payment.session_id), "payment", "complete", "paid", payment.amount_cents, "usd", str(payment.pk), metadata,
            f"pi_{payment.session_id}", "succeeded", "", datetime.now(UTC), False,
        )  # fmt: skip

    def deliver(payment: Payment, session: Session) -> None:
        with transaction.atomic():
            payments._apply_session(lock_row(Payment, payment.pk), session, livemode=False)

    def jobs() -> Any:
        values = {
            "purpose": "tokens",
            "reference_id": "x",
            "description": "1,000 tokens",
            "amount_cents": 1_000,
            "tokens": 1_000,
        }
        rows = [
            Payment(
                user=users[n % 200],
                status="open",
                session_id=f"cs_{uuid4().hex}",
                site_url="http://x",
                bonus_tokens=100,
                **values,
            )
            for n in range(count)
        ]
        Payment.objects.bulk_create(rows, batch_size=1_000)
        return [partial(deliver, row, paid(row)) for row in rows]

    return jobs


def rate(mode: str, count: int) -> tuple[float, float]:
    """Give (a second, CPU microseconds of a client each), the best of some runs."""
    best = (0.0, 0.0)
    for told in together([sys.executable, "-m", "bench.ledger", "--child", mode, str(count)], CLIENTS, repeats=REPEATS):
        took = max(ended for _, ended, _ in told) - min(began for began, _, _ in told)
        best = max(best, (CLIENTS * count / took, sum(used for _, _, used in told) / (CLIENTS * count) * 1e6))
    return best


def batch(payouts: int) -> tuple[float, float]:
    """Pay out to as many wallets in one go; give (seconds, seconds of the plain INSERT … SELECT of the same rows)."""
    from django.db import connection, transaction

    from tokens import ledger
    from tokens.ledger import House, Kind, Move, Posting

    pool = ledger.escrow(uuid4(), "bets")
    users = [uuid4() for _ in range(payouts)]
    with transaction.atomic():
        funds = {"source": ledger.house(House.PROMOTIONS), "target": pool, "reason": "Funds"}
        ledger.move(Kind.REWARD, uuid4(), payouts * 10, **funds)
        gifts = [
            Posting(uuid4(), [Move(ledger.house(House.PROMOTIONS), -1), Move(ledger.wallet(user), 1)], "Gift")
            for user in users
        ]
        ledger.transfer_many(Kind.REWARD, gifts)
    postings = [Posting(uuid4(), [Move(pool, -10), Move(ledger.wallet(user), 10)], "Won", "bet") for user in users]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE tokens_account, tokens_transfer, tokens_leg")
        began = time.perf_counter()
        with transaction.atomic():
            ledger.transfer_many(Kind.PAYOUT, postings, reference_type="market")
        took = time.perf_counter() - began
        for name in ("transfer", "leg"):
            shape = f"LIKE tokens_{name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES"
            cursor.execute(f"CREATE TABLE plain_{name} ({shape})")
        paid = "SELECT id FROM tokens_transfer WHERE kind = 'payout'"
        began = time.perf_counter()
        with transaction.atomic():
            cursor.execute(f"INSERT INTO plain_transfer SELECT * FROM tokens_transfer WHERE id IN ({paid})")
            cursor.execute(f"INSERT INTO plain_leg SELECT * FROM tokens_leg WHERE transfer_id IN ({paid})")
        plain = time.perf_counter() - began
        cursor.execute("DROP TABLE plain_leg, plain_transfer")
    return took, plain


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transfers", type=int, default=3_000, help="of one client in one run")
    parser.add_argument("--payouts", type=int, default=100_000, help="of one batch")
    parser.add_argument("--child", nargs=3, metavar=("MODE", "COUNT", "PLACE"))
    options = parser.parse_args()
    if options.child:
        mode, count, place = options.child
        child(mode, int(count), int(place))
        return
    say(machine())
    with own_services() as environment:
        reference = pgbench(environment["DATABASE_URL"], clients=CLIENTS)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, cwd=ROOT)
        counts = {MODES[2]: max(1, options.transfers // 3)}
        measured = {mode: rate(mode, counts.get(mode, options.transfers)) for mode in MODES}
        prepare_django()
        took, plain = batch(options.payouts)
    rows = [(f"pgbench -N, {CLIENTS} clients", f"{reference:,.0f}", "1.00×", "")]
    rows += [
        (mode, f"{found:,.0f}", f"{found / reference:.2f}×", f"{cpu:,.0f}") for mode, (found, cpu) in measured.items()
    ]
    table(("", "a second", "ratio", "client CPU µs each"), rows)
    say()
    table(
        (f"{options.payouts:,} payouts at once", "seconds", "ratio"),
        [
            ("plain INSERT … SELECT of the same rows", f"{plain:.2f}", "1.00×"),
            ("transfer_many", f"{took:.2f}", f"{took / plain:.2f}×"),
        ],
    )
    say()
    for mode, target in TARGETS.items():
        say(verdict(f"{mode} per pgbench transaction", measured[mode][0] / reference, target, at_least=True))
    say(verdict("a batch against the plain statement", took / plain, BATCH_TARGET, at_least=False))
    say(machine())


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"
    main()
