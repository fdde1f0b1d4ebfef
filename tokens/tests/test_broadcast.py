"""What a wallet's owner hears: the frame as docs/asyncapi.yaml has it, after a commit and only then."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from accounts.models import User
from tokens import broadcast, ledger
from tokens.ledger import Balance, House, Kind, house, wallet
from tokens.tests.ledger.book import give, pay
from tradingarena.core import realtime, redis_client, wire
from tradingarena.tests.asyncapi import assert_frame, sent


def holding(tokens: int, debt: int = 0, *, user_id: UUID | None = None) -> Balance:
    """A wallet that holds so many tokens."""
    return Balance(user_id or uuid4(), tokens, debt, 0)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that is published, in order."""
    heard: list[Any] = []
    monkeypatch.setattr(realtime, "publish_many", heard.extend)
    return heard


@pytest.mark.parametrize("held", [holding(5), holding(0, debt=70)])
def test_the_frame_is_as_documented(held: Balance) -> None:
    frame = sent(replace(broadcast.wallet(held), keep_s=60))
    assert_frame(frame)
    assert frame["data"] == {"balance_tokens": held.balance_tokens, "debt_tokens": held.debt_tokens}


@pytest.mark.django_db(transaction=True)
def test_both_sides_of_a_transfer_hear_what_they_hold(ann: User, ben: User, told: list[Any]) -> None:
    give(ann.pk, 100)
    pay(ann.pk, 30, wallet(ben.pk), kind=Kind.CHAT_TIP)
    heard = [(message.room, message.data["balance_tokens"]) for message in told]
    assert heard[0] == (f"user.{ann.pk}", 100)
    assert sorted(heard[1:]) == sorted([(f"user.{ann.pk}", 70), (f"user.{ben.pk}", 30)])


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told(ann: User, told: list[Any]) -> None:
    with transaction.atomic():
        ledger.move(Kind.REWARD, uuid4(), 5, source=house(House.PROMOTIONS), target=wallet(ann.pk), reason="A gift")
        transaction.set_rollback(True)
    assert told == []


@pytest.mark.django_db(transaction=True)
def test_a_large_payout_tells_only_those_who_are_there(ann: User, ben: User, told: list[Any]) -> None:
    with redis_client.client().pubsub() as listener:
        listener.subscribe(wire.channel_of(f"user.{ben.pk}"))
        assert listener.get_message(timeout=20)
        broadcast.wallets_changed([holding(1, user_id=pk) for pk in (ann.pk, ben.pk, *(uuid4() for _ in range(10)))])
    assert [message.room for message in told] == [f"user.{ben.pk}"]
