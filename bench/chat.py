"""The chat under load: messages accepted a second, their age when 500 readers have them, and what one costs the filter.

    python -m bench.chat [--rate 200] [--seconds 20] [--channels 20] [--readers 500] [--web 2]

Real web processes, two unless told otherwise; authors on sockets of their own, each within the rules of pace, send at fixed times. A
message's age counts from the moment at which it was due. At the end every reader's order is compared with the history.
"""

import argparse
import asyncio
import itertools
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from bench.orders import cpu_s, free_port, running
from bench.report import ROOT, machine, own_services, percentile, prepare_django, say, table, verdict

MESSAGES_A_MINUTE = 18  # of one author: below the 20 that the rules allow
TARGET_P95_MS = 100.0
TARGET_FILTER_MS = 0.3
WARM_UP_S = 5.0
LAST_ONES_S = 3.0
JOINS_A_SECOND = 28
WORDS = ("long", "short", "flat", "bid", "offered", "stopped", "squeezed", "quiet", "wild", "heavy", "thin", "crowded")


@dataclass
class Reader:
    """A socket that listens to one channel, and what it has heard: number -> (text, when)."""

    channel: str
    heard: list[tuple[int, str, float]] = field(default_factory=list)


def people_and_channels(authors: int, channels: int) -> tuple[list[str], list[str]]:
    """Make the accounts with a session each, and one channel a contest; give session keys and channel ids."""
    from datetime import timedelta

    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    from accounts.services import people
    from chat.services.channels import competition_channel
    from competitions.models import Competition
    from tradingarena.core.clock import database_now

    call_command("migrate", verbosity=0, interactive=False)
    now = database_now()
    keys, ids = [], []
    for number in range(channels):
        contest = Competition.objects.create(
            slug=f"bench-{number}", title=f"Bench {number}", pairs=["EUR/USD"], status="running",
            starts_at=now - timedelta(minutes=1), ends_at=now + timedelta(hours=1),
        )  # fmt: skip
        ids.append(str(competition_channel(contest).pk))
    for number in range(authors):
        user = people.person_add(f"bench{number}@example.com", f"bench{number}", role="user", confirmed=True)
        user.date_joined = now - timedelta(days=60)
        user.set_unusable_password()
        user.save(update_fields=["date_joined", "password"])
        session = SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "accounts.adapters.SignInBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        assert session.session_key
        keys.append(session.session_key)
    return keys, ids


async def open_socket(port: int, session: str = "") -> Any:
    """Open a socket, as a page of the site when there is a session."""
    from websockets.asyncio.client import connect

    headers = [("Cookie", f"sessionid={session}")] if session else []
    for wait_s in (0.5, 1.0, 2.0, 4.0, 8.0, 8.0):
        try:
            return await connect(
                f"ws://127.0.0.1:{port}/ws/chat",
                origin=f"http://127.0.0.1:{port}" if session else None,  # type: ignore[arg-type]
                additional_headers=headers,
                compression=None,
                open_timeout=20,
            )
        except OSError:
            await asyncio.sleep(wait_s)
    raise SystemExit("the web process does not take sockets")


async def listen(port: int, reader: Reader, ready: asyncio.Semaphore, place: int) -> Any:
    """Join a channel when its turn has come (an address joins 30 a second at most), and note what comes."""
    await asyncio.sleep(place / JOINS_A_SECOND)
    answer: dict[str, Any] = {}
    while answer.get("type") != "ack":
        async with ready:
            socket = await open_socket(port)
            await socket.send(json.dumps({"type": "join_channel", "channel_id": reader.channel, "id": "1"}))
            answer = json.loads(await socket.recv())
        if answer["type"] != "ack":  # the address was too fast: its other readers came late
            await socket.close()
            await asyncio.sleep(answer["retry_after"] + 1)

    async def hear() -> None:
        async for text in socket:
            arrived = time.monotonic()
            frame = json.loads(text)
            if frame["type"] == "message":
                reader.heard.append((frame["seq"], frame["data"]["text"], arrived))

    return socket, asyncio.create_task(hear())


async def speak(
    socket: Any, channel: str, times_s: list[float], due: dict[str, float], took_ms: list[float]
) -> list[str]:
    """Send at fixed times; give what was refused."""
    refused = []
    for number, due_s in enumerate(times_s):
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        key = secrets.token_hex(6)
        words = " ".join(secrets.choice(WORDS) for _ in range(8))
        text = f"{len(due):07d} the euro looks {words} to me, number {number}"
        due[text] = due_s
        frame = {"type": "message", "channel_id": channel, "text": text, "client_id": key, "id": key}
        await socket.send(json.dumps(frame))
        answer = json.loads(await socket.recv())
        took_ms.append((time.monotonic() - due_s) * 1000)
        if answer["type"] != "ack":
            refused.append(f"{answer.get('code')}: {answer.get('detail')}")
    return refused


