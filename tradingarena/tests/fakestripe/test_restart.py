"""With a state file everything survives a restart, a kill in the middle included: sessions, keys, time, pending webhooks."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tradingarena.localstack.fakestripe import FakeStripe, StoreError
from tradingarena.localstack.fakestripe.store import Store
from tradingarena.tests.fakestripe.support import PAID, Receiver, client_of, new_session, types, until

# Changes an object again and again, two rows in one change, and says so; to be killed at any moment.
CHANGING = """
import sys
from pathlib import Path
from tradingarena.localstack.fakestripe.store import Store
store = Store(Path(sys.argv[1]))
for number in range(1_000_000):
    with store.change():
        store.put({"object": "one", "id": "1", "number": number, "filler": "x" * 5_000})
        store.put({"object": "two", "id": "2", "number": number, "filler": "x" * 5_000})
    print(number, flush=True)
"""


def test_everything_is_there_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    file = tmp_path / "fakestripe.sqlite3"
    with FakeStripe(state_file=file, webhook_url=receiver.url) as stripe:
        client = client_of(stripe)
        stripe.webhooks(paused=True)
        paid, waits, later = new_session(client, key="order-1"), new_session(client), new_session(client)
        stripe.pay(paid.id)
        stripe.pay_later(later.id, settles_in_s=3_600)
        stripe.advance(60)
        events = stripe.events()
        was_at = stripe.port
    with FakeStripe(state_file=file, webhook_url=receiver.url) as stripe:
        client = client_of(stripe)
        assert stripe.port != was_at
        assert stripe.wait_delivered()
        assert [event.id for event in receiver.events] == [event["id"] for event in events]
        assert types(stripe)[:4] == PAID
        assert client.v1.checkout.sessions.retrieve(paid.id).payment_status == "paid"
        assert client.v1.checkout.sessions.retrieve(waits.id).url == f"{stripe.url}/c/pay/{waits.id}"
        assert new_session(client, key="order-1").id == paid.id
        assert stripe.state.ahead_s == 60
        stripe.advance(3_600)
        assert client.v1.checkout.sessions.retrieve(later.id).payment_status == "paid"


def test_without_a_file_nothing_is_kept() -> None:
    with FakeStripe() as stripe:
        made = new_session(client_of(stripe))
    with FakeStripe() as stripe:
        assert stripe.state.store.get("checkout.session", made.id) is None


@pytest.mark.processes
def test_a_kill_leaves_a_change_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "state"
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-c", CHANGING, str(file)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
        process.stdout.close()
        process.wait()
        store = Store(file)
        one, two = store.get("one", "1"), store.get("two", "2")
        store.close()
        assert one is not None
        assert two is not None
        assert one["number"] == two["number"] >= int(said[-1] if said[-1].endswith("\n") else said[-2])


def test_a_state_file_belongs_to_one_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "state"
    with (
        FakeStripe(state_file=file),
        pytest.raises(StoreError, match="another process uses it"),
        FakeStripe(state_file=file),
    ):
        pass
    with FakeStripe(state_file=file) as stripe:
        assert stripe.events() == []


def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear diary, " * 200)
    with pytest.raises(StoreError, match="not a database"), FakeStripe(state_file=file):
        pass
    assert file.read_text() == "Dear diary, " * 200
    with pytest.raises(StoreError, match="No such file"), FakeStripe(state_file=tmp_path / "no" / "such" / "place"):
        pass


def test_the_file_is_a_sound_database(tmp_path: Path) -> None:
    file = tmp_path / "state"
    with FakeStripe(state_file=file) as stripe:
        stripe.pay(new_session(client_of(stripe)).id)
        until("the sender has looked", lambda: stripe.sender.pending() == 0)
    assert os.listdir(tmp_path) == ["state"]
    assert file.stat().st_mode & 0o777 == 0o600
    database = sqlite3.connect(file)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()
