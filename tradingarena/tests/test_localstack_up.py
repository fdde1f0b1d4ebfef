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
pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


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


def up(port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(port)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(process: "subprocess.Popen[str]", wanted: str) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if wanted in line:
            return "".join(said)
    raise AssertionError(f"it ended without saying {wanted!r}:\n{''.join(said)}")


def end(process: "subprocess.Popen[str]", number: int) -> str:
    assert process.stdout is not None
    process.send_signal(number)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait()
    return rest


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.1)


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
    process = up(port)
    read_until(process, f"Trading Arena is running:  http://127.0.0.1:{port}/")
    assert ready(port)
    first = children(state)
    assert set(first) == {"web", "feed", "engine", "worker", "beat", "fakestripe"}
    assert re.search(
        r"Payments: a local stand-in at http://127\.0\.0\.1:\d+; no card is charged", read_until(process, "Payments")
    )
    payments = payments_beside()
    made = payments.v1.checkout.sessions.create(params=ORDER)

    services = Services(ROOT)
    for each in services.status():
        assert each.pid is not None
        os.kill(each.pid, signal.SIGKILL)
    for name in ("web", "fakestripe"):
        os.kill(first[name], signal.SIGKILL)
    wait_until(lambda: services.alive() and ready(port), "everything was ready again")
    wait_until(lambda: answers(payments, made.id), "payments were there again")
    second = children(state)
    assert second["web"] != first["web"]

    end(process, signal.SIGKILL)
    following = up(port)
    read_until(following, "Trading Arena is running")
    assert not any(group_alive(pid) for pid in second.values())
    payments = payments_beside()
    wait_until(lambda: answers(payments, made.id), "the next start kept the payments")

    again = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", str(port + 1)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert re.search(rf"running already, at http://127.0.0.1:{port}/ \(process {following.pid}\)", again.stderr)

    third = children(state)
    assert end(following, signal.SIGINT).endswith("Stopped.\n")
    assert following.returncode == 0
    assert not services.alive(redis=False)
    assert not services.alive(postgres=False)
    assert not any(group_alive(pid) for pid in third.values())
