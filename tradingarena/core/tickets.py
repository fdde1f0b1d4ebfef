"""Tickets for sockets of programs that have no session cookie: good once, for 30 seconds.

The REST view that hands them out is accounts'. Redis keeps a ticket's hash only. Rules: docs/realtime.md#signing-in.
"""

import hashlib
from collections.abc import Collection
from typing import NamedTuple, cast
from uuid import UUID

import orjson

from tradingarena.core import redis_client
from tradingarena.core.errors import NotSignedIn, Unavailable
from tradingarena.core.ids import new_token

LIFE_S = 30
LONGEST = 128


class TicketRefused(NotSignedIn):
    """Raised when a ticket is unknown, used or too old."""

    code, message = "ticket_invalid", "This ticket is unknown, used or older than 30 s."


class Ticket(NamedTuple):
    """What a ticket stands for. `credential` names what it was issued on, such as "token:<id>": its end ends the socket."""

    user_id: UUID
    scopes: frozenset[str]
    credential: str


def issue(user_id: UUID, scopes: Collection[str], *, credential: str = "") -> str:
    """Make a ticket for one socket.

    Guarantees: can be redeemed once, within 30 s.
    Raises: Unavailable: Redis does not answer.
    """
    secret = new_token(32)
    content = orjson.dumps({"user_id": str(user_id), "scopes": sorted(scopes), "credential": credential})
    try:
        redis_client.client().set(_key(secret), content, ex=LIFE_S)
    except redis_client.DOWN as error:
        raise Unavailable("Tickets cannot be made at the moment; try again shortly.") from error
    return secret


async def redeem(secret: str) -> Ticket:
    """Use a ticket up.

    Raises: TicketRefused: unknown, used or too old. Unavailable: Redis does not answer.
    """
    content: bytes | None = None
    if 0 < len(secret) <= LONGEST:
        try:
            content = cast(bytes | None, await redis_client.async_client().getdel(_key(secret)))
        except redis_client.DOWN as error:
            raise Unavailable("Tickets cannot be read at the moment; try again shortly.") from error
    if content is None:
        raise TicketRefused
    told = orjson.loads(content)
    return Ticket(UUID(told["user_id"]), frozenset(told["scopes"]), told["credential"])


def _key(secret: str) -> str:
    return redis_client.key("ticket", hashlib.sha256(secret.encode()).hexdigest())
