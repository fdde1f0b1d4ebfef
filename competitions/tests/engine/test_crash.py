"""An engine that dies at any point leaves the same rows as one that lives: on the real database and the real bus."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from competitions.models import Fill, Order
from competitions.services import execution, journal
from competitions.services.desk import Desk
from competitions.services.execution import Engine
from competitions.tests.engine.plot import Plot, caught_up, expire_leases, fresh_engine
from competitions.tests.stage import Market, contest, enter, person, wish
from tradingarena.core.leases import LeaseLost
from tradingarena.core.models import Lease

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The process is gone. Nothing catches it but the test."""


class Reaper:
    """Kills the engine at random places: before, within and after a commit, and before and after a checkpoint."""

    PLACES = (
        "before commit",
        "within commit",
        "after commit",
        "before checkpoint",
        "after checkpoint",
        "between steps",
    )

    def __init__(self, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dice = random.Random(seed)
        self.deaths: list[str] = []
        for place, owner, name in (("commit", Desk, "commit"), ("checkpoint", Desk, "checkpoint")):
            monkeypatch.setattr(owner, name, self._around(getattr(owner, name), f"before {place}", f"after {place}"))
        monkeypatch.setattr(journal, "write", self._around(journal.write, "", "within commit"))

    def may_kill(self, place: str, chance: float = 0.12) -> None:
        """Kill here, perhaps."""
        if place and self.dice.random() < chance:
            self.deaths.append(place)
            raise Killed(place)

    def _around(self, work: Callable[..., Any], before: str, after: str) -> Callable[..., Any]:
        def watched(*args: Any) -> Any:
            self.may_kill(before)
            result = work(*args)
            self.may_kill(after)
            return result

        return watched


def undisturbed(seed: int) -> list[dict[str, Any]]:
    plot = Plot(seed)
    plot.begin()
    engine = fresh_engine(plot)

    def decide() -> None:
        while engine.step():
            continue

    rows = plot.tell(decide)
    plot.check_ids()
    return rows


def interrupted(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[dict[str, Any]], list[str]]:
    plot = Plot(seed)
    competition = plot.begin()
    reaper = Reaper(seed, monkeypatch)
    lives = [fresh_engine(plot)]

    def decide() -> None:
        while True:
            engine = lives[-1]
            try:
                engine.step()
                reaper.may_kill("between steps", 0.05)
            except Killed:
                expire_leases()
                monkeypatch.setattr(execution, "CHECKPOINT_EVERY_S", reaper.dice.choice((0.0, 1_000.0)))
                lives.append(fresh_engine(plot))
            else:
                if caught_up(engine, competition.pk):
                    return

    rows = plot.tell(decide)
    plot.check_ids()
    return rows, reaper.deaths


@pytest.mark.parametrize("seed", [1, 2])
def test_an_engine_that_dies_at_any_point_leaves_the_rows_of_one_that_lives(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed(seed)
    with monkeypatch.context() as patch:
        found, deaths = interrupted(seed, patch)
    assert len(deaths) > 5
    for one, other in zip(expected, found, strict=True):
        assert other == one
    tables = {row["table"] for row in expected}
    assert tables == {"Entry", "Order", "Fill", "Deal", "Position", "Trade", "Amendment"}
    assert {row["rule"] for row in expected if row["table"] == "Fill"} >= {
        "market",
        "limit",
        "stop",
        "stop_loss",
        "end",
    }


def test_a_fenced_engine_that_wakes_up_writes_nothing() -> None:
    market = Market()
    alice = enter(contest(), person("alice"))
    old, new = Engine(market.bus, clock=None), Engine(market.bus, clock=None)
    market.send((0, "EUR/USD", "1.08500", "1.08510"), (1, "USD/JPY", "150.000", "150.010"))
    old.step()
    wish(alice, 10, "EUR/USD", 10_000)
    market.send((100, "EUR/USD", "1.08520", "1.08530"))
    old._next_claim = float("inf")  # it sleeps, and will not look at its lease when it wakes
    expire_leases()
    new.step()
    first = Fill.objects.get()
    assert first.engine_epoch == new.desks[alice.competition_id].lease.epoch == 2
    wish(alice, 200, "EUR/USD", -10_000)
    market.send((300, "EUR/USD", "1.08540", "1.08550"))
    sleeper = old.desks[alice.competition_id]
    old.step()
    assert old.desks == {}
    assert Fill.objects.count() == 1
    with pytest.raises(LeaseLost):
        sleeper.checkpoint()
    new.step()
    assert [fill.engine_epoch for fill in Fill.objects.order_by("number")] == [2, 2]


def test_two_engines_share_contests_and_double_nothing() -> None:
    market = Market()
    market.send((0, "EUR/USD", "1.08500", "1.08510"), (1, "USD/JPY", "150.000", "150.010"))
    engines = [Engine(market.bus, clock=None) for _ in range(2)]
    entries = []
    for number, engine in enumerate(engines):  # each finds the contests that have just begun
        entries += [enter(contest(), person(f"p{number}{each}")) for each in range(2)]
        engine._next_claim = 0.0
        engine.step()
    assert [len(engine.desks) for engine in engines] == [2, 2]
    assert not engines[0].desks.keys() & engines[1].desks.keys()
    for round_ in range(10):
        for entry in entries:
            wish(entry, 100 * round_ + 50, "EUR/USD", 1_000 if round_ % 3 else -1_000)
    done = threading.Event()
    failures: list[BaseException] = []

    def work(engine: Engine) -> None:
        try:
            while not done.is_set():
                engine._next_claim = 0.0  # they would look at each other's leases once a second
                engine.step(block_ms=10)
            engine.stop()
        except BaseException as error:  # a thread's failure has to reach the test
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    try:
        for round_ in range(10):
            market.send((100 * round_ + 100, "EUR/USD", "1.08520", "1.08530"))
        undecided = Order.objects.exclude(status=Order.Status.FILLED)
        while undecided.exists() and not failures:
            threads[0].join(0.01)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert Fill.objects.count() == 40
    assert set(Fill.objects.values_list("engine_epoch", flat=True)) == {1}
    assert set(Lease.objects.filter(name__startswith="competition:").values_list("epoch", flat=True)) == {1}
