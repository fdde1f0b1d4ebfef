"""A bot to begin with: it enters the sandbox and follows the last minutes' direction. Change `decide`.

    python bot_template.py http://127.0.0.1:8000 arena_...          # Ctrl-C stops it

The account must be marked as a bot (Settings -> API tokens) and its token have the scopes read and trade.
"""

import contextlib
import sys
import time
from decimal import Decimal

from arena_client import Arena, Refused

PAIR, UNITS = "EUR/USD", 10_000
LOOK_EVERY_S = 2.0
MEMORY = 30  # looks


def decide(mids, held):
    """Say what to hold: 1 long, -1 short, 0 nothing. `mids` are the last prices, the newest last; `held` is what one holds."""
    if len(mids) < 5:
        return held
    return 1 if mids[-1] > sum(mids) / len(mids) else -1


def step(arena, contest_id, mids):
    """Look once, and act when what is wanted is not what is held. Gives what is held afterwards."""
    quote = arena.quotes().get(PAIR)
    if quote is None or quote.get("stale"):
        return None
    mids.append((Decimal(quote["bid"]) + Decimal(quote["ask"])) / 2)
    del mids[:-MEMORY]
    position = next((row for row in arena.own(contest_id)["positions"] if row["pair"] == PAIR), None)
    held = 0 if position is None else (1 if position["side"] == "long" else -1)
    wanted = decide(mids, held)
    if wanted == held:
        return held
    if position is not None:
        arena.close(contest_id, position["position_id"])
    if wanted:
        arena.order(contest_id, PAIR, "buy" if wanted > 0 else "sell", UNITS)
    return wanted


def run(arena, looks=None):
    """Trade in the sandbox until it ends, or for a number of looks."""
    contest = arena.sandbox()
    if contest is None:
        raise SystemExit("There is no contest for bots alone right now.")
    arena.join(contest["id"])
    print(f"{arena.me()['username']} is in {contest['title']}")
    mids, done = [], 0
    while looks is None or done < looks:
        try:
            step(arena, contest["id"], mids)
        except Refused as no:
            print(no)
            if no.code in {"competition_not_open", "competition_not_running", "entry_not_active"}:
                break
        done += 1
        time.sleep(LOOK_EVERY_S if arena.left is None or arena.left > 50 else 4 * LOOK_EVERY_S)
    return contest


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    with contextlib.suppress(KeyboardInterrupt):
        run(Arena(sys.argv[1], sys.argv[2]))