async def measure(
    ports: list[int], sessions: list[str], channels: list[str], options: argparse.Namespace, pids: list[int]
) -> dict[str, Any]:
    """Open everything, warm up, send, and wait until everybody has heard all."""
    opening = asyncio.Semaphore(20)
    readers = [Reader(channels[place % len(channels)]) for place in range(options.readers)]
    listening = await asyncio.gather(
        *(
            listen(ports[place // len(channels) % len(ports)], reader, opening, place)
            for place, reader in enumerate(readers)
        )
    )

    async def author(place: int, session: str) -> Any:
        async with opening:
            return await open_socket(ports[place // len(channels) % len(ports)], session)

    speaking = await asyncio.gather(*(author(place, session) for place, session in enumerate(sessions)))
    count = int(options.rate * (WARM_UP_S + options.seconds))
    begin_s = time.monotonic() + 1.0
    times = [begin_s + number / options.rate for number in range(count)]
    due: dict[str, float] = {}
    took_ms: list[float] = []
    before = sum(map(cpu_s, pids))
    refused = await asyncio.gather(
        *(
            speak(socket, channels[place % len(channels)], times[place :: len(speaking)], due, took_ms)
            for place, socket in enumerate(speaking)
        )
    )
    await asyncio.sleep(LAST_ONES_S)
    used_s = sum(map(cpu_s, pids)) - before
    for socket, task in listening:
        task.cancel()
        await socket.close()
    for socket in speaking:
        await socket.close()
    warm_s = begin_s + WARM_UP_S
    ages = [(at - due[text]) * 1000 for reader in readers for _, text, at in reader.heard if due[text] >= warm_s]
    return {
        "ages_ms": ages,
        "answers_ms": took_ms[int(options.rate * WARM_UP_S) :],
        "refused": list(itertools.chain.from_iterable(refused)),
        "sent": count,
        "readers": readers,
        "cpu_ms": used_s * 1000 / count,
        "delivered": sum(len(reader.heard) for reader in readers),
    }


def in_the_order_of_history(readers: list[Reader]) -> bool:
    """Compare what every reader has heard with the history of its channel, line by line."""
    from chat.models import Message

    history: dict[str, list[tuple[int, str]]] = {}
    for channel, seq, text in Message.objects.order_by("channel", "seq").values_list("channel_id", "seq", "text"):
        history.setdefault(str(channel), []).append((seq, text))
    return all([(seq, text) for seq, text, _ in reader.heard] == history[reader.channel] for reader in readers)


def filter_ms() -> tuple[float, float]:
    """Measure the filter: its mean over the harmless messages of the tests, all words new to it, and over one long message."""
    from chat.rules import language

    lines = (ROOT / "chat" / "tests" / "data" / "harmless.txt").read_text(encoding="utf-8").splitlines()
    language.judge("so that patterns are compiled before")
    language._of_word.cache_clear()
    began = time.perf_counter()
    for line in lines:
        language.judge(line)
    mean = (time.perf_counter() - began) / len(lines) * 1000
    long = " ".join(lines)[:300]
    took = []
    for _ in range(50):
        language._of_word.cache_clear()
        began = time.perf_counter()
        language.judge(long)
        took.append((time.perf_counter() - began) * 1000)
    return mean, percentile(took, 0.5)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--web", type=int, default=2, help="web processes")
    parser.add_argument("--readers", type=int, default=500)
    options = parser.parse_args()
    say(machine())
    authors = max(options.channels, -(-options.rate * 60 // MESSAGES_A_MINUTE))
    with own_services():
        os.environ |= {"SOCKETS_PER_ADDRESS": "5000", "DATABASE_POOL_SIZE": "12"}
        prepare_django()
        mean, long = filter_ms()
        sessions, channels = people_and_channels(authors, options.channels)
        ports = [free_port() for _ in range(options.web)]
        with running([["-m", "tradingarena.web", "--port", str(port)] for port in ports]) as pids:
            found = asyncio.run(measure(ports, sessions, channels, options, pids))
        ordered = in_the_order_of_history(found["readers"])
        from django.db import connection

        connection.close_pool()
    rows = [
        (
            name,
            f"{len(values):,}",
            *(f"{percentile(values, share):,.1f}" for share in (0.5, 0.95, 0.99)),
            f"{max(values):,.1f}",
        )
        for name, values in (("acknowledged", found["answers_ms"]), ("at the readers", found["ages_ms"]))
    ]
    table(("ms", "count", "p50", "p95", "p99", "max"), rows)
    say()
    say(
        f"{found['sent']:,} messages, {options.rate} a second, {authors} authors, {options.channels} channels, {options.readers} readers"
    )
    say(f"{found['delivered']:,} deliveries; {found['cpu_ms']:.2f} ms CPU of the web processes a message")
    say(f"refused: {len(found['refused'])} {found['refused'][:1]}")
    say(f"every reader's order is that of the history: {'yes' if ordered else 'NO'}")
    say(
        f"filter: {mean:.3f} ms a message in the middle of the harmless ones, {long:.3f} ms for 300 characters, all words new"
    )
    say(verdict("p95 at the readers, ms", percentile(found["ages_ms"], 0.95), TARGET_P95_MS, at_least=False))
    say(verdict("filter, ms a message", mean, TARGET_FILTER_MS, at_least=False))
    say(machine())


if __name__ == "__main__":
    main()
