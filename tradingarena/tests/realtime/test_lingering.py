"""Disposable messages that wait a moment: the newest of each kind is handed on, once, whoever adds and whatever fails."""

import os
import threading
from collections.abc import Sequence

from tradingarena.core.lingering import Lingering
from tradingarena.core.wire import Latest


def price(value: int, key: str = "") -> Latest:
    return Latest("stage.x", "price", {"p": value}, key=key)


def test_of_several_the_newest_of_each_kind_is_told_by_a_thread_of_its_own() -> None:
    told: list[Sequence[Latest]] = []
    done = threading.Event()

    def hand_on(messages: Sequence[Latest]) -> None:
        told.append(messages)
        if any(message.data["p"] == 99 for message in messages):
            done.set()

    soon = Lingering(hand_on, lambda: 0.05)
    adders = [threading.Thread(target=lambda: [soon.add([price(value)]) for value in range(50)]) for _ in range(4)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join(60)
    soon.add([price(7, "other"), price(99)])
    assert done.wait(60)
    last = {message.key: message.data["p"] for batch in told for message in batch}
    assert last == {"": 99, "other": 7}
    assert sum(map(len, told)) < 200


def test_where_nothing_lingers_it_is_told_at_once_and_in_order() -> None:
    told: list[Latest] = []
    soon = Lingering(told.extend, lambda: 0.0)
    soon.add([price(1), price(2)])
    assert [message.data["p"] for message in told] == [1, 2]


def test_a_failure_is_logged_and_the_next_message_told() -> None:
    told: list[Latest] = []
    done = threading.Event()

    def hand_on(messages: Sequence[Latest]) -> None:
        if messages[0].data["p"] == 1:
            raise ValueError("this one cannot be told")
        told.extend(messages)
        done.set()

    soon = Lingering(hand_on, lambda: 3600)
    soon.add([price(1)])
    soon.flush()
    soon.add([price(2)])
    soon.flush()
    assert done.is_set()
    assert [message.data["p"] for message in told] == [2]


def test_a_forked_process_tells_its_own_and_not_what_waits_in_its_parent() -> None:
    told: list[Latest] = []
    soon = Lingering(told.extend, lambda: 3600)
    soon.add([price(1)])
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        soon.add([price(2)])
        soon.flush()
        os.write(writer, bytes(message.data["p"] for message in told))
        os._exit(0)
    os.close(writer)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(reader, 10) == b"\x02"
    os.close(reader)
    soon.flush()
    assert [message.data["p"] for message in told] == [1]
