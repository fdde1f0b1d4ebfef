"""The chat on real sockets: the order of REST, nothing deleted in a replay, and no way around a sanction."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from accounts.models import User
from accounts.rules import roles
from chat import broadcast, messages
from chat.models import Channel, Message, Sanction
from chat.services import channels, telling
from chat.services.posting import Draft, message_post
from chat.services.sanctions import message_delete, sanction_impose
from chat.tests.conftest import settle
from competitions.tests.factories import make_competition, make_user
from tradingarena.core import realtime, redis_client, wire
from tradingarena.core.errors import DomainError
from tradingarena.tests.asyncapi import assert_frame, sent
from tradingarena.tests.fresh import fresh_redis
from tradingarena.tests.realtime.client import Client, Site, serve_here
from tradingarena.tests.realtime.conftest import make_session
from tradingarena.tests.realtime.own_redis import OwnRedis

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serve_here() as served:
        yield served


@sync_to_async
def in_thread(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


@pytest.fixture
async def people(transactional_db: None) -> dict[str, User]:
    def make() -> dict[str, User]:
        fresh_redis()
        roles_of = {"ann": roles.USER, "ben": roles.USER, "cleo": roles.USER, "mona": roles.MODERATOR}
        return {name: settle(make_user(name, role=role)) for name, role in roles_of.items()}

    made: dict[str, User] = await in_thread(make)
    return made


async def session_of(user: User) -> str:
    key: str = await in_thread(lambda: make_session(user))
    return key


async def hall() -> Channel:
    channel: Channel = await in_thread(channels.global_channel)
    return channel


async def say(author: User, channel: Channel, text: str) -> Message:
    said: Message = await in_thread(lambda: message_post(author, channel.pk, Draft(text, secrets.token_hex(8))).message)
    return said


def frame(channel: Channel, text: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel_id": str(channel.pk),
        "text": text,
        "client_id": secrets.token_hex(8),
        "id": "1",
        **more,
    }


async def listen(client: Client, channel: Channel, **more: Any) -> dict[str, Any]:
    return await client.ask(type="join_channel", channel_id=str(channel.pk), id="j", **more)


async def test_what_is_said_over_a_socket_reaches_everybody_in_the_order_of_rest(
    site: Site, people: dict[str, User]
) -> None:
    channel = await hall()
    ann, ben = await session_of(people["ann"]), await session_of(people["ben"])
    async with site.client(session=ann) as one, site.client(session=ben) as two, site.client() as stranger:
        for client in (one, two, stranger):
            assert (await listen(client, channel))["type"] == "ack"
        answers = [await one.ask(**frame(channel, "hello ben")), await two.ask(**frame(channel, "hello ann"))]
        assert [answer["data"]["number"] for answer in answers] == [1, 2]
        heard = await stranger.facts(2, "message")
        assert [(one["seq"], one["data"]["username"], one["data"]["text"]) for one in heard] == [
            (1, "ann", "hello ben"), (2, "ben", "hello ann"),
        ]  # fmt: skip
        await one.ask(type="user_typing", channel_id=str(channel.pk), id="t")
        assert (await stranger.next("user_typing"))["data"]["username"] == "ann"
        assert (await one.ask(type="user_typing", channel_id=str(channel.pk), id="t"))["code"] == "too_fast"
        refused = await stranger.ask(**frame(channel, "I am nobody"))
        assert refused["code"] == "not_signed_in"
        duplicate = await one.ask(**frame(channel, "Hello Ben!"))
        assert duplicate["code"] == "chat_duplicate"
        assert 1 <= duplicate["retry_after"] <= 30


async def test_many_authors_at_once_are_heard_in_the_order_of_history(site: Site, people: dict[str, User]) -> None:
    channel = await hall()
    authors = [people["ann"], people["ben"], people["cleo"]]
    async with site.client() as one, site.client() as two:
        await listen(one, channel)
        await listen(two, channel)
        await asyncio.gather(
            *(say(author, channel, f"{n} of {author.username}") for author in authors for n in range(4))
        )
        heard = [await client.facts(12, "message") for client in (one, two)]
    stored = await in_thread(lambda: list(Message.objects.order_by("seq").values_list("text", flat=True)))
    for facts in heard:
        assert [fact["data"]["text"] for fact in facts] == stored
        assert [fact["seq"] for fact in facts] == list(range(1, 13))


async def test_deleted_text_is_in_no_replay(site: Site, people: dict[str, User]) -> None:
    channel = await hall()
    secret = await say(people["ann"], channel, "the swordfish hotel")
    async with site.client() as early:
        await listen(early, channel)
        await say(people["ben"], channel, "you should not")
        await in_thread(lambda: message_delete(people["mona"], channel.pk, secret.pk, reason="private"))
        gone = await early.next("message_deleted")
        assert (gone["seq"], gone["data"]["message_id"]) == (3, str(secret.pk))
        # from this process' memory, from Redis, and from the rows once Redis is empty
        for forget in (False, True):
            async with site.client() as late:
                await listen(late, channel, since=0)
                facts = await late.facts(3, "message", "message_deleted")
                assert facts[0]["data"]["deleted"]
                assert "swordfish" not in str(late.frames)
            state = wire.parse_state(
                redis_client.client().eval(
                    wire.READ_SCRIPT, 3, *wire.keys_of(messages.room_of(channel.pk)), "e", 60, "1"
                )  # type: ignore[arg-type]
            )
            assert not any(b"swordfish" in fact for fact in state.facts)
            if not forget:
                redis_client.client().delete(*wire.keys_of(messages.room_of(channel.pk)))
                assert await in_thread(lambda: telling.catch_up(Channel.objects.get(pk=channel.pk)))
                await early.next("resync")


async def test_what_a_killed_process_did_not_tell_is_told_by_the_next(
    site: Site, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = await hall()
    async with site.client() as reader:
        await listen(reader, channel)
        await say(people["ann"], channel, "first")
        with monkeypatch.context() as killed:
            killed.setattr(telling, "_tell", lambda *_: None)
            await say(people["ben"], channel, "committed and never told")
        await say(people["cleo"], channel, "third")
        heard = await reader.facts(3, "message")
        assert [fact["data"]["text"] for fact in heard] == ["first", "committed and never told", "third"]
        with monkeypatch.context() as killed:
            killed.setattr(telling, "_tell", lambda *_: None)
            await say(people["ann"], channel, "and nobody speaks after it")
        assert await in_thread(telling.catch_up_all) == 1
        assert (await reader.next("message"))["seq"] == 4
        assert await in_thread(telling.catch_up_all) == 0


@pytest.mark.parametrize("action", ["mute", "ban"])
async def test_a_sanction_holds_on_sockets_that_were_open_before(
    site: Site, people: dict[str, User], action: str
) -> None:
    channel, ben = await hall(), people["ben"]
    arena = await in_thread(lambda: channels.competition_channel(make_competition()))
    async with site.client(session=await session_of(ben)) as client:
        for place in (channel, arena):
            await listen(client, place)
        assert (await client.ask(**frame(channel, "before")))["type"] == "ack"
        await in_thread(
            lambda: sanction_impose(people["mona"], ben.pk, action, channel_id=None, reason="Calm down.", preset="1h")
        )
        told = await client.next("sanction")
        assert (told["data"]["action"], told["data"]["by"], told["data"]["reason"]) == (action, "mona", "Calm down.")
        code = "chat_muted" if action == "mute" else "chat_banned"
        for place in (channel, arena):
            refused = await client.ask(**frame(place, "after"))
            assert refused["code"] == code
            assert "Calm down." in refused["detail"]
        if action == "ban":
            closed = {(await client.next("room_closed"))["room"] for _ in range(2)}
            assert closed == {messages.room_of(channel.pk), messages.room_of(arena.pk)}
        async with site.client(session=await session_of(ben)) as another:
            assert (await another.ask(**frame(channel, "a new socket")))["code"] == code
            assert (await listen(another, channel))["type"] == ("ack" if action == "mute" else "error")
    assert await in_thread(lambda: Message.objects.count()) == 1


async def test_without_redis_everything_is_judged_and_stored_and_told_when_it_is_back(
    people: dict[str, User], settings: Any
) -> None:
    channel = await hall()
    with OwnRedis.running() as own:
        settings.REDIS_LIVE_URL = own.url
        own.stop()
        first = await say(people["ann"], channel, "nobody hears this yet")
        await in_thread(
            lambda: sanction_impose(people["mona"], people["ben"].pk, "mute", channel_id=None, reason="Calm down.")
        )
        with pytest.raises(DomainError) as refusal:
            await say(people["ben"], channel, "me neither")
        assert (first.seq, refusal.value.code) == (1, "chat_muted")
        own.start()
        assert await in_thread(telling.catch_up_all) == 1
        told = realtime.replay(messages.room_of(channel.pk), 0)
        assert b"nobody hears this yet" in told[0]  # type: ignore[operator]


async def test_two_people_are_heard_by_nobody_else(site: Site, people: dict[str, User]) -> None:
    talk = await in_thread(lambda: channels.direct_channel(people["ann"], people["ben"]))
    async with site.client(session=await session_of(people["mona"])) as other, site.client() as stranger:
        for client in (other, stranger):
            assert (await listen(client, talk))["code"] == "not_found"
    async with site.client("/ws/chat", session=await session_of(people["ben"])) as party:
        assert (await listen(party, talk))["type"] == "ack"
        assert (await party.ask(type="message", channel_id=str(talk.pk), text=7, client_id="1", id="b"))[
            "code"
        ] == "bad_frame"


async def test_what_is_said_is_as_documented(people: dict[str, User]) -> None:
    channel = await hall()
    message = await say(people["ann"], channel, "what a sh1t fill")

    def check() -> None:
        gone = message_delete(people["ann"], channel.pk, message.pk)
        row = Sanction(user=people["ben"], action="warn", reason="Be kind.", actor=None, at=message.created_at)
        assert_frame(sent(broadcast.sanction(row)))
        assert_frame(sent(wire.Latest(**{**_fields(broadcast.typing(channel, people["ann"])), "keep_s": 60})))
        for fact in telling.facts(channel.pk, 0, gone.deleted_seq or 0):
            redis_client.client().delete(*wire.keys_of(fact.room))
            assert_frame(sent(wire.Fact(fact.room, fact.type, fact.data)))
        assert_frame(frame(channel, "hello", reply_to_id=None), action="receive")

    await in_thread(check)


def _fields(latest: wire.Latest) -> dict[str, Any]:
    return {name: getattr(latest, name) for name in ("room", "type", "data", "key", "keep_s")}


async def test_a_blocked_country_says_nothing_over_a_socket(site: Site, people: dict[str, User], settings: Any) -> None:
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = "header:X-Country", 1
    settings.COUNTRY_BLOCKS = {"chat": {"FR": "Not offered there."}}
    channel, session = await hall(), await session_of(people["ann"])
    for country, answered in (("FR", "error"), ("DE", "ack")):
        headers = [("X-Country", country), ("X-Forwarded-For", "203.0.113.5")]
        async with site.client(session=session, headers=headers) as client:
            answer = await client.ask(**frame(channel, f"hello from {country}", id=country))
            assert answer["type"] == answered, answer
            if answered == "error":
                assert answer["code"] == "country_refused"
                assert "Not offered there." in str(answer)
    assert await in_thread(lambda: list(Message.objects.values_list("text", flat=True))) == ["hello from DE"]
