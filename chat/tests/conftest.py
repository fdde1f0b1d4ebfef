"""People who talk, and where."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.rules import roles
from chat.models import Channel, Message
from chat.services import channels, posting
from competitions.tests.factories import make_user
from tradingarena.tests.fresh import fresh_redis

LONG_AGO = timedelta(days=60)


def settle(user: User) -> User:
    """Let somebody have been here for two months, so that nothing they say is a newcomer's."""
    user.date_joined = timezone.now() - LONG_AGO
    user.save(update_fields=["date_joined"])
    return user


@pytest.fixture
def ann(db: None) -> User:
    fresh_redis()
    return settle(make_user("ann"))


@pytest.fixture
def ben(db: None) -> User:
    return settle(make_user("ben"))


@pytest.fixture
def mona(db: None) -> User:
    return settle(make_user("mona", role=roles.MODERATOR))


@pytest.fixture
def hall(db: None) -> Channel:
    """The channel of everybody."""
    return channels.global_channel()


@pytest.fixture
def say(hall: Channel) -> Callable[..., Message]:
    """Say something, in the hall unless another channel is named."""

    def post(author: User, text: str, *, channel: Channel | None = None, client_id: str = "", **more: Any) -> Message:
        draft = posting.Draft(text, client_id or secrets.token_hex(8), **more)
        return posting.message_post(author, (channel or hall).pk, draft).message

    return post


def pause(user: User, by: timedelta = timedelta(minutes=2)) -> None:
    """Let what somebody has said have been said a while ago."""
    for message in Message.objects.filter(author=user):
        Message.objects.filter(pk=message.pk).update(created_at=message.created_at - by)
