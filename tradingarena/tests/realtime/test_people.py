"""Who a socket belongs to: origins, sessions, tickets, scopes, places, and how soon revoked people are gone."""

import asyncio
import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache

from tradingarena.core import realtime, redis_client, rooms, tickets
from tradingarena.core.addresses import client_address, is_trusted_origin, own_origin, parse_origin
from tradingarena.core.database_threads import in_database
from tradingarena.tests.realtime.client import WAIT_S, Site
from tradingarena.tests.realtime.conftest import make_session


@pytest.fixture
def person(make_person: Any) -> Any:
    return make_person()


@pytest.fixture
def session(person: Any) -> str:
    return make_session(person)


async def change(person: Any, **fields: Any) -> None:
    """Change a person's row behind everybody's back: no signal, no order."""
    await in_database(lambda: type(person).objects.filter(pk=person.pk).update(**fields))


# -- origins ----------------------------------------------------------------------------------------------------------------

HOST = [(b"host", b"arena.example:8443")]


@pytest.mark.parametrize(
    ("origin", "trusted"),
    [
        ("https://arena.example:8443", True),
        ("https://ARENA.example:8443", True),
        ("http://arena.example:8443", False),
        ("https://arena.example", False),
        ("https://arena.example:443", False),
        ("https://arena.example:8443/", False),
        ("https://arena.example:8443.evil.example", False),
        ("https://evil.example", False),
        ("https://arena.example:8443@evil.example", False),
        ("https://user@arena.example:8443", False),
        ("https://sub.arena.example:8443", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://arena.example:99999", False),
        ("https://[::1", False),
        ("https://partner.example", True),
        ("https://partner.example:444", False),
        ("http://partner.example", False),
        ("https://a.wild.example", True),
        ("https://a.b.wild.example", True),
        ("https://wild.example", False),
        ("https://notwild.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(origin: str, trusted: bool, settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://partner.example", "https://*.wild.example"]
    assert is_trusted_origin(origin, own_origin("wss", HOST)) is trusted


def test_the_own_origin_follows_the_proxy_only_when_that_is_configured(settings: Any) -> None:
    headers = [(b"host", b"arena.example"), (b"x-forwarded-proto", b"https")]
    assert own_origin("ws", headers) == ("http", "arena.example", 80)
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert own_origin("ws", headers) == ("https", "arena.example", 443)
    settings.ALLOWED_HOSTS = ["other.example"]
    assert own_origin("ws", headers) is None
    assert own_origin("ws", []) is None
    assert own_origin("ws", [*headers, (b"host", b"two.example")]) is None
    assert parse_origin("http://[::1]:8000") == ("http", "[::1]", 8000)


def test_forwarded_addresses_count_only_from_configured_proxies(settings: Any) -> None:
    headers = [(b"x-forwarded-for", b"6.6.6.6, 1.2.3.4"), (b"x-forwarded-for", b"10.0.0.9")]
    settings.TRUSTED_PROXIES = 0
    assert client_address("9.9.9.9", headers) == "9.9.9.9"
    settings.TRUSTED_PROXIES = 1
    assert client_address("9.9.9.9", headers) == "10.0.0.9"
    settings.TRUSTED_PROXIES = 2
    assert client_address("9.9.9.9", headers) == "1.2.3.4"
    settings.TRUSTED_PROXIES = 4
    assert client_address("9.9.9.9", headers) == "9.9.9.9"


async def test_foreign_pages_are_closed_out_with_or_without_a_session(either_site: Site, session: str) -> None:
    foreign = (
        "http://evil.example",
        f"http://127.0.0.1:{either_site.port + 1}",
        f"https://127.0.0.1:{either_site.port}",
        "null",
    )
    for origin in foreign:
        for key in (session, ""):
            async with either_site.client(session=key, origin=origin) as client:
                assert await client.closed() == (4403, "origin_refused"), origin


async def test_no_origin_is_a_program_and_programs_have_no_session(site: Site, session: str) -> None:
    async with site.client() as client:
        assert (await client.ask(type="ping", id="1"))["type"] == "pong"
    async with site.client(headers=[("Cookie", f"sessionid={session}")]) as client:
        assert await client.closed() == (4403, "origin_refused")


# -- signing in -------------------------------------------------------------------------------------------------------------


async def test_a_session_hears_its_own_room_and_private_rooms(
    either_site: Site, person: Any, session: str, stage: str
) -> None:
    async with either_site.client(session=session) as client:
        ack = await client.ask(type="enter_stage", name=stage, id="1")
        assert f"account.{person.pk}" in [head["room"] for head in ack["data"]["rooms"]]
        assert (await client.ask(type="enter_box", name=stage, id="2"))["type"] == "ack"
        assert (await client.ask(type="ring", times=2, id="3"))["data"] == {"times": 2, "by": str(person.pk)}
        realtime.publish_latest(f"user.{person.pk}", "wallet_update", {"balance_tokens": 5, "debt_tokens": 0})
        assert (await client.next("wallet_update"))["data"] == {"balance_tokens": 5, "debt_tokens": 0}


@pytest.mark.django_db(transaction=True)
async def test_an_unknown_session_is_an_anonymous_spectator(site: Site, stage: str) -> None:
    async with site.client(session="0123456789abcdefghijklmnopqrstuv") as client:
        assert (await client.ask(type="enter_stage", name=stage, id="1"))["type"] == "ack"
        assert (await client.ask(type="enter_box", name=stage, id="2"))["code"] == "not_signed_in"


async def test_a_refusing_or_broken_handler_is_an_answer(site: Site, session: str) -> None:
    async with site.client(session=session) as client:
        limited = await client.ask(type="ring", times=7, id="1")
        assert (limited["code"], limited["retry_after"]) == ("too_fast", 3)
        assert (await client.ask(type="ping", id="2"))["type"] == "pong"
        await client.send(type="ring", times=8, id="3")
        assert await client.closed() == (1011, "unavailable")
        assert "broken" not in str(client.frames)


async def test_a_ticket_signs_in_once_and_bounds_what_may_be_done(either_site: Site, person: Any, stage: str) -> None:
    ticket = await in_database(lambda: tickets.issue(person.pk, ["read"]))
    async with either_site.client() as client:
        ack = await client.ask(type="auth", ticket=ticket, id="1")
        assert ack["data"]["user_id"] == str(person.pk)
        assert ack["data"]["rooms"][0]["room"] == f"user.{person.pk}"
        assert (await client.ask(type="enter_stage", name=stage, id="2"))["type"] == "ack"
        assert (await client.ask(type="enter_box", name=stage, id="3"))["code"] == "scope_missing"
        assert (await client.ask(type="auth", ticket=ticket, id="4"))["code"] == "already_signed_in"
    async with either_site.client() as client:
        await client.send(type="auth", ticket=ticket, id="1")
        assert await client.closed() == (4401, "ticket_invalid")


async def test_a_ticket_raced_by_many_sockets_lets_one_in(site: Site, person: Any) -> None:
    for _ in range(5):
        ticket = await in_database(lambda: tickets.issue(person.pk, ["read"]))

        async def try_it(ticket: str = ticket) -> str:
            async with site.client() as client:
                return str((await client.ask(type="auth", ticket=ticket, id="1"))["type"])

        assert sorted(await asyncio.gather(*(try_it() for _ in range(6)))) == ["ack"] + ["error"] * 5


async def test_an_old_or_invented_ticket_is_refused(site: Site, person: Any) -> None:
    ticket = await in_database(lambda: tickets.issue(person.pk, ["read"]))
    ttl = [redis_client.client().ttl(key) for key in redis_client.client().scan_iter(redis_client.key("ticket", "*"))]
    assert ttl
    assert all(0 < left <= 30 for left in ttl)  # type: ignore[operator]
    for key in redis_client.client().scan_iter(redis_client.key("ticket", "*")):
        assert ticket not in key.decode()
        redis_client.client().delete(key)
    for bad in (ticket, "x", "x" * 128):
        async with site.client() as client:
            await client.send(type="auth", ticket=bad)
            assert await client.closed() == (4401, "ticket_invalid")


async def test_a_disabled_person_gets_in_by_neither_way(site: Site, person: Any, session: str) -> None:
    ticket = await in_database(lambda: tickets.issue(person.pk, ["read"]))
    await change(person, is_active=False)
    async with site.client(session=session) as client:
        assert (await client.ask(type="ring", times=1, id="1"))["code"] == "not_signed_in"
    async with site.client() as client:
        await client.send(type="auth", ticket=ticket)
        assert (await client.closed())[0] in {4401, 4403}


# -- places -----------------------------------------------------------------------------------------------------------------


async def test_a_person_and_an_address_have_so_many_sockets(site: Site, session: str, settings: Any) -> None:
    settings.SOCKETS_PER_USER = 2
    async with site.client(session=session) as one, site.client(session=session) as two:
        assert (await one.ask(type="ping", id="1"))["type"] == (await two.ask(type="ping", id="1"))["type"] == "pong"
        async with site.client(session=session) as three:
            assert await three.closed() == (4429, "too_many_sockets")
    async with site.client(session=session) as again:
        assert (await again.ask(type="ping", id="1"))["type"] == "pong"
    settings.SOCKETS_PER_ADDRESS = 1
    async with site.client() as one:
        assert (await one.ask(type="ping", id="1"))["type"] == "pong"
        async with site.client() as two:
            assert await two.closed() == (4429, "too_many_sockets")


async def test_places_of_other_processes_count_and_expire(site: Site, settings: Any) -> None:
    from tradingarena.core import limits

    settings.SOCKETS_PER_ADDRESS = 1
    assert await limits.ahold("sockets-address", "127.0.0.1", "another process", limit=1, keep_s=0.5)
    async with site.client() as client:
        assert await client.closed() == (4429, "too_many_sockets")
    await limits.arelease("sockets-address", "127.0.0.1", "another process")
    async with site.client() as client:
        assert (await client.ask(type="ping", id="1"))["type"] == "pong"


# -- the end of what was allowed ----------------------------------------------------------------------------------------------


async def end_of(client: Any) -> tuple[int | None, str]:
    async with asyncio.timeout(WAIT_S):
        found: tuple[int | None, str] = await client.closed()
        return found


async def test_an_order_ends_a_persons_sockets_at_once(
    either_site: Site, person: Any, session: str, make_person: Any
) -> None:
    async with either_site.client(session=session) as client, either_site.client() as bystander:
        await client.ask(type="ping", id="1")
        await ready_for_orders()
        await in_database(realtime.revoke_user, person.pk, 4403)
        assert await end_of(client) == (4403, "account_disabled")
        assert "session_revoked" in [frame["type"] for frame in client.frames]
        assert (await bystander.ask(type="ping", id="1"))["type"] == "pong"


async def test_an_order_ends_one_session_and_leaves_the_others(site: Site, person: Any, session: str) -> None:
    other = await in_database(make_session, person)
    async with site.client(session=session) as client, site.client(session=other) as stays:
        await client.ask(type="ping", id="1")
        await ready_for_orders()
        await in_database(realtime.revoke_session, session)
        assert await end_of(client) == (4401, "session_ended")
        assert (await stays.ask(type="ping", id="1"))["type"] == "pong"


@pytest.mark.parametrize("end", ["session deleted", "disabled", "password changed", "person check", "token revoked"])
async def test_without_any_order_the_recheck_ends_it_within_5_s(
    site: Site, person: Any, session: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if end != "session deleted":  # one of them at the real pace
        monkeypatch.setattr("tradingarena.core.guards.RECHECK_EVERY_S", 0.1)
    good = {"t1"}
    rooms.add_credential_check("test", lambda rests: [rest for rest in rests if rest in good])
    refused: dict[Any, Any] = {}
    rooms.add_person_check(lambda ids: {key: why for key, why in refused.items() if key in ids})
    ticket = await in_database(lambda: tickets.issue(person.pk, ["read"], credential="test:t1"))
    async with site.client(session="" if end == "token revoked" else session) as client:
        if end == "token revoked":
            await client.ask(type="auth", ticket=ticket, id="1")
        await client.ask(type="ping", id="1")
        if end == "session deleted":
            await in_database(Session.objects.filter(session_key=session).delete)
        elif end == "disabled":
            await change(person, is_active=False)
        elif end == "password changed":
            await change(person, password="another")
        elif end == "person check":
            from tradingarena.core.errors import Forbidden

            refused[person.pk] = Forbidden("Banned.", code="banned")
        else:
            good.clear()
        code, why = await end_of(client)
        assert (code, why) in {(4401, "session_ended"), (4403, "account_disabled"), (4403, "banned")}


async def test_a_closed_gate_ends_the_room_and_on_its_own_path_the_socket(site: Site, stage: str) -> None:
    async with site.client("/ws") as shared, site.client("/ws/arena") as own:
        for client in (shared, own):
            await client.ask(type="enter_stage", name=stage, id="1")
        cache.set(f"stage-closed-{stage}", True, 30)
        async with asyncio.timeout(WAIT_S):
            closed = [await shared.next("room_closed"), await shared.next("room_closed")]
        assert {frame["room"] for frame in closed} == {f"stage.{stage}", f"side.{stage}"}
        assert closed[0]["data"]["code"] == "stage_closed"
        assert await end_of(own) == (4403, "stage_closed")
        realtime.publish_fact(f"stage.{stage}", "secret", {})
        await shared.nothing()


async def test_an_order_rechecks_one_room_at_once(site: Site, person: Any, session: str, stage: str) -> None:
    async with site.client(session=session) as client:
        await client.ask(type="enter_box", name=stage, id="1")
        await ready_for_orders()
        cache.set(f"unwanted-{person.pk}", True, 30)
        started = time.monotonic()
        await in_database(realtime.recheck_room, f"box.{stage}")
        assert (await client.next("room_closed"))["data"]["code"] == "unwanted"
        assert time.monotonic() - started < 5
        await in_database(realtime.close_room, f"box.{stage}")
        assert (await client.ask(type="ping", id="2"))["type"] == "pong"


async def test_an_order_closes_a_room_for_everybody(site: Site, stage: str) -> None:
    async with site.client("/ws/arena") as client:
        await client.ask(type="enter_stage", name=stage, id="1")
        await ready_for_orders()
        await in_database(realtime.close_room, f"stage.{stage}")
        assert await end_of(client) == (4404, "not_found")


async def ready_for_orders() -> None:
    """Wait until this process listens to orders."""
    channel = realtime_group()
    async with asyncio.timeout(WAIT_S):
        while not dict(await redis_client.async_client().pubsub_numsub(channel)).get(channel.encode()):  # noqa: ASYNC110  only Redis knows
            await asyncio.sleep(0)


def realtime_group() -> str:
    from channels.layers import get_channel_layer

    layer: Any = get_channel_layer()
    return str(layer._get_group_channel_name(realtime.CONTROL_GROUP))
