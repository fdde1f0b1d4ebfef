"""A hundred readers through cut connections, a killed web server and a restarted Redis: in the end each sees exactly what REST says."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from competitions.services.orders import order_place
from competitions.tests.factories import Desk, make_market
from tradingarena.core.database_threads import in_database
from tradingarena.tests.cast import Cast
from tradingarena.tests.realtime.client import free_port, process, web
from tradingarena.tests.realtime.conftest import make_session
from tradingarena.tests.realtime.own_redis import OwnRedis
from tradingarena.tests.realtime.watcher import Watcher

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

READERS = 100
PATIENCE_S = 40  # a machine that is busy with other things; what is wanted is two seconds


@pytest.fixture
def own_redis(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with OwnRedis.running() as own:
        settings.REDIS_LIVE_URL = settings.REDIS_URL = own.url
        settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [own.url]
        yield own


class Market:
    """Trades that go on whatever happens: an engine in the test's hands."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.turns = cast, 0
        self.desk = Desk()

    def turn(self) -> None:
        """Let alice and bob trade, and the board move."""
        self.turns += 1
        user, side = ((self.cast.alice, "buy"), (self.cast.bob, "sell"))[self.turns % 2]
        if self.turns % 7 == 0:
            side = {"buy": "sell", "sell": "buy"}[side]
        make_market(["EUR/USD", "USD/JPY"])  # fresh, however long the last turn is ago
        rests = self.turns % 5 == 0
        far = Decimal("1.00000") if side == "buy" else Decimal("1.20000")
        order_place(
            user, self.cast.sprint.pk, id=uuid4(), pair="EUR/USD", side=side, type="limit" if rests else "market",
            units=1_000 * self.turns, price=far if rests else None, stop_loss=None, take_profit=None,
        )  # fmt: skip
        pips = self.turns % 40
        self.desk.decide("EUR/USD", f"1.08{500 + pips}", f"1.08{510 + pips}")
        for standings in self.desk.engine.standings.values():
            standings.show()


async def different(watchers: list[Watcher]) -> list[str]:
    """Tell which readers do not see what a fresh snapshot shows, and in what."""
    fresh: dict[str, dict[str, Any]] = {}
    for watcher in watchers:
        if watcher.session not in fresh:
            mirror = Watcher(watcher.ports, watcher.competition_id, watcher.session)
            await mirror.fetch()
            fresh[watcher.session] = mirror.state()
    return [
        f"reader {place}, {name}: {seen[name]} and not {fresh[watcher.session][name]}"
        for place, watcher in enumerate(watchers)
        for seen in [watcher.state()]
        for name in seen
        if seen[name] != fresh[watcher.session][name]
    ]


async def until_the_same(watchers: list[Watcher]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while wrong := await different(watchers):
        assert asyncio.get_running_loop().time() < deadline, (len(wrong), wrong[0])
        await asyncio.sleep(0.2)


@pytest.mark.usefixtures("transactional_db")
async def test_every_reader_ends_with_what_rest_says(own_redis: OwnRedis, tmp_path: Path) -> None:
    cast = await in_database(Cast.assemble)
    market = await in_database(Market, cast)
    sessions = [await in_database(make_session, user) for user in (cast.alice, cast.bob, cast.carol)]
    one, two = free_port(), free_port()
    alive = [one, two]
    roomy = {"SOCKETS_PER_ADDRESS": "1000", "SOCKETS_PER_USER": "200"}
    with ExitStack() as servers:
        first = servers.enter_context(process(*web(one), port=one, **roomy))
        servers.enter_context(process(*web(two), port=two, **roomy))
        watchers = [
            Watcher(lambda: alive, str(cast.sprint.pk), sessions[place % 10] if place % 10 < 3 else "")
            for place in range(READERS)
        ]
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(watcher.run()) for watcher in watchers]
            try:
                await trade(market, 6)
                await until_the_same(watchers)
                for watcher in watchers[::2]:  # cut, with nothing said
                    if watcher.socket:
                        watcher.socket.transport.abort()
                await trade(market, 6)
                await until_the_same(watchers)
                alive.remove(one)
                first.send_signal(signal.SIGKILL)
                await trade(market, 6)
                await until_the_same(watchers)
                servers.enter_context(process(*web(one), port=one, **roomy))
                alive.append(one)
                own_redis.stop()  # quotes come over it: while it is away nothing is traded
                await asyncio.sleep(1)
                await asyncio.to_thread(own_redis.start)
                await trade(market, 6)
                await until_the_same(watchers)
                assert all(watcher.connected for watcher in watchers)
                assert sum(watcher.connected for watcher in watchers) > READERS + READERS // 2
                assert market.turns == 24
            finally:
                for task in running:
                    task.cancel()


async def trade(market: Market, turns: int) -> None:
    for _ in range(turns):
        await in_database(market.turn)
        await asyncio.sleep(0.05)
