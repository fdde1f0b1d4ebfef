"""Real server processes: our launcher with one worker and with two, and daphne; messages and orders between them; their end."""

import asyncio
import signal
import subprocess
import sys
from typing import Any

import pytest

from tradingarena.core import realtime
from tradingarena.core.database_threads import in_database
from tradingarena.tests.realtime.client import WAIT_S, Site, daphne, free_port, process, web
from tradingarena.tests.realtime.conftest import make_session

pytestmark = pytest.mark.processes


async def test_our_launcher_and_daphne_serve_the_same_rooms_and_obey_the_same_orders(
    make_person: Any, stage: str
) -> None:
    person = await in_database(make_person)
    session = await in_database(make_session, person)
    ours, theirs = free_port(), free_port()
    with process(*web(ours), port=ours) as running, process(*daphne(theirs), port=theirs):
        one, two = Site(ours), Site(theirs)
        async with (
            one.client(session=session) as a,
            two.client(session=session) as b,
            two.client(compression="deflate") as c,
        ):
            for client in (a, b, c):
                ack = await client.ask(type="enter_stage", name=stage, id="1")
                assert ack["type"] == "ack"
            for number in range(20):
                await asyncio.to_thread(
                    realtime.publish_fact, f"stage.{stage}", "note", {"n": number, "pad": "x" * 400}
                )
            for client in (a, b, c):
                assert [note["data"]["n"] for note in await client.facts(20, "note")] == list(range(20))
            await b.send("x")
            assert (await b.next())["code"] == "bad_frame"
            await in_database(realtime.revoke_user, person.pk, 4401)
            async with asyncio.timeout(WAIT_S):
                assert await a.closed() == (4401, "session_ended")
                assert await b.closed() == (4401, "session_ended")
            assert (await c.ask(type="ping", id="2"))["type"] == "pong"
        async with two.client("/ws/unknown") as client:
            assert await client.closed() == (4404, "not_found")
        async with two.client(session=session, origin="http://evil.example") as client:
            assert await client.closed() == (4403, "origin_refused")
        async with one.client() as a:
            await a.ask(type="enter_stage", name=stage, id="1")
            running.send_signal(signal.SIGTERM)
            code, _ = await a.closed()
            assert code == 1012
            assert "restart" in [frame["type"] for frame in a.frames]
            assert await asyncio.to_thread(running.wait, 15) == 0


async def test_two_workers_share_a_port_and_end_together(transactional_db: None, stage: str) -> None:
    port = free_port()
    with process(*web(port), "--workers", "2", port=port) as running:
        site = Site(port)
        async with site.client() as a, site.client() as b, site.client() as c:
            for client in (a, b, c):
                await client.ask(type="enter_stage", name=stage, id="1")
            await asyncio.to_thread(realtime.publish_fact, f"stage.{stage}", "note", {"n": 1})
            for client in (a, b, c):
                assert (await client.next("note"))["seq"] == 1
            running.send_signal(signal.SIGTERM)
            for client in (a, b, c):
                assert (await client.closed())[0] == 1012
        assert await asyncio.to_thread(running.wait, 15) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "eighty"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--workers", "0"],
        ["--workers", "two"],
        ["--log-level", "loud"],
    ],
)
def test_a_wrong_argument_is_said_and_not_traced(arguments: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tradingarena.web", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert "error: argument" in ended.stderr
    assert "Traceback" not in ended.stderr
