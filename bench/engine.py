"""What a quote costs the engine: triggers and everybody's marks, against a plain loop over dictionaries in the same run.

    python -m bench.engine [--entrants 1000 10000 100000]

Every entrant holds five positions of eight pairs, each with a stop-loss and a take-profit, under a drawdown rule from the highest
equity. The loop does the same work position by position: profit, protection, equity, highest equity, drawdown.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.report import machine, prepare_django, say, table, verdict

MIDS = {
    "EUR/USD": 108_500, "GBP/USD": 127_000, "USD/JPY": 150_000, "AUD/USD": 65_000,
    "USD/CAD": 136_000, "USD/CHF": 88_000, "EUR/GBP": 85_400, "EUR/JPY": 162_700,
}  # fmt: skip
START_CENTS = 10_000_000
LIMIT_BPS = 2_000
POSITIONS = 5
ENGINE_QUOTES = 20_000
LOOP_POSITIONS = 2_000_000  # how many the loop looks at in all
REPEATS = 3
TARGET_US, TARGET_RATIO, TARGET_MB = 60.0, 100.0, 300.0


def quotes(count: int) -> list[tuple[str, int, int]]:
    """Draw a market: eight pairs, small steps, spreads of 8 to 11 points."""
    dice = random.Random(2)
    mid = dict(MIDS)
    found = []
    for _ in range(count):
        pair = dice.choice(tuple(MIDS))
        mid[pair] += dice.randrange(-6, 7)
        found.append((pair, mid[pair], mid[pair] + 8 + dice.randrange(4)))
    return found


def positions(entrants: int) -> list[tuple[int, str, int, int, int, int]]:
    """Draw what everybody holds: (entrant, pair, units, cost, stop-loss, take-profit)."""
    dice = random.Random(1)
    found = []
    for entrant in range(entrants):
        for pair in dice.sample(tuple(MIDS), POSITIONS):
            units = dice.choice((-1, 1)) * dice.randrange(1, 6) * 1_000
            sign, mid = (1 if units > 0 else -1), MIDS[pair]
            found.append(
                (
                    entrant,
                    pair,
                    units,
                    units * (mid + dice.randrange(-100, 100)),
                    mid - 2_000 * sign,
                    mid + 2_000 * sign,
                )
            )
    return found


# -- the engine, with everything a process that runs it holds ---------------------------------------------------------------


def desk(entrants: int) -> Any:
    """Make a desk as it stands after loading, people and open trades included, without a database."""
    from datetime import UTC, datetime

    from accounts.models import User
    from competitions.engine.decisions import Account, Holding
    from competitions.engine.quotes import Quote
    from competitions.models import Competition, Entry
    from competitions.services.desk import Desk
    from competitions.services.journal import TradeRow
    from tradingarena.core.leases import Held

    now = datetime(2026, 3, 2, tzinfo=UTC)
    competition = Competition(
        pairs=list(MIDS),
        starts_at=now,
        ends_at=now.replace(year=2099),
        drawdown_rule="peak",
        drawdown_limit_bps=LIMIT_BPS,
    )
    made = Desk(competition, Held("bench", "bench", 1))
    made.book.seed(Quote(place, pair, mid, mid + 10, 1, 1) for place, (pair, mid) in enumerate(MIDS.items(), start=1))
    for number in range(1, entrants + 1):
        user = User(email=f"{number}@example.com", username=f"trader{number}", country="DE")
        entry = Entry(competition=competition, user=user, number=number, cash_cents=START_CENTS)
        account = Account(number, START_CENTS)
        made.places[entry.pk] = made.book.add_account(
            account, peak_cents=START_CENTS, drawdown_bps=0, day_start_cents=START_CENTS
        )
        made.entries.append(entry)
    for seq, (place, pair, units, cost, stop_loss, take_profit) in enumerate(positions(entrants)):
        made.book.restore(Holding(place, pair, units, cost, stop_loss, take_profit, seq))
        entry = made.entries[place]
        made.recorder.open_trades[place, pair] = TradeRow(
            UUID(int=seq + 1), entry.pk, pair, "buy" if units > 0 else "sell", now, None, abs(units), abs(cost)
        )
    made.book.loaded()
    return made


def engine(entrants: int) -> tuple[float, int, float]:
    """Give (microseconds a quote, checksum of all equities, resident MB) for the engine."""
    from competitions.engine.quotes import Quote

    made = desk(entrants)
    drawn = [
        Quote(100 + at, pair, bid, ask, 1_000 + at * 10, 1_000 + at * 10)
        for at, (pair, bid, ask) in enumerate(quotes(ENGINE_QUOTES))
    ]
    warm = drawn[:1_000]
    for quote in warm:
        made.feed(quote)
    best = float("inf")
    part = (len(drawn) - len(warm)) // REPEATS
    for repeat in range(REPEATS):
        begin = len(warm) + repeat * part
        began = time.process_time()
        for quote in drawn[begin : begin + part]:
            made.feed(quote)
        best = min(best, (time.process_time() - began) / part)
    return best * 1e6, int(made.book.marks.equity[:entrants].sum()), _resident_mb()


def _resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


# -- the reference -----------------------------------------------------------------------------------------------------------


def loop(entrants: int) -> float:
    """Give microseconds a quote for a plain loop over dictionaries."""
    people = [
        {"equity": START_CENTS * 1_000, "peak": START_CENTS * 1_000, "drawdown": 0, "out": False}
        for _ in range(entrants)
    ]
    by_pair: dict[str, list[dict[str, Any]]] = {pair: [] for pair in MIDS}
    for entrant, pair, units, cost, stop_loss, take_profit in positions(entrants):
        by_pair[pair].append(
            {
                "who": people[entrant],
                "units": units,
                "cost": cost,
                "stop": stop_loss,
                "target": take_profit,
                "profit": 0,
            }
        )
    mid2 = {pair: 2 * mid for pair, mid in MIDS.items()}
    count = max(3, LOOP_POSITIONS // (entrants * POSITIONS // len(MIDS)))
    best = float("inf")
    drawn = quotes(count * REPEATS)
    for repeat in range(REPEATS):
        began = time.process_time()
        for pair, bid, ask in drawn[repeat * count : (repeat + 1) * count]:
            mid2[pair] = bid + ask
            _loop_quote(by_pair[pair], bid, ask, *_rate(pair, mid2))
        best = min(best, (time.process_time() - began) / count)
    return best * 1e6


def _rate(pair: str, mid2: dict[str, int]) -> tuple[int, int]:
    """Give (multiplier, divisor) from points of the quote currency to 1/100,000 dollar."""
    match pair[4:]:
        case "USD":
            return 1, 1
        case "GBP":
            return mid2["GBP/USD"], 200_000
        case "JPY":
            return 200_000, mid2["USD/JPY"]
        case currency:
            return 200_000, mid2[f"USD/{currency}"]


def _loop_quote(held: list[dict[str, Any]], bid: int, ask: int, multiplier: int, divisor: int) -> None:
    for position in held:
        units = position["units"]
        price = bid if units > 0 else ask
        profit = (units * price - position["cost"]) * multiplier // divisor
        who = position["who"]
        equity = who["equity"] = who["equity"] + profit - position["profit"]
        position["profit"] = profit
        if units > 0:
            hit = price <= position["stop"] or price >= position["target"]
        else:
            hit = price >= position["stop"] or price <= position["target"]
        if equity > who["peak"]:
            who["peak"] = equity
        else:
            fall = (who["peak"] - equity) * 10_000 // who["peak"]
            if fall > who["drawdown"]:
                who["drawdown"] = fall
            if fall >= LIMIT_BPS:
                who["out"] = True
        if hit:
            position["hit"] = True


# -- both --------------------------------------------------------------------------------------------------------------------


def child(way: str, entrants: int) -> dict[str, float]:
    """Measure in a process of its own, so that nothing is left over from another size."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.engine", "--child", way, str(entrants)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure every size both ways and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entrants", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--child", nargs=2, metavar=("WAY", "ENTRANTS"))
    options = parser.parse_args()
    if options.child:
        way, entrants = options.child[0], int(options.child[1])
        if way == "engine":
            prepare_django()
            us, checksum, mb = engine(entrants)
            say(json.dumps({"us": us, "checksum": checksum, "mb": mb}))
        else:
            say(json.dumps({"us": loop(entrants)}))
        return
    say(
        f"{POSITIONS} positions each in {len(MIDS)} pairs, stop-loss and take-profit on all, best of {REPEATS}; {machine()}"
    )
    rows, of_size = [], {}
    for entrants in options.entrants:
        ours, plain = child("engine", entrants), child("loop", entrants)
        of_size[entrants] = ours["us"], plain["us"] / ours["us"], ours["mb"]
        rows.append(
            (
                f"{entrants:,}",
                f"{ours['us']:,.1f}",
                f"{plain['us']:,.0f}",
                f"{plain['us'] / ours['us']:,.0f}×",
                f"{ours['mb']:,.0f}",
            )
        )
    table(("entrants", "engine µs/quote", "loop µs/quote", "ratio", "process MB"), rows)
    if 10_000 in of_size:
        us, ratio, mb = of_size[10_000]
        say(verdict("µs per quote at 10,000", us, TARGET_US, at_least=False))
        say(verdict("ratio to the loop at 10,000", ratio, TARGET_RATIO, at_least=True))
        say(verdict("MB of the engine's process at 10,000", mb, TARGET_MB, at_least=False))
    say(machine())


if __name__ == "__main__":
    main()
