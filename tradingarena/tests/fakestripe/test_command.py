"""`manage.py fakestripe` as a process: it says how to reach it, serves, keeps its state, and ends cleanly; bad arguments are told."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk
from django.core.management import CommandError, call_command

from tradingarena.tests.fakestripe.support import Receiver, new_session, until

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[tuple[dict[str, str], "subprocess.Popen[str]"]]:
    """Run the command for the length of a block; gives the variables that it says."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "fakestripe", "--port", "0", *arguments],
        cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        lines = iter(process.stdout.readline, "")
        yield dict(line.strip().split("=", 1) for line in itertools.takewhile(lambda line: "=" in line, lines)), process
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def client_of(said: dict[str, str]) -> sdk.StripeClient:
    base = said["STRIPE_API_BASE"]
    return sdk.StripeClient(said["STRIPE_SECRET_KEY"], base_addresses={"api": base}, max_network_retries=0)


@pytest.mark.processes
def test_it_says_how_to_reach_it_delivers_and_keeps_its_state(tmp_path: Path, receiver: Receiver) -> None:
    """One story, since each start takes a second."""
    state = str(tmp_path / "state")
    receiver.secret = "whsec_old"
    secrets = ("--webhook-secret", "whsec_new", "--webhook-secret", "whsec_old")
    with running("--state", state, "--webhook-url", receiver.url, "--key", "sk_test_x", *secrets) as (said, process):
        assert said["STRIPE_SECRET_KEY"] == "sk_test_x"
        assert said["STRIPE_WEBHOOK_SECRET"] == "whsec_new"
        assert said["STRIPE_STAND_IN"] == "1"
        made = new_session(client_of(said))
        client_of(said).v1.checkout.sessions.expire(made.id)
        until("the event arrived", lambda: receiver.events)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    # As after `up`: the settings have the stand-in's own secrets.
    chosen = {"STRIPE_STAND_IN": "1", "STRIPE_SECRET_KEY": "sk_test_y", "STRIPE_WEBHOOK_SECRET": "whsec_y"}
    with running("--state", state, "--webhook-url", "", **chosen) as (said, process):
        assert said.keys() == {
            "STRIPE_API_BASE",
            "STRIPE_STAND_IN",
        }  # the secrets are known, and a log is no place for them
        assert client_of(said | chosen).v1.checkout.sessions.retrieve(made.id).status == "expired"
        process.terminate()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"key": "sk_live_1"}, "a live key has no business here"),
        ({"key": "pk_test_1"}, "begins with sk_test_"),
        ({"webhook_secret": ["secret"]}, "begins with whsec_"),
        ({"webhook_url": "localhost/hook"}, "is no http address"),
        ({"webhook_url": "ftp://localhost/"}, "is no http address"),
        ({"settles_in": -1.0}, "0 or more"),
        ({"settles_in": float("nan")}, "0 or more"),
        ({"port": 65_536}, "port 65536"),
        ({"host": "no.such.host.invalid", "port": 0}, "no.such.host.invalid"),
        ({"state": Path("/nowhere/at/all"), "port": 0}, "/nowhere/at/all: No such file"),
    ],
)
def test_a_wrong_argument_is_told(options: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(CommandError, match=why):
        call_command("fakestripe", **options)


def test_a_taken_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CommandError, match=r"127\.0\.0\.1 port \d+: .*in use"):
            call_command("fakestripe", port=taken.getsockname()[1])


def test_a_key_of_stripe_in_the_environment_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    from tradingarena.management.commands.fakestripe import _configured_secrets

    monkeypatch.delenv("STRIPE_STAND_IN", raising=False)
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_of_stripe")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_of_stripe")
    assert _configured_secrets() == ("", "")
    monkeypatch.setenv("STRIPE_STAND_IN", "1")
    assert _configured_secrets() == ("sk_test_of_stripe", "whsec_of_stripe")
