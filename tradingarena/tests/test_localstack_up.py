"""`manage.py up` for real: it announces itself when everything is ready, survives kills, and leaves nothing."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tradingarena.localstack.guard import group_alive
from tradingarena.localstack.services import Services

ROOT = Path(__file__).resolve().parent.parent.parent
# What a command in another terminal finds; `manage.py` chooses these settings when nobody else does.
SAY_STRIPE = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tradingarena.settings.local"
import tradingarena.settings.env
print(*(os.environ[f"STRIPE_{name}"] for name in ("SECRET_KEY", "WEBHOOK_SECRET", "API_BASE", "STAND_IN")))
"""
ORDER: Any = {
    "mode": "payment",
    "success_url": "http://127.0.0.1/return",
    "line_items": [
        {"quantity": 1, "price_data": {"currency": "usd", "unit_amount": 500, "product_data": {"name": "500 tokens"}}}
    ],
}
PATIENCE_S = 120.0
pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="arena-up-", dir="/tmp"))
    path.chmod(0o755)
    for name in ("DATABASE_URL", "REDIS_URL", "ARENA_KEY_PREFIX", "DJANGO_SETTINGS_MODULE", "HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("STRIPE_SECRET_KEY", "FAKESTRIPE_PORT"):
        monkeypatch.setenv(name, "")  # whatever the checkout's own .env says
    monkeypatch.setenv("ARENA_STATE_DIR", str(path))
    yield path
    Services(ROOT).remove()
    shutil.rmtree(path)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Run:
    """One `manage.py up`. What it says is read all the time: a pipe that nobody empties would hold up every part of it."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            self.said.extend(lines)

    @property
    def text(self) -> str:
        return "".join(self.said)

    def until(self, wanted: str) -> str:
        """Wait until it says something; give all that it has said."""
        self.wait(lambda: wanted in self.text, f"it said {wanted!r}")
        return self.text

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait for something; when it does not come, show what was said."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}\n{self.text[-20_000:]}"
            time.sleep(0.1)

    def end(self, number: int) -> str:
        """Send it a signal and wait for its end; give all that it has said."""
        self.process.send_signal(number)
        self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return self.text


def children(state: Path) -> dict[str, int]:
    return {each["name"]: each["pid"] for each in json.loads((state / "up.json").read_text())["processes"]}


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def answers(payments: stripe.StripeClient, session: str) -> bool:
    try:
        return payments.v1.checkout.sessions.retrieve(session).id == session
    except stripe.APIConnectionError:
        return False


def payments_beside() -> stripe.StripeClient:
    """Talk to Stripe as a command in another terminal would: with what the settings find."""
    found = subprocess.run([sys.executable, "-c", SAY_STRIPE], cwd=ROOT, capture_output=True, text=True, check=True)
    key, secret, base, stand_in = found.stdout.split()
    assert secret.startswith("whsec_local_")
    assert stand_in == "1"
    return stripe.StripeClient(key, base_addresses={"api": base}, max_network_retries=0)


def test_up_announces_itself_survives_kills_and_leaves_nothing(state: Path, port: int) -> None:
    """One story, since each start takes seconds: kills of its parts, its own kill, the next start, a clean end."""
    run = Run(port)
    run.until(f"Trading Arena is running:  http://127.0.0.1:{port}/")
    assert ready(port)
    first = children(state)
    assert set(first) == {"web", "feed", "engine", "worker", "beat", "fakestripe"}
    assert re.search(
        r"Payments: a local stand-in at http://127\.0\.0\.1:\d+; no card is charged", run.until("no card is charged")
    )
    payments = payments_beside()
    made = payments.v1.checkout.sessions.create(params=ORDER)

    services = Services(ROOT)
    for each in services.status():
        assert each.pid is not None
        os.kill(each.pid, signal.SIGKILL)
    for name in ("web", "fakestripe"):
        os.kill(first[name], signal.SIGKILL)
    run.wait(lambda: services.alive() and ready(port), "everything was ready again")
    run.wait(lambda: answers(payments, made.id), "payments were there again")
    second = children(state)
    assert second["web"] != first["web"]

    run.end(signal.SIGKILL)
    following = Run(port)
    following.until("Trading Arena is running")
    assert not any(group_alive(pid) for pid in second.values())
    payments = payments_beside()
    following.wait(lambda: answers(payments, made.id), "the next start kept the payments")

    again = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(port + 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert re.search(rf"running already, at http://127.0.0.1:{port}/ \(process {following.process.pid}\)", again.stderr)

    third = children(state)
    assert following.end(signal.SIGINT).endswith("Stopped.\n")
    assert following.process.returncode == 0
    assert not services.alive(redis=False)
    assert not services.alive(postgres=False)
    assert not any(group_alive(pid) for pid in third.values())
