"""What a room costs: server CPU per delivered frame, age of frames and memory a socket, for the hub, for Channels' own group_send and
for socket.io 4 with its Redis adapter.

    python -m bench.fanout [--sockets 2000] [--seconds 10] [--only show]

Three loads, the same for every way. "show" is a busy session: a board of 20 rows and a quote, each ten times a second. "arena"
is four messages together once a second, "single" two messages a second, far apart; those are for the stock consumer, which "show" would
drown, at half the sockets. One server at a time, one process of clients, one publisher, one Redis; CPU is the server
process's own, read from itself before and after, less what the same sockets cost while nothing is published.

Needs Node.js and npm for socket.io; its packages go to bench/socketio/node_modules. Without them its rows are left out, loudly.
"""

import argparse
import asyncio
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench.fanout_server import ROOM
from bench.report import machine, own_services, prepare_django, say, table, verdict

SOCKETIO = Path(__file__).resolve().parent / "socketio"
IDLE_S = 4.0
WARM_UP = 20
ROWS = 20
PAIRS = ("EUR/USD", "GBP/USD", "USD/JPY", "AUD/USD", "USD/CHF")


class Publication(NamedTuple):
    """Something that is published again and again. `together` are sent as one; `latest` may be conflated."""

    type: str
    every_ms: int
    bytes: int
    together: int = 1
    latest: bool = False


LOADS = {
    "show": [Publication("leaderboard_update", 100, ROWS * 210), Publication("quote_update", 100, 130, latest=True)],
    "arena": [Publication("leaderboard_update", 1_000, 400, together=4)],
    "single": [Publication("leaderboard_update", 500, 400)],
}
WAYS = {
    "stock": "AsyncJsonWebsocketConsumer, group_send",
    "socketio": "socket.io 4, Redis adapter",
    "socketio+deflate": "socket.io 4, permessage-deflate",
    "plain": "hub, ASGI send",
    "prepared": "hub, prepared frames",
    "prepared+deflate": "hub, compressed once",
    "prepared+stopped": "hub, every 10th reader stopped",
}
RUNS = [
    *(
        ("show", way)
        for way in ("socketio", "plain", "prepared", "prepared+stopped", "socketio+deflate", "prepared+deflate")
    ),
    *(("arena", way) for way in ("stock", "plain", "prepared")),
    *(("single", way) for way in ("stock", "prepared")),
]
# (load, way, against, at most this share of its CPU)
TARGETS = [
    ("show", "prepared", "socketio", 0.5),
    ("show", "prepared+deflate", "socketio+deflate", 0.15),
    ("arena", "prepared", "stock", 0.05),
]
P99_MS, KB_PER_SOCKET = 150, 30


def message(one: Publication, number: int) -> dict[str, Any]:
    """Make a message of about its size that tells when it was sent."""
    return {"t": str(time.time_ns()), "n": number, "text": text_of(one)}


