"""One good frame for every type that docs/asyncapi.yaml lets a client send, and what each kind of reader hears of it.

The reviewed part of the sockets' access matrix: the document says what may be sent, not by whom. A type that is not here fails
`test_rooms.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from accounts.rules import roles
from tradingarena.tests.asyncapi import validators
from tradingarena.tests.attacks.world import World

OK = "may"
NOBODY, NOT_THERE, NO_SCOPE = "not_signed_in", "not_found", "scope_missing"
PLAIN_READERS = {
    "anonymous": "nobody",
    "page": "the owner, on a page",
    **{f"ticket {scope}": f"the owner, by a ticket of a token with the scope {scope} alone" for scope in roles.SCOPES},
    "another": "somebody else, on a page",
    "moderator": "a moderator, on a page",
    "admin": "an operator, on a page",
    "unconfirmed": "the owner, when the address is not confirmed",
    "banned page": "the owner's page, while banned: nobody",
    "disabled page": "the owner's page, when the account is disabled: nobody",
}
READERS = tuple(PLAIN_READERS)
WRITERS = {**dict.fromkeys(("ticket read", "ticket trade", "ticket bet"), NO_SCOPE), "anonymous": NOBODY}
DEAF = dict.fromkeys(("ticket trade", "ticket bet", "ticket chat"), NO_SCOPE)  # hearing needs the scope read
STRANGERS = ("anonymous", "another")


@dataclass(frozen=True)
class Frame:
    """A frame, whose thing it names, and who is refused with which code; everybody else may. `rooms` are those that a join opens.

    Shapes: `names` takes ids from the world by name; `owner_rooms` are opened for who has an entry there.
    """

    type: str
    about: str
    names: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[World], dict[str, Any]] = lambda world: {}
    refused: Mapping[str, str] = field(default_factory=dict)
    rooms: frozenset[str] = frozenset()
    owner_rooms: frozenset[str] = frozenset()

    def expected(self, reader: str) -> tuple[str, frozenset[str]]:
        """Say what a reader gets: OK or a code, and the kinds of rooms that are opened."""
        if reader in {"banned page", "disabled page"}:
            reader = "anonymous"  # they may watch as strangers do
        if refusal := self.refused.get(reader):
            return refusal, frozenset()
        owner = reader in {"page", "unconfirmed"} or reader.startswith("ticket")
        return OK, self.owner_rooms if owner and self.owner_rooms else self.rooms


def _say(world: World) -> dict[str, Any]:
    return {"text": f"A word between two: {uuid4().hex}", "client_id": uuid4().hex}


CHANNEL = frozenset({"chat"})
MAY_WATCH = frozenset({"arena", "tape", "quotes"})
NOT_FOR_STRANGERS = dict.fromkeys(STRANGERS, NOT_THERE)
NOT_FOR_STAFF_EITHER = NOT_FOR_STRANGERS | dict.fromkeys(("moderator", "admin"), NOT_THERE)
UNCONFIRMED = {"unconfirmed": "email_unconfirmed"}
FRAMES = [
    Frame("ping", "the clock"),
    Frame(
        "join_room",
        "a contest that anybody may watch",
        {"competition_id": "sprint"},
        refused=DEAF,
        rooms=MAY_WATCH,
        owner_rooms=frozenset({"arena", "closed", "account", "quotes"}),
    ),  # fmt: skip
    Frame("leave_room", "the same", {"competition_id": "sprint"}),
    Frame("join_market", "its bets", {"competition_id": "cup"}, refused=DEAF, rooms=frozenset({"betting"})),
    Frame("leave_market", "the same", {"competition_id": "cup"}),
    Frame("join_channel", "everybody's channel", {"channel_id": "hall"}, refused=DEAF, rooms=CHANNEL),
    Frame("join_channel", "a contest's channel", {"channel_id": "contest_channel"}, refused=DEAF, rooms=CHANNEL),
    Frame(
        "join_channel",
        "the channel of two who challenge each other",
        {"channel_id": "duel"},
        rooms=CHANNEL,
        refused=DEAF | NOT_FOR_STRANGERS,
    ),  # fmt: skip
    Frame(
        "join_channel",
        "the channel of two people",
        {"channel_id": "direct"},
        rooms=CHANNEL,
        refused=DEAF | NOT_FOR_STAFF_EITHER,
    ),  # fmt: skip
    Frame("leave_channel", "the same", {"channel_id": "direct"}),
    Frame(
        "user_typing",
        "the channel of two people",
        {"channel_id": "direct"},
        refused=NOT_FOR_STAFF_EITHER | WRITERS | UNCONFIRMED,
    ),  # fmt: skip
    Frame(
        "message",
        "the channel of two people",
        {"channel_id": "direct"},
        _say,
        refused=NOT_FOR_STAFF_EITHER | WRITERS | UNCONFIRMED,
    ),  # fmt: skip
]
SIGNING_IN = {"auth"}  # how a ticket comes in; the first frame, and nobody's afterwards


def documented() -> set[str]:
    """List the types of frames that a client may send."""
    return set(validators("receive"))
