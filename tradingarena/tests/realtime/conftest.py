"""What the realtime tests share: the stage, people with sessions, a server in this loop."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.db import SessionStore

from tradingarena.tests.realtime import stage as stage_rooms
from tradingarena.tests.realtime.client import Site, serve_here


@pytest.fixture(autouse=True)
def stage() -> Iterator[str]:
    """Register the tests' rooms, and give a name that no other test has used."""
    stage_rooms.register()
    yield secrets.token_hex(6)
    stage_rooms.forget()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Serve in this loop, the way production does."""
    async with serve_here() as served:
        yield served


@pytest.fixture(params=["prepared", "asgi"])
async def either_site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """Serve in this loop, once for each way out."""
    async with serve_here(prepared=request.param == "prepared") as served:
        yield served


@pytest.fixture
def make_person(transactional_db: None) -> Callable[..., Any]:
    """Make a person; `make_session` signs them in."""

    def make(name: str = "") -> Any:
        name = name or f"p{secrets.token_hex(5)}"
        return get_user_model().objects.create_user(
            email=f"{name}@example.com", username=name, password="correct horse battery"
        )

    return make


def make_session(user: Any) -> str:
    """Give the key of a new session of this person."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    key: str | None = session.session_key
    assert key
    return key
