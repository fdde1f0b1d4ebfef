"""Every operation of the API as everybody: the answer is of the class that the schema and the reviewed table say, and who is refused
has changed nothing.

The table is `access.py`, the requests are `requests.py`, the result is written to docs/reports/access.md.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import tokens
from competitions.tests.factories import make_market
from tradingarena import api_docs
from tradingarena.core import redis_client
from tradingarena.core.models import IdempotentAnswer
from tradingarena.tests.attacks import world as worlds
from tradingarena.tests.attacks.access import MAY, ROLES, expected, operations
from tradingarena.tests.attacks.requests import REQUESTS, Good, Operation
from tradingarena.tests.attacks.world import World
from tradingarena.tests.callers import by_token

CSRF = "c" * 32
STRANGERS, ADDRESS = {"anonymous", "another", "moderator", "banned page"}, b"alice@example.com"
# what is written though somebody is refused: when a token was last used; and the place of an answer, which is taken back
# when there is none to keep
SIDE_NOTES = {"accounts_apitoken", "core_idempotentanswer"}
_WRITTEN = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"


def test_every_operation_has_its_request_and_every_request_its_operation() -> None:
    assert set(REQUESTS) == {operation for operation, _ in operations()}


class Callers:
    """Everybody who asks, with credentials that are made once."""

    def __init__(self, world: World) -> None:
        self.world = world
        cast, alice = world.cast, world.alice
        revoked, secret = tokens.token_create(alice.pk, name="revoked", scopes=["read"])
        tokens.token_revoke(alice.pk, revoked.pk)
        whole = by_token(alice)
        self.clients: dict[str, Client] = {
            "anonymous": APIClient(raise_request_exception=False),
            "page": page(alice, csrf=True),
            "page without CSRF token": page(alice, csrf=False),
            "banned page": page(alice, csrf=True),
            "token revoked": bearer(secret),
            "another": by_token(cast.mallory),
            "rival": by_token(cast.bob),
            "moderator": by_token(cast.moderator),
            "admin": by_token(cast.operator),
            **dict.fromkeys(("token", "banned token", "disabled token", "unconfirmed"), whole),
        }
        for scope in ("read", "trade", "bet", "chat"):
            self.clients[f"token {scope}"] = by_token(alice, scope)
        self.changes: dict[str, Callable[[User], None]] = {
            "banned token": worlds.ban,
            "banned page": worlds.ban,
            "disabled token": worlds.disable,
            "unconfirmed": worlds.unconfirm,
        }
        assert set(self.clients) - {"rival"} == set(ROLES)

    def ask(self, operation: Operation, good: Good, role: str, **instead: str) -> tuple[Any, set[str]]:
        """Send a request as somebody; give the answer and the tables that it has written to. All of it is taken back."""
        with taken_back():
            if role in self.changes:
                self.changes[role](self.world.alice)
            before = written()
            answer = self.send(operation, good, role, **instead)
            kept = IdempotentAnswer.objects.exists()
            assert not (kept and answer.status_code >= 400), f"{operation} keeps a refusal as an answer"
            changed = {name for name, count in written().items() if count != before.get(name, 0)}
        return answer, changed - SIDE_NOTES

    def send(self, operation: Operation, good: Good, role: str, *, body: bytes | None = None, **instead: str) -> Any:
        """Send a request as somebody, with another body or other things where they are named."""
        method, path = operation
        ids = self.world.ids
        path = path.format(**{name: ids[thing] for name, thing in ({**good.ids} | instead).items()})
        if body is None:
            body = b"" if good.body is None else api_docs.encode(good.body(self.world))
        headers = {"Idempotency-Key": uuid4().hex} if good.key else {}
        if role in {"page", "banned page"}:
            headers["X-CSRFToken"] = CSRF
        query = f"?{good.query.format(**ids)}"
        return self.clients[role].generic(method.upper(), path + query, body, "application/json", headers=headers)


def page(user: User, *, csrf: bool) -> Client:
    """Speak as a page that checks CSRF; without its token the request is one that another site has sent."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(user)
    if csrf:
        client.cookies["csrftoken"] = CSRF
    return client


def bearer(secret: str) -> APIClient:
    """Speak with a token that there is already."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo in the database whatever happens here."""
    with transaction.atomic():
        point = transaction.savepoint()
        yield
        transaction.savepoint_rollback(point)


def written() -> dict[str, int]:
    """Count the rows that this transaction has tried to write, by table."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        return dict(cursor.fetchall())


def forget_limits() -> None:
    """Let nobody run into what an earlier request has spent; quotes stay."""
    redis = redis_client.client()
    spent = list(redis.scan_iter(redis_client.key("limit*"), count=1_000))
    if spent:
        redis.delete(*spent)


@pytest.mark.django_db
@pytest.mark.timeout(600)  # some fifteen hundred requests, on a machine that is busy with other tests
def test_everybody_gets_what_they_may_and_who_is_refused_changes_nothing() -> None:
    world = worlds.build()
    callers = Callers(world)
    wrong, works = [], set()
    for operation, declared in operations():
        good = REQUESTS[operation]
        forget_limits()
        make_market()
        for role in ROLES:
            wanted = expected(operation, declared, role)
            answer, changed = callers.ask(operation, good, role)
            got = str(answer.status_code)
            code = answer.json().get("code") if answer.status_code >= 400 else ""
            if got != (str(good.status) if wanted == MAY else wanted):
                wrong.append(f"{operation} as {role}: {got} {code}, not {wanted}")
            if wanted != MAY and changed:
                wrong.append(f"{operation} as {role}: was refused and has changed {sorted(changed)}")
            works |= {operation} if wanted == MAY and changed else set()
            if role in STRANGERS and ADDRESS in answer.content:
                wrong.append(f"{operation} as {role}: was told the owner's address")
    assert not wrong, "\n".join(wrong)
    assert len(works) >= 35, works  # what is written is seen: so the refusals that write nothing do prove something


# a thing of Alice's through a door that is open to who asks: their own contest, the contest they share, everybody's channel
THROUGH_OPEN_DOORS = [
    *(("another", "competition_id", "elsewhere", thing) for thing in ("order_id", "position_id")),
    *(("rival", "competition_id", "sprint", thing) for thing in ("order_id", "position_id")),
    ("another", "channel_id", "hall", "message_id"),
]


@pytest.mark.django_db
def test_what_is_not_ones_own_is_not_there_through_an_open_door_either() -> None:
    world = worlds.build()
    world.ids["elsewhere"] = world.cast.elsewhere.pk
    callers, tried = Callers(world), 0
    for role, parent, door, thing in THROUGH_OPEN_DOORS:
        for operation, good in REQUESTS.items():
            if f"{{{thing}}}" not in operation[1] or (thing == "message_id" and good.ids["channel_id"] == "hall"):
                continue
            forget_limits()
            answer, changed = callers.ask(operation, good, role, **{parent: door})
            assert (answer.status_code, changed) == (404, set()), (role, operation, door, answer.content)
            tried += 1
    assert tried == 12
