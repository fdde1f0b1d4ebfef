"""Rooms made for the tests: a stage that anybody may enter, a box for guests, and a bell. Registered by the `stage` fixture in this
process, and by tradingarena.tests.realtime.serving in server processes."""

import asyncio
import queue
from collections.abc import Collection, Mapping
from typing import Any

from django.core.cache import cache

from tradingarena.core import frames, rooms
from tradingarena.core.errors import Forbidden, NotFound, NotSignedIn, TooFast
from tradingarena.core.rooms import Caller, FirstFrame, Grant, RoomKind

told_present: queue.SimpleQueue[Mapping[str, Collection[str]]] = queue.SimpleQueue()


def enter_stage(user: Any, payload: dict[str, Any]) -> Grant:
    """Open stage.<name>, side.<name> and, for somebody signed in, account.<id>."""
    name = frames.read_fields(payload, name=frames.text(40))["name"]
    if name == "nowhere":
        raise NotFound
    if cache.get(f"stage-closed-{name}"):
        raise Forbidden("The stage is closed.", code="stage_closed")
    given = [f"stage.{name}", f"side.{name}"]
    if user is not None:
        given.append(f"account.{user.pk}")
    return Grant(
        rooms=given, first_frames=[FirstFrame("welcome", f"stage.{name}", {"name": name})], data={"name": name}
    )


def enter_box(user: Any, payload: dict[str, Any]) -> Grant:
    """Open box.<name> for somebody signed in whose name is not on the list of the unwanted."""
    name = frames.read_fields(payload, name=frames.text(40))["name"]
    if user is None:
        raise NotSignedIn
    if cache.get(f"unwanted-{user.pk}"):
        raise Forbidden("You are not wanted here.", code="unwanted")
    return Grant(rooms=[f"box.{name}"])


def ring(caller: Caller, payload: dict[str, Any]) -> dict[str, Any]:
    """Answer with how often, and by whom."""
    times = frames.read_fields(payload, times=frames.integer(1, 9))["times"]
    if times == 7:
        raise TooFast(retry_after_s=3)
    if times == 8:
        raise RuntimeError("the bell is broken")
    return {"times": times, "by": str(caller.user.pk)}


STAGE = RoomKind("arena", "enter_stage", "leave_stage", enter_stage, present=told_present.put)
BOX = RoomKind("chat", "enter_box", "leave_box", enter_box, scope="chat")


async def next_presence() -> Mapping[str, Collection[str]]:
    """Wait until presence is told again."""
    return await asyncio.to_thread(told_present.get, timeout=8)


def register() -> None:
    """Put the stage up."""
    rooms.register(STAGE)
    rooms.register(BOX)
    rooms.on_frame("chat", "ring", ring, scope="chat")


def forget() -> None:
    """Take it down."""
    rooms.forget(STAGE)
    rooms.forget(BOX)
    rooms.forget("ring")
