"""What bets cost: placing them through the service layer and over HTTP, and settling a hundred thousand of them.

    python -m bench.betting [--bets 1500] [--settled 100000] [--seconds 20]

Bets are placed by four processes, each bet in its own transaction with all that is judged and the stake in escrow, spread over many
markets and all on one. Their reference is `pgbench -N`, four clients. A settlement's reference is the same rows, of transfers, legs and
results, written again by a plain `INSERT … SELECT` into tables of the same shape, without triggers. Over HTTP, clients send at a fixed rate
to a real web process; an answer's time counts from the moment when its bet was due.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from bench.orders import free_port, running
from bench.report import ROOT, machine, own_services, percentile, pgbench, prepare_django, say, table, together, verdict

CLIENTS, REPEATS, PEOPLE, TRADERS = 4, 3, 400, 50
MODES = ("bets, 50 markets", "bets, one market")
TARGETS = {MODES[0]: 0.35, MODES[1]: 0.25}
SETTLED_TARGET, SETTLED_WITHIN_S, HTTP_TARGET_MS = 4.0, 10.0, 80.0
NO_LIMITS = {"BETS_PER_MINUTE": "1000000", "BETS_PER_HOUR": "1000000"}
RATE, HTTP_CLIENTS = 50, 10


def people(many: int, *, tokens: int) -> list[Any]:
    """Make people who may bet, with tokens."""
    from allauth.account.models import EmailAddress
    from django.conf import settings
    from django.db import connection, transaction
    from django.utils import timezone

    from accounts.models import User
    from tokens import ledger
    from tokens.ledger import House, Kind, Move, Posting

    tag, now = uuid4().hex[:8], timezone.now()
    users = [
        User(
            email=f"{n}@{tag}.example", username=f"b{n}-{tag}"[:20], username_skeleton=f"b{n}-{tag}"[:20],
            age_confirmed_at=now, terms_version=settings.TERMS_VERSION, terms_accepted_at=now,
        )
        for n in range(many)
    ]  # fmt: skip
    User.objects.bulk_create(users, batch_size=5_000)
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in users], batch_size=5_000
    )
    bank = ledger.house(House.PROMOTIONS)
    gifts = [Posting(uuid4(), [Move(bank, -tokens), Move(ledger.wallet(one.pk), tokens)], "A gift") for one in users]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '120s'")
        ledger.transfer_many(Kind.REWARD, gifts)
    return users


def markets(traders: int) -> list[UUID]:
    """Make a contest to come with a market on each of its traders."""
    from datetime import timedelta

    from django.utils import timezone

    from arena.services.listings import listing_make
    from betting.services.markets import markets_open
    from competitions.models import Competition, Entry

    start = timezone.now() + timedelta(hours=2)
    contest = Competition.objects.create(
        slug=f"bench-{uuid4().hex[:10]}", title="Bench", pairs=["EUR/USD"], status="open", starts_at=start,
        ends_at=start + timedelta(hours=1),
    )  # fmt: skip
    listing_make(None, contest.pk, max_stake_tokens=2_000_000_000)
    cents = contest.starting_balance_cents
    same = {"cash_cents": cents, "max_equity_cents": cents, "day_start_equity_cents": cents, "last_equity_cents": cents}
    Entry.objects.bulk_create(
        Entry(competition=contest, user=user, number=place, **same)
        for place, user in enumerate(people(traders, tokens=1), 1)
    )
    return [market.pk for market in markets_open(contest.pk)]


# -- placing -------------------------------------------------------------------------------------------------------------


def child(mode: str, count: int, place: int, market_ids: list[UUID]) -> None:
    """Be one client."""
    prepare_django()
    from betting.services.bets import bet_place

    mine = people(PEOPLE // CLIENTS, tokens=10**9)
    on = market_ids if mode == MODES[0] else market_ids[:1]

    def bet(number: int) -> None:
        bet_place(
            mine[number % len(mine)],
            id=uuid4(),
            market_id=on[(number + place) % len(on)],
            outcome=("positive", "negative", "beat_5_pct", "miss_5_pct")[number % 4],
            stake_tokens=10,
        )

    for number in range(50):
        bet(number)
    for _ in range(REPEATS):
        jobs = [partial(bet, number) for number in range(count)]
        say("ready")
        sys.stdin.readline()
        began, cpu = time.time(), time.process_time()
        for job in jobs:
            job()
        say(f"[{began}, {time.time()}, {time.process_time() - cpu}]")


def rate(mode: str, count: int, market_ids: list[UUID]) -> tuple[float, float]:
    """Give (bets a second, CPU microseconds of a client each), the best of some runs."""
    named = ",".join(map(str, market_ids))
    command = [sys.executable, "-m", "bench.betting", "--markets", named, "--child", mode, str(count)]
    best = (0.0, 0.0)
    for told in together(command, CLIENTS, repeats=REPEATS):
        took = max(ended for _, ended, _ in told) - min(began for began, _, _ in told)
        best = max(best, (CLIENTS * count / took, sum(used for _, _, used in told) / (CLIENTS * count) * 1e6))
    return best


# -- settling ------------------------------------------------------------------------------------------------------------


def settle(traders: int, each: int) -> tuple[float, float]:
    """Settle markets with so many bets each; give (seconds, seconds of the plain statement of the same rows)."""
    from django.db import connection, transaction

    from betting.models import Market
    from betting.services.settlement import market_settle
    from competitions.models import Competition, Entry

    market_ids = markets(traders)
    fill(market_ids, each)
    contest = Market.objects.get(pk=market_ids[0]).competition_id
    Entry.objects.filter(competition=contest).update(final_equity_cents=10_300_000, fills_count=1)
    Competition.objects.filter(pk=contest).update(status="completed")
    Market.objects.filter(competition=contest).update(status="settling")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        began = time.perf_counter()
        closed = sum(market_settle(pk) for pk in market_ids)
        took = time.perf_counter() - began
        assert closed == traders
        for name in ("tokens_transfer", "tokens_leg", "betting_result"):
            shape = f"LIKE {name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES"
            cursor.execute(f"CREATE TABLE plain_{name} ({shape})")
        paid = "SELECT id FROM tokens_transfer WHERE reference_id = ANY(%s) AND kind <> 'bet'"
        settled = "SELECT bet_id FROM betting_result AS r JOIN betting_bet AS b ON b.id = r.bet_id WHERE b.market_id = ANY(%s)"
        ids = [[str(pk) for pk in market_ids]]
        cursor.execute("SET statement_timeout = '120s'")
        began = time.perf_counter()
        with transaction.atomic():
            cursor.execute(f"INSERT INTO plain_tokens_transfer SELECT * FROM tokens_transfer WHERE id IN ({paid})", ids)
            cursor.execute(f"INSERT INTO plain_tokens_leg SELECT * FROM tokens_leg WHERE transfer_id IN ({paid})", ids)
            cursor.execute(
                f"INSERT INTO plain_betting_result SELECT * FROM betting_result WHERE bet_id IN ({settled})",
                [market_ids],
            )
        plain = time.perf_counter() - began
        cursor.execute("DROP TABLE plain_tokens_transfer, plain_tokens_leg, plain_betting_result")
    return took, plain


def fill(market_ids: list[UUID], each: int) -> None:
    """Write so many bets into each market, a quarter on each of four claims, with their stakes in escrow."""
    from django.db import connection, transaction
    from django.utils import timezone

    from betting.models import Line
    from betting.services.bets import pot
    from tokens import ledger
    from tokens.ledger import Kind, Move, Posting

    backers = people(each, tokens=10 * len(market_ids))
    now = timezone.now()
    for market_id in market_ids:
        lines = list(Line.objects.filter(market=market_id, threshold_bps__in=[0, 500]).values_list("pk", flat=True))
        bets = [(uuid4(), one.pk, number) for number, one in enumerate(backers)]
        postings = [
            Posting(uuid4(), [Move(ledger.wallet(user), -10), Move(pot(market_id), 10)], "A bet", str(market_id))
            for _, user, _ in bets
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '120s'")
            ledger.transfer_many(Kind.BET, postings, reference_type="market")
            cursor.execute(
                "INSERT INTO betting_bet (id, market_id, line_id, user_id, side, stake_tokens, weight_bps, placed_at)"
                " SELECT b.id, %s, b.line, b.usr, b.side, 10, b.weight, %s"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::int[]) AS b (id, line, usr, side, weight)",
                [
                    market_id, now, [bet for bet, _, _ in bets], [lines[n % 2] for _, _, n in bets],
                    [user for _, user, _ in bets], ["above" if n // 2 % 2 else "below" for _, _, n in bets],
                    [5_000 + n % 5_001 for _, _, n in bets],
                ],
            )  # fmt: skip


# -- over HTTP -----------------------------------------------------------------------------------------------------------


def over_http(seconds: int, market_ids: list[UUID]) -> list[float]:
    """Place bets over HTTP at a fixed rate; give how long each took from when it was due, in milliseconds, sorted."""
    from accounts.rules import roles
    from accounts.services import tokens

    port = free_port()
    bettors = people(HTTP_CLIENTS, tokens=10**6)
    secrets = [tokens.token_create(one.pk, name="bench", scopes=roles.SCOPES, by_operator=True)[1] for one in bettors]
    took: list[float] = []
    with running([["-m", "tradingarena.web", "--port", str(port)]]):
        _wait(port)
        began = time.monotonic() + 2.0
        clients = [
            threading.Thread(target=_client, args=(place, secret, port, began, seconds, market_ids, took))
            for place, secret in enumerate(secrets)
        ]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert len(took) == RATE * seconds, f"{len(took)} of {RATE * seconds} bets were taken"
    return sorted(took)


def _client(place: int, secret: str, port: int, began: float, seconds: int, on: list[UUID], took: list[float]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    for number in range(RATE * seconds // HTTP_CLIENTS):
        due = began + (number * HTTP_CLIENTS + place) / RATE
        time.sleep(max(0.0, due - time.monotonic()))
        market = str(on[(number * HTTP_CLIENTS + place) % len(on)])
        bet = {"id": str(uuid4()), "market_id": market, "outcome": "positive", "stake_tokens": 10}
        line.request("POST", "/api/betting/bets", json.dumps(bet), headers)
        answer = line.getresponse()
        answer.read()
        if answer.status == 201:
            took.append((time.monotonic() - due) * 1_000)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            line.request("GET", "/healthz")
            if line.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        assert time.monotonic() < deadline, "the web server did not start"


def main() -> None:
    """Measure and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bets", type=int, default=1_500, help="of one client in one run")
    parser.add_argument("--settled", type=int, default=100_000, help="bets of one settlement")
    parser.add_argument("--seconds", type=int, default=20, help="of placing over HTTP")
    parser.add_argument("--markets", default="")
    parser.add_argument("--child", nargs=3, metavar=("MODE", "COUNT", "PLACE"))
    options = parser.parse_args()
    os.environ |= NO_LIMITS
    if options.child:
        mode, count, place = options.child
        child(mode, int(count), int(place), [UUID(one) for one in options.markets.split(",")])
        return
    say(machine())
    with own_services() as environment:
        reference = pgbench(environment["DATABASE_URL"], clients=CLIENTS)
        subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], check=True, cwd=ROOT)
        prepare_django()
        found = markets(TRADERS)
        measured = {mode: rate(mode, options.bets, found) for mode in MODES}
        http_ms = over_http(options.seconds, found)
        one = settle(1, options.settled)
        many = settle(TRADERS, options.settled // TRADERS)
    rows = [(f"pgbench -N, {CLIENTS} clients", f"{reference:,.0f}", "1.00×", "")]
    rows += [(mode, f"{a:,.0f}", f"{a / reference:.2f}×", f"{cpu:,.0f}") for mode, (a, cpu) in measured.items()]
    table(("", "a second", "ratio", "client CPU µs each"), rows)
    say()
    p50, p95, p99 = (percentile(http_ms, share) for share in (0.5, 0.95, 0.99))
    say(f"POST /api/betting/bets, {RATE} a second: p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms")
    say()
    settled = {f"{options.settled:,} bets, one market": one, f"the same in {TRADERS} markets": many}
    table(
        ("settlement", "seconds", "plain INSERT … SELECT", "ratio"),
        [(name, f"{took:.2f}", f"{plain:.2f}", f"{took / plain:.2f}×") for name, (took, plain) in settled.items()],
    )
    say()
    for mode, target in TARGETS.items():
        say(verdict(f"{mode}, per pgbench transaction", measured[mode][0] / reference, target, at_least=True))
    say(verdict("HTTP p95 in ms", p95, HTTP_TARGET_MS, at_least=False))
    say(verdict("one market's settlement against the plain statement", one[0] / one[1], SETTLED_TARGET, at_least=False))
    say(verdict("its seconds", one[0], SETTLED_WITHIN_S, at_least=False))
    say(machine())


if __name__ == "__main__":
    os.environ["PYTHONUTF8"] = "1"
    main()
