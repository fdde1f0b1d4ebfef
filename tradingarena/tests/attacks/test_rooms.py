"""Every frame that a client may send as everybody: rooms open for whom they may, and for nobody else.

The table is `frames.py`; what a contest's mode changes is in `tradingarena/tests/realtime/test_access.py`.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from accounts.models import User
from chat.models import Message
from tradingarena.core import rooms, tickets
from tradingarena.core.database_threads import in_database
from tradingarena.routing import NAMESPACES
from tradingarena.tests.asyncapi import assert_frame
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.frames import FRAMES, OK, READERS, SIGNING_IN, Frame, documented
from tradingarena.tests.attacks.test_access import forget_limits
from tradingarena.tests.attacks.world import World
from tradingarena.tests.realtime.client import Client, Site, serve_here
from tradingarena.tests.realtime.conftest import make_session

CHANGES = {"unconfirmed": worlds.unconfirm, "banned page": worlds.ban, "disabled page": worlds.disable}


def test_every_frame_of_the_document_is_tried_and_every_kind_of_room_is_documented() -> None:
    assert documented() == {frame.type for frame in FRAMES} | SIGNING_IN
    served = {type_ for type_ in documented() if any(known(type_, name) for name in NAMESPACES)}
    assert served == documented() - {"auth", "ping"}


def known(type_: str, namespace: str) -> Any:
    """Find what serves a frame type."""
    only = frozenset({namespace})
    return rooms.join_kind(type_, only) or rooms.leave_kind(type_, only) or rooms.frame_kind(type_, only)


async def enter(stack: AsyncExitStack, site: Site, world: World, reader: str) -> Client:
    """Connect as somebody."""
    if reader.startswith("ticket"):
        client = await stack.enter_async_context(site.client())
        ticket = await in_database(lambda: tickets.issue(world.alice.pk, [reader.removeprefix("ticket ")]))
        assert (await client.ask(type="auth", ticket=ticket, id="in"))["type"] == "ack"
        return client
    people: dict[str, User | None] = {
        "anonymous": None, "another": world.cast.mallory, "moderator": world.cast.moderator, "admin": world.cast.operator,
    }  # fmt: skip
    user = people.get(reader, world.alice)
    key = await in_database(make_session, user) if user else ""
    return await stack.enter_async_context(site.client(session=key))


def sent(frame: Frame, world: World) -> dict[str, Any]:
    """Make the frame; it is as documented."""
    ids = {name: str(world.ids[thing]) for name, thing in frame.names.items()}
    made = {"type": frame.type, **ids, **frame.more(world), "id": "asked"}
    assert_frame(made, action="receive")
    return made


@pytest.fixture
def world(transactional_db: None) -> World:
    return worlds.build()


async def test_everybody_hears_what_they_may_and_nothing_else(world: World) -> None:
    wrong = []
    async with serve_here() as site:
        for reader in READERS:
            await in_database(forget_limits)
            said = await in_database(Message.objects.count)
            await in_database(CHANGES.get(reader, worlds.let_in), world.alice)
            async with AsyncExitStack() as stack:
                client = await enter(stack, site, world, reader)
                for frame in FRAMES:
                    answer = await client.ask(**sent(frame, world))
                    opened = frozenset(
                        head["room"].partition(".")[0] for head in (answer.get("data") or {}).get("rooms", ())
                    )
                    got = (answer.get("code", OK), opened)
                    if got != frame.expected(reader):
                        wrong.append(f"{frame.type} ({frame.about}) as {reader}: {got}, not {frame.expected(reader)}")
            spoke = FRAMES[-1].expected(reader)[0] == OK
            assert await in_database(Message.objects.count) == said + spoke, reader
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("shut_out", [worlds.ban, worlds.disable])
async def test_a_ticket_of_somebody_shut_out_meanwhile_lets_nobody_in(
    world: World, shut_out: Callable[[User], None]
) -> None:
    ticket = await in_database(lambda: tickets.issue(world.alice.pk, ["read"]))
    await in_database(shut_out, world.alice)
    async with serve_here() as site, site.client() as client:
        await client.send(type="auth", ticket=ticket, id="in")
        assert (await client.closed())[0] in {4401, 4403}
