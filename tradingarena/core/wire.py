"""What travels between publishers, Redis and hubs: encoded frames, the scripts that number them, the names of keys.

No connection is made here. The frames' fields are described in docs/asyncapi.yaml, the scripts in docs/realtime.md.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

import orjson

from tradingarena.core.redis_client import key

Kept = TypeVar("Kept")

KEPT_FACTS = 64
SITE_ROOM = "site.switches"  # every socket hears it without joining
KEEP_S = 86_400

_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ROOM = re.compile(r"[a-z]+\.[A-Za-z0-9_./:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Fact:
    """A message that must not be missed without the reader's noticing: it gets the room's next `seq`."""

    room: str
    type: str
    data: Any


@dataclass(frozen=True, slots=True)
class Latest:
    """A disposable message: a newer one of the same room, type and key replaces it. keep_s=0: not shown to later joiners."""

    room: str
    type: str
    data: Any
    key: str = ""
    keep_s: int = KEEP_S


class Head(NamedTuple):
    """How far a room has come. A new epoch means that the counting began anew and everything must be fetched again."""

    epoch: str
    seq: int


UNKNOWN = Head("", 0)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A fact whose number was given with its row, so that the room's order is the order of the rows; `seq` grows by one.

    `instead` is (seq, type, data): the frame that from now on stands in the place of an earlier one, such as a message that was deleted.
    """

    room: str
    type: str
    data: Any
    seq: int
    instead: tuple[int, str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RoomState:
    """A room as Redis has it: its head, its last facts (oldest first, ending at head.seq) and the newest of each kind."""

    head: Head
    facts: list[bytes]
    latest: dict[str, bytes]

    def since(self, seen: Head) -> list[bytes] | None:
        """Give the facts after `seen`; see `after`."""
        return after(seen, self.head, self.facts)


def after(seen: Head, head: Head, facts: Sequence[Kept]) -> list[Kept] | None:
    """Give the facts after `seen`, or None when they cannot all be had (the reader must fetch a snapshot).

    Shapes: facts are the last ones, oldest first, ending at head.seq; seen.epoch may be "" for a reader that does not know it:
        then the number alone decides.
    """
    missing = head.seq - seen.seq
    if (seen.epoch and seen.epoch != head.epoch) or not 0 <= missing <= len(facts):
        return None
    return [*facts][len(facts) - missing :]


# KEYS: head, log. ARGV: channel, epoch to use if the room has none, the frame but for its end, seconds to keep, facts to keep
FACT_SCRIPT = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
  redis.call('DEL', KEYS[2])
end
local seq = string.format('%d', redis.call('HINCRBY', KEYS[1], 'seq', 1))
local frame = ARGV[3] .. ',"epoch":"' .. epoch .. '","seq":' .. seq .. '}'
redis.call('RPUSH', KEYS[2], frame)
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[5]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[1], 'F' .. epoch .. ':' .. seq .. '\\n' .. frame)
return tonumber(seq)
"""

# As FACT_SCRIPT, then: the fact's own number, the number whose frame is replaced (0: none), the frame in its place but for its end.
# Gives the number; 0 when it has been told before; minus the head when facts before it are missing. A room without a head starts anywhere.
NUMBERED_SCRIPT = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[2]
  redis.call('HSET', KEYS[1], 'epoch', epoch)
  redis.call('DEL', KEYS[2])
end
local head = tonumber(redis.call('HGET', KEYS[1], 'seq') or 0)
local number = tonumber(ARGV[6])
if number <= head then return 0 end
if head > 0 and number > head + 1 then return -head end
local replaced = tonumber(ARGV[7])
if replaced > 0 then
  local stands = ARGV[8] .. ',"epoch":"' .. epoch .. '","seq":' .. ARGV[7] .. '}'
  local place = redis.call('LLEN', KEYS[2]) - 1 - (head - replaced)
  if place >= 0 and replaced <= head then redis.call('LSET', KEYS[2], place, stands) end
  redis.call('PUBLISH', ARGV[1], 'S' .. epoch .. ':' .. ARGV[7] .. '\\n' .. stands)
end
local frame = ARGV[3] .. ',"epoch":"' .. epoch .. '","seq":' .. ARGV[6] .. '}'
redis.call('HSET', KEYS[1], 'seq', ARGV[6])
redis.call('RPUSH', KEYS[2], frame)
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[5]), -1)
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[1], 'F' .. epoch .. ':' .. ARGV[6] .. '\\n' .. frame)
return number
"""

# KEYS: latest. ARGV: channel, kind, frame, seconds to keep
LATEST_SCRIPT = """
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[1], 'L' .. ARGV[2] .. '\\n' .. ARGV[3])
return 0
"""

# KEYS: head, log. ARGV: channel, the new epoch, seconds to keep
BREAK_SCRIPT = """
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'seq', 0)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('PUBLISH', ARGV[1], 'R' .. ARGV[2] .. '\\n')
return 0
"""

# KEYS: head, log, latest. ARGV: epoch to use if the room has none, seconds to keep, whether more than the head is wanted
READ_SCRIPT = """
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[1]
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'seq', 0)
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('DEL', KEYS[2])
end
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq') or 0)
if ARGV[3] == '0' then return {epoch, seq} end
return {epoch, seq, redis.call('LRANGE', KEYS[2], 0, -1), redis.call('HGETALL', KEYS[3])}
"""


def channel_of(room: str) -> str:
    """Name a room's channel. The braces keep a room's keys together where Redis is a cluster."""
    return key("room", "{" + room + "}")


def keys_of(room: str) -> tuple[str, str, str]:
    """Name a room's keys: head, log, latest."""
    base = channel_of(room)
    return f"{base}:head", f"{base}:log", f"{base}:latest"


def now_ms() -> int:
    """Read this machine's wall clock, for the `ts` of a frame."""
    return time.time_ns() // 1_000_000


def encode(value: Any) -> bytes:
    """Encode to JSON: UUIDs and prices (Decimal, plain notation) as strings, aware times as ISO-8601 with Z.

    Raises: TypeError: a value that has no place in a frame.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def room_frame(type_: str, room: str, data: Any) -> bytes:
    """Encode a frame of a room that has no sequence number.

    Raises: ValueError: a type or room whose name breaks the rules of docs/asyncapi.yaml.
    """
    if not _TYPE.fullmatch(type_) or not _ROOM.fullmatch(room):
        raise ValueError(f"not a frame's type and room: {type_!r}, {room!r}")
    return encode({"type": type_, "room": room, "ts": now_ms(), "data": data})


def resync_frame(room: str, head: Head) -> bytes:
    """Encode the frame that sends a reader back to the snapshot."""
    return room_frame("resync", room, {"epoch": head.epoch, "seq": head.seq})


def is_resync(frame: bytes) -> bool:
    """Tell such a frame from a fact that has the same number."""
    return frame.startswith(b'{"type":"resync"')


def parse_state(reply: list[Any]) -> RoomState:
    """Read what READ_SCRIPT has answered."""
    epoch, seq, *rest = reply
    facts, flat = rest if rest else ([], [])
    latest = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
    return RoomState(Head(epoch.decode(), int(seq)), facts, {kind.decode(): frame for kind, frame in latest.items()})


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no place in a frame")
