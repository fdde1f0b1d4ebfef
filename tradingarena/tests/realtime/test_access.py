"""Who hears what on the socket: every reader × every mode, before and after each change of the mode, with canaries told to each room.

The rules are those of docs/rules/arena.md; REST and pages are in `arena/tests/test_access_matrix.py`.
"""

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest

from arena.tests.stage import Session, ban, set_up
from competitions import broadcast, messages
from competitions.services.entries import entry_join
from competitions.tests.factories import make_entry
from tradingarena.core import realtime
from tradingarena.core.database_threads import in_database
from tradingarena.tests.realtime.client import Client, serve_here
from tradingarena.tests.realtime.conftest import make_session

# each of the twelve changes once
TOUR = (
    "open", "closed", "open", "private", "open", "token_gated", "closed", "token_gated", "private", "closed", "private",
    "token_gated", "open",
)  # fmt: skip
WITHIN_S = 5


async def join(client: Client, session: Session) -> dict[str, object]:
    return await client.ask(type="join_room", competition_id=str(session.contest.pk), id="join")


async def tell(session: Session, number: int) -> None:
    """Tell each room of the contest its canary, the board's last: who has heard that has heard all that is for them."""
    contest, owner = session.contest.pk, session.owner
    row = {
        "deal_id": str(owner.pk),
        "user_id": str(owner.user_id),
        "username": "alice",
        "pair": "EUR/USD",
        "side": "buy",
    }
    deal = {
        **row,
        "direction": "in",
        "units": number,
        "lots": "1.00",
        "price": "1.31313",
        "pnl_cents": 0,
        "at": messages.when_ms(0),
    }
    order = messages.order(await in_database(owner.orders.get))
    said = [
        broadcast.deal_on_tape(contest, deal),
        broadcast.deals_of_closed_trade(contest, [deal])[0],
        broadcast.order(owner.pk, order, None),
        broadcast.competition(contest, messages.competition(session.contest, entrants=number)),
    ]
    await asyncio.to_thread(realtime.publish_many, said)


async def hear(session: Session, number: int, clients: dict[str, Client], witness: str) -> dict[str, set[str]]:
    """Tell the rooms their canaries, and give the rooms that everybody has heard facts of.

    Shapes: the witness is somebody who hears the board: when they have, everybody else's frames have been written too.
    """
    for client in clients.values():
        await client.ask(type="ping", id="before")
        client.frames.clear()
    await tell(session, number)
    while (await clients[witness].next("competition_update"))["data"]["entrants"] != number:
        pass
    found = {}
    for who, client in clients.items():
        await client.ask(type="ping", id="after")
        found[who] = {frame["room"].partition(".")[0] for frame in client.frames if "seq" in frame}
    return found


def hears(session: Session, who: str, mode: str) -> set[str]:
    """Say which rooms somebody hears."""
    if who == "owner":
        return {"arena", "closed", "account"}
    if who == "rival":
        return {"arena", "closed"}
    return {"arena", "tape"} if session.may_see(who, mode) else set()


@pytest.fixture
def session(transactional_db: None) -> Session:
    return set_up()


async def test_no_room_is_heard_by_who_may_not_before_and_after_every_change(session: Session) -> None:
    assert len(set(pairwise(TOUR))) == 12
    keys = {who: await in_database(make_session, user) if user else "" for who, user in session.people.items()}
    await in_database(ban, session.people["banned"])
    async with serve_here() as site, AsyncExitStack() as stack:
        clients = {who: await stack.enter_async_context(site.client(session=key)) for who, key in keys.items()}
        for number, (mode, following) in enumerate(pairwise(TOUR), 1):
            await in_database(session.change, mode)
            for who, client in clients.items():
                answer = await join(client, session)
                assert (answer["type"] == "ack") == bool(hears(session, who, mode)), (who, mode, answer)
            found = await hear(session, 2 * number, clients, "rival")
            assert found == {who: hears(session, who, mode) for who in clients}, mode
            await in_database(session.change, following)
            async with asyncio.timeout(WITHIN_S):
                for who, client in clients.items():
                    lost = hears(session, who, mode) - hears(session, who, following)
                    while lost:
                        lost.discard((await client.next("room_closed"))["room"].partition(".")[0])
            found = await hear(session, 2 * number + 1, clients, "rival")
            kept = {who: hears(session, who, mode) & hears(session, who, following) for who in clients}
            assert found == kept, (mode, following)


async def test_a_spectator_who_enters_hears_open_trades_no_more(session: Session) -> None:
    key = await in_database(make_session, session.people["unpaid"])
    async with serve_here() as site, site.client(session=key) as client:
        await join(client, session)
        assert await hear(session, 1, {"she": client}, "she") == {"she": {"arena", "tape"}}
        await in_database(
            lambda: type(session.contest).objects.filter(pk=session.contest.pk).update(late_join_bps=9_000)
        )
        async with asyncio.timeout(WITHIN_S):
            await in_database(entry_join, session.people["unpaid"], session.contest.pk)
            while (await client.next("room_closed"))["room"] != messages.tape_room(session.contest.pk):
                pass
        assert await hear(session, 2, {"she": client}, "she") == {"she": {"arena"}}
        await join(client, session)
        assert await hear(session, 3, {"she": client}, "she") == {"she": {"arena", "closed"}}


async def test_a_ban_ends_the_stream_though_no_order_said_so(session: Session) -> None:
    key = await in_database(make_session, session.people["paid"])
    async with serve_here() as site, site.client(session=key) as client:
        await join(client, session)
        await in_database(ban, session.people["paid"])
        async with asyncio.timeout(WITHIN_S):
            assert await client.closed() == (4403, "account_disabled")


async def test_a_changed_mode_is_found_though_no_order_said_so(session: Session) -> None:
    async with serve_here() as site, site.client() as client:
        await join(client, session)
        await in_database(lambda: type(session.listing).objects.filter(pk=session.listing.pk).update(mode="closed"))
        async with asyncio.timeout(WITHIN_S):
            assert (await client.next("room_closed"))["data"]["code"] == "watching_closed"


async def test_an_entrant_hears_nothing_of_what_another_contest_shows(session: Session) -> None:
    mallory = session.cast.mallory
    key = await in_database(make_session, mallory)
    async with serve_here() as site, site.client(session=key) as client:
        answer = await join(client, session)
        names = {str(head["room"]).partition(".")[0] for head in answer["data"]["rooms"]}  # type: ignore[index]
        assert names == {"arena", "tape", "quotes"}
        await in_database(make_entry, session.contest, mallory)
        async with asyncio.timeout(WITHIN_S):
            assert (await client.next("room_closed"))["room"].startswith("tape.")
