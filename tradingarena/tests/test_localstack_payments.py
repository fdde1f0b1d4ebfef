"""The payments stand-in of `up`: when there is one, where it listens, and who finds it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradingarena.localstack.payments import find_stand_in
from tradingarena.localstack.stack import Address, StackError

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "STRIPE_API_BASE", "STRIPE_STAND_IN", "FAKESTRIPE_PORT")
SHOW = f"import tradingarena.settings.env, os; print(*(os.environ[name] or '-' for name in {NAMES[:4]!r}))"


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def web() -> Iterator[Address]:
    """A web server's address, its port taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Address("127.0.0.1", taken.getsockname()[1])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "payments.env"


def found_by(settings: str, state: Path, **environment: str) -> list[str]:
    """Give what a process with these settings has of the four variables."""
    chosen = {"DJANGO_SETTINGS_MODULE": f"tradingarena.settings.{settings}", "ARENA_STATE_DIR": str(state)}
    chosen |= dict.fromkeys(NAMES, "")  # whatever the checkout's own .env says
    command = [sys.executable, "-c", SHOW]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | chosen | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_its_secrets_are_random_stay_the_same_and_are_for_nobody_else_to_read(
    tmp_path: Path, file: Path, web: Address
) -> None:
    first = find_stand_in(tmp_path, file, web)
    again = find_stand_in(tmp_path, file, web)
    other = find_stand_in(tmp_path, tmp_path / "other.env", web)
    assert first is not None
    assert again is not None
    assert other is not None
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        assert first.environment[name] == again.environment[name] != other.environment[name]
    assert file.stat().st_mode & 0o777 == 0o600
    assert first.environment["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert first.environment["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")


def test_its_command_says_no_secret_that_others_could_list(tmp_path: Path, file: Path, web: Address) -> None:
    found = find_stand_in(tmp_path, file, web)
    assert found is not None
    command = found.command(web, tmp_path)
    assert not {found.environment["STRIPE_SECRET_KEY"], found.environment["STRIPE_WEBHOOK_SECRET"]} & set(
        command.arguments
    )
    assert command.arguments[-1] == f"http://127.0.0.1:{web.port}/api/stripe/webhook"
    assert found.note == f"Payments: a local stand-in at http://127.0.0.1:{found.address.port}; no card is charged"


def test_it_listens_on_the_first_free_port_above_the_web_servers(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = {8001, 8002}
    monkeypatch.setattr(Address, "is_free", lambda self: self.port not in taken)
    first = find_stand_in(tmp_path, file, Address("0.0.0.0", 8000))
    assert first is not None
    assert (first.address.host, first.address.port) == ("0.0.0.0", 8003)
    assert first.environment["STRIPE_API_BASE"] == "http://127.0.0.1:8003"
    last = find_stand_in(tmp_path, file, Address("127.0.0.1", 65_535))
    assert last is not None
    assert last.address.port == 65_534
    monkeypatch.setattr(Address, "is_free", lambda self: False)
    with pytest.raises(StackError, match="No port near 8000 is free"):
        find_stand_in(tmp_path, file, Address("127.0.0.1", 8000))


def test_its_port_can_be_chosen(tmp_path: Path, file: Path, web: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("FAKESTRIPE_PORT", str(port))
    found = find_stand_in(tmp_path, file, web)
    assert found is not None
    assert found.address.port == port
    for wrong in ("0", "65536", "http", "-1", "²", str(web.port)):
        monkeypatch.setenv("FAKESTRIPE_PORT", wrong)
        with pytest.raises(StackError, match="FAKESTRIPE_PORT must be a number"):
            find_stand_in(tmp_path, file, web)
    monkeypatch.setenv("FAKESTRIPE_PORT", str(web.port))
    with pytest.raises(StackError, match="is taken or forbidden"):
        find_stand_in(tmp_path, file, Address("127.0.0.1", port))


def test_there_is_none_when_a_key_is_configured(
    tmp_path: Path, file: Path, web: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = find_stand_in(tmp_path, file, web)
    assert made is not None
    monkeypatch.setenv("STRIPE_SECRET_KEY", made.environment["STRIPE_SECRET_KEY"])  # as the settings have read it
    assert find_stand_in(tmp_path, file, web) == made
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_stripe")
    assert find_stand_in(tmp_path, file, web) is None
    assert not file.exists()
    monkeypatch.delenv("STRIPE_SECRET_KEY")
    (tmp_path / ".env").write_text("STRIPE_SECRET_KEY='sk_test_of_stripe'\n")
    assert find_stand_in(tmp_path, file, web) is None
    (tmp_path / ".env").write_text("STRIPE_SECRET_KEY=\n")
    assert find_stand_in(tmp_path, file, web) is not None


def test_the_settings_of_one_machine_find_it_and_no_others_do(tmp_path: Path, file: Path, web: Address) -> None:
    made = find_stand_in(tmp_path, file, web)
    assert made is not None
    assert found_by("local", tmp_path) == [made.environment[name] for name in NAMES[:4]]
    assert found_by("local", tmp_path, STRIPE_SECRET_KEY="", STRIPE_API_BASE="http://x")[2:] == [
        made.environment["STRIPE_API_BASE"], "1",
    ]  # fmt: skip
    assert found_by("local", tmp_path, STRIPE_SECRET_KEY="sk_test_of_stripe") == ["sk_test_of_stripe", "-", "-", "-"]
    for settings in ("production", "test"):
        assert found_by(settings, tmp_path) == ["-"] * 4