def text_of(one: Publication) -> str:
    """Make a text that is no easier to compress than a board."""
    rows = [
        f"{place * 7919 % 9973:04d}-trader-{place}:{place * 104_729 % 1_000_003}" for place in range(one.bytes // 20)
    ]
    return " ".join(rows)[: max(0, one.bytes - 100)]


async def publish(way: str, load: str, seconds: float) -> int:
    """Publish at a steady rate; give how many messages a reader should have got."""
    from channels.layers import get_channel_layer

    from tradingarena.core import realtime

    layer, began = get_channel_layer(), time.perf_counter()

    async def one_kind(one: Publication) -> int:
        number = 0
        while number * one.every_ms < seconds * 1000:
            wait_s = number * one.every_ms / 1000 - (time.perf_counter() - began)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            batch = [message(one, number) for _ in range(one.together)]
            if way == "stock":
                for data in batch:
                    frame = {"type": one.type, "room": ROOM, "seq": number, "ts": time.time_ns() // 10**6, "data": data}
                    await layer.group_send("bench", {"type": "room.message", "frame": frame})
            else:
                told = realtime.Latest if one.latest else realtime.Fact
                key = {"key": PAIRS[number % len(PAIRS)]} if one.latest else {}
                await asyncio.to_thread(realtime.publish_many, [told(ROOM, one.type, data, **key) for data in batch])
            number += 1
        return number * one.together

    return sum(await asyncio.gather(*map(one_kind, LOADS[load])))


def publish_for_socketio(load: str, seconds: float, redis: str) -> int:
    """The same through socket.io's own emitter."""
    kinds = [{"every_ms": one.every_ms / one.together, "type": one.type, "text": text_of(one)} for one in LOADS[load]]
    wish = json.dumps({"room": ROOM, "publications": kinds, "seconds": seconds})
    done = subprocess.run(
        ["node", "publisher.mjs", redis], cwd=SOCKETIO, input=wish + "\n", stdout=subprocess.PIPE, text=True, timeout=seconds + 60
    )  # fmt: skip
    return int(json.loads(done.stdout)["sent"])


def used(port: int) -> dict[str, int]:
    """Ask the server what it has used so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/used", timeout=30) as answer:
        found: dict[str, int] = json.load(answer)
        return found


@contextmanager
def server(way: str, redis: str) -> Iterator[int]:
    """Run the server of a way, fresh, and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    ours = [sys.executable, "-m", "bench.fanout", "--role", "server", "--port", str(port)]
    command = ["node", "server.mjs", str(port), redis] if way.startswith("socketio") else ours
    running = subprocess.Popen(command, cwd=SOCKETIO if way.startswith("socketio") else None)
    try:
        for _ in range(300):
            try:
                used(port)
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        running.terminate()
        running.wait(20)


@contextmanager
def readers(port: int, way: str, sockets: int) -> Iterator["subprocess.Popen[str]"]:
    """Run a process of clients, from when all of them have joined."""
    command = [sys.executable, "-m", "bench.fanout", "--role", "client", "--port", str(port), "--way", way]
    with subprocess.Popen(
        [*command, "--sockets", str(sockets)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        if running.stdout.readline().strip() != "ready":
            raise SystemExit(f"the clients of {way} could not connect")
        yield running


def measure(load: str, way: str, options: argparse.Namespace, redis: str) -> dict[str, Any]:
    """Measure one way under one load, with a server of its own that has had a few sockets before, and a room without a past."""
    from tradingarena.core import redis_client

    sockets = options.sockets if load == "show" else options.sockets // 2
    reading = sockets - (-(-sockets // 10) if way.endswith("+stopped") else 0)
    redis_client.client().flushdb()
    with server(way, redis) as port:
        with readers(port, way.partition("+")[0], WARM_UP) as few:
            few.communicate("\n", timeout=60)
        time.sleep(1)
        empty = used(port)
        with readers(port, way, sockets) as reader:
            time.sleep(2)
            rested = used(port)
            time.sleep(IDLE_S)
            before = used(port)
            idle_ns_per_s = (before["cpu_ns"] - rested["cpu_ns"]) / IDLE_S
            began = time.perf_counter()
            if way.startswith("socketio"):
                sent = publish_for_socketio(load, options.seconds, redis)
            else:
                sent = asyncio.run(publish(way, load, options.seconds))
            time.sleep(2)
            after = used(port)
            spent_ns = after["cpu_ns"] - before["cpu_ns"] - idle_ns_per_s * (time.perf_counter() - began)
            told = json.loads(reader.communicate("\n", timeout=120)[0])
    return {
        "load": load,
        "way": way,
        **told,
        "undelivered": max(0, sent * reading - told["frames"]),
        "us_per_frame": round(spent_ns / 1000 / max(1, told["frames"]), 2),
        "idle_ms_per_s": round(idle_ns_per_s / 1e6, 1),
        "kb_per_socket": round((before["rss_kb"] - empty["rss_kb"]) / sockets, 1),
        "grew_mb": round((after["rss_kb"] - before["rss_kb"]) / 1024, 1),
    }


HEAD = ("load", "way", "frames", "lacking", "µs/frame", "p50 ms", "p99 ms", "idle ms/s", "kB/socket", "grew MB")


def judge(found: list[dict[str, Any]]) -> bool:
    """Say which targets hold; False when one is missed."""
    by = {(row["load"], row["way"]): row for row in found}
    lines = [
        verdict(
            f"{load}: CPU of {WAYS[way]} / {WAYS[against]}",
            by[load, way]["us_per_frame"] / by[load, against]["us_per_frame"],
            share,
            at_least=False,
        )
        for load, way, against, share in TARGETS
        if (load, way) in by and (load, against) in by
    ]
    for (load, way), row in by.items():
        if load == "show" and way.startswith("prepared"):
            lines.append(verdict(f"{way}: frames undelivered", row["undelivered"], 0, at_least=False))
            lines.append(verdict(f"{way}: kB a socket", row["kb_per_socket"], KB_PER_SOCKET, at_least=False))
            if row["p99_ms"] is not None:
                lines.append(verdict(f"{way}: p99 age in ms", row["p99_ms"], P99_MS, at_least=False))
    for line in lines:
        say(line)
    return not any("MISSED" in line for line in lines)


def run(options: argparse.Namespace) -> bool:
    """Measure every way and print a table and the ratios; False when a target is missed."""
    from django.conf import settings

    say(machine())
    runs = [(load, way) for load, way in RUNS if not options.only or load in options.only]
    if not install_socketio():
        say("No Node.js or npm here: socket.io is left out.")
        runs = [(load, way) for load, way in runs if not way.startswith("socketio")]
    found = []
    for load, way in runs:
        say(f"measuring {WAYS[way]} ({load}) ...")
        found.append(measure(load, way, options, settings.REDIS_LIVE_URL))
    names = ("frames", "undelivered", "us_per_frame", "p50_ms", "p99_ms", "idle_ms_per_s", "kb_per_socket", "grew_mb")
    table(
        HEAD,
        [
            (row["load"], WAYS[row["way"]], *("-" if row[name] is None else row[name] for name in names))
            for row in found
        ],
    )
    say(
        f"{options.sockets} sockets in one room ({options.sockets // 2} where the stock consumer is measured), {options.seconds:g} s each"
    )
    say(machine())
    if options.json:
        say(json.dumps({"sockets": options.sockets, "runs": found}))
    return judge(found)


def install_socketio() -> bool:
    """Fetch socket.io at its locked versions, for this benchmark alone."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    if not (SOCKETIO / "node_modules" / "socket.io").is_dir():
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=SOCKETIO, check=True
        )
    return True


def main() -> None:
    """Read the command line and play the part it names."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.fanout", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", nargs="*", choices=LOADS, help="measure these loads alone")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--role", choices=["run", "server", "client"], default="run", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role == "client":
        import uvloop

        from bench.fanout_client import read

        uvloop.run(read(options.port, options.way, options.sockets, stopped=options.way.endswith("+stopped")))
    elif options.role == "server":
        from bench.fanout_server import serve

        serve(options.port)
    else:
        with own_services():
            prepare_django()
            if not run(options):
                raise SystemExit(1)


if __name__ == "__main__":
    main()
