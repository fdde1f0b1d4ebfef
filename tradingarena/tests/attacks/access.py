"""Who may do what: derived from what the OpenAPI schema declares, and from a short table of what it cannot say.

The schema declares whether an operation is public, which scopes open it to tokens, whether it is for a session alone, and which
roles it is kept for. `requests.py` says whose the things are that a path names. What remains is in `SPECIAL` here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from accounts.rules import roles
from tradingarena.tests.attacks.requests import ENTRANT, OWNED, REQUESTS, Good, Operation
from tradingarena.tests.described import schema

METHODS = ("get", "post", "put", "patch", "delete")
MAY, NOT_SIGNED_IN, FORBIDDEN, NOT_THERE, REFUSED = "may", "401", "403", "404", "422"
PLAIN_ROLES = {  # who asks: as which of Alice's credentials, or as whom else
    "anonymous": "nobody",
    "page": "the owner, on a page",
    "page without CSRF token": "the owner's browser, sent by another site",
    "token": "the owner's token with every scope",
    **{f"token {scope}": f"the owner's token with the scope {scope} alone" for scope in roles.SCOPES},
    "token revoked": "the owner's token, revoked",
    "another": "somebody else with every scope, who names what is the owner's",
    "moderator": "a moderator",
    "admin": "an operator",
    "banned token": "the owner's token, while banned",
    "banned page": "the owner's page, while banned",
    "disabled token": "the owner's token, when the account is disabled",
    "unconfirmed": "the owner's token, when the address is not confirmed",
}
ROLES = tuple(PLAIN_ROLES)
OTHERS = frozenset({"another", "moderator", "admin"})
REFUSED_TOKENS = frozenset({"token revoked", "banned token", "disabled token"})
CHAT = "/api/chat/{channel_id}"
# what an unconfirmed address keeps from: the actions of `accounts.policy`, which answer 422 `email_unconfirmed`
CONFIRMED_ONLY = frozenset(
    {
        ("post", "/api/competitions/{competition_id}/join"),
        ("post", "/api/tokens/checkout"),
        ("post", "/api/tokens/daily-bonus"),
        ("post", "/api/betting/bets"),
        ("post", f"{CHAT}/messages"),
        ("post", f"{CHAT}/tips"),
        ("post", "/api/pvp/challenges"),
        ("put", "/api/pvp/challenges/{challenge_id}"),
        ("post", "/api/pvp/challenges/{challenge_id}/accept"),
        ("post", "/api/pvp/challenges/{challenge_id}/checkout"),
        ("post", "/api/pvp/challenges/{challenge_id}/rematch"),
    }
)


@dataclass(frozen=True)
class Special:
    """What some get of one operation that neither the schema nor the owner of a thing decides, and why."""

    gets: Mapping[str, str]
    why: str


_OWN_TOKENS = ("page", "token", "token trade", "token bet", "token chat", "another", "unconfirmed")
SPECIAL: Mapping[Operation, Special] = {
    ("post", "/api/betting/bets"): Special(dict.fromkeys(("moderator", "admin"), FORBIDDEN), "staff do not bet"),
    ("delete", f"{CHAT}/messages/{{message_id}}"): Special(
        {"another": FORBIDDEN, "moderator": MAY, "admin": MAY},
        "moderators delete in public channels; all may read there",
    ),
    ("post", f"{CHAT}/moderate"): Special(
        dict.fromkeys(("page", "token", "token chat", "another", "unconfirmed"), FORBIDDEN),
        "for moderators, and for a host in their own arena",
    ),
    ("post", "/api/me/bot"): Special(dict.fromkeys(("moderator", "admin"), REFUSED), "staff are no bots"),
    ("post", "/api/me/username"): Special(
        dict.fromkeys(_OWN_TOKENS, REFUSED), "nobody changes their name while a live contest shows it"
    ),
}


def operations() -> Iterator[tuple[Operation, dict[str, Any]]]:
    """List every operation of the schema as it is served."""
    for path, ways in schema()["paths"].items():
        for method in METHODS:
            if method in ways:
                yield (method, path), ways[method]


def expected(operation: Operation, declared: Mapping[str, Any], role: str) -> str:
    """Say what somebody gets: MAY, or the status of the refusal."""
    special = SPECIAL.get(operation)
    return (
        (special.gets.get(role, "") if special else "")
        or _by_credential(operation, declared, role)
        or _by_things(REQUESTS[operation], declared, role)
    )


def _by_credential(operation: Operation, declared: Mapping[str, Any], role: str) -> str:
    ways = declared["security"]
    public, scopes = {} in ways, next((way["bearerToken"] for way in ways if "bearerToken" in way), None)
    by_token = role.startswith("token") or role in OTHERS | REFUSED_TOKENS | {"unconfirmed"}
    if ways == [{}]:
        return MAY  # signed by its sender: no credential of ours is looked at
    if role in REFUSED_TOKENS:
        return NOT_SIGNED_IN
    if role == "page without CSRF token":
        return "" if operation[0] == "get" else FORBIDDEN
    if not public and role in {"anonymous", "banned page"}:
        return NOT_SIGNED_IN
    if by_token and (scopes is None or (role.startswith("token ") and role.removeprefix("token ") not in scopes)):
        return FORBIDDEN
    return REFUSED if role == "unconfirmed" and operation in CONFIRMED_ONLY else ""


def _by_things(good: Good, declared: Mapping[str, Any], role: str) -> str:
    kept_for = declared.get("x-roles")
    if kept_for is not None:
        return MAY if role in kept_for else FORBIDDEN
    stranger = role in OTHERS | {"anonymous", "banned page"}
    if good.whose in {OWNED, ENTRANT} and stranger:
        return NOT_THERE
    return MAY
