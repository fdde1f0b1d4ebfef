"""A whole arena in its own state directory, started as a person starts it, and a client that asks until it is answered."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 90.0


class Unanswered(Exception):
    """Raised when a request got no answer: it may have been done or not."""


def until(what: str, look: Callable[[], Any], *, patience_s: float = PATIENCE_S) -> Any:
    """Look again and again until there is something to see."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not within {patience_s:.0f} s: {what}")


class Arena:
    """One running arena. Its database, Redis and processes are its own."""

    def __init__(self, state: Path, **environment: str) -> None:
        self.state = state
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DATABASE_URL", "REDIS_URL", "ARENA_KEY_PREFIX"}
        } | {
            "ARENA_STATE_DIR": str(state),
            "DJANGO_SETTINGS_MODULE": "tradingarena.settings.local",
            **environment,
        }
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> None:
        """Start everything and wait until it says that it is ready."""
        self.output = (self.state / "up.out").open("wb")
        self.up = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port), *arguments],
            cwd=ROOT, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        until(f"the arena at {self.url} is ready; see {self.state}/logs", self.is_ready)

    def is_ready(self) -> bool:
        """Tell whether every part is there."""
        assert self.up.poll() is None, (self.state / "up.out").read_text()
        try:
            return self.call("GET", "/readyz")[0] == 200
        except Unanswered:
            return False

    def stop(self) -> int:
        """Stop as Ctrl-C does and give the exit code."""
        self.up.send_signal(signal.SIGINT)
        code = self.up.wait(60)
        self.output.close()
        return code

    def processes(self) -> dict[str, int]:
        """Give the running parts: name to process id."""
        found = json.loads((self.state / "up.json").read_text())["processes"]
        return {one["name"]: one["pid"] for one in found}

    def kill(self, name: str) -> None:
        """Kill one part with all its own children, as a crash does."""
        pid = self.processes().get(name)
        if pid is not None:
            os.killpg(pid, signal.SIGKILL)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an operator's command in this arena."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.services_environment(), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def services_environment(self) -> dict[str, str]:
        """Give the environment with the addresses of this arena's own services."""
        written = self.state / "services.env"  # none where both were given
        lines = written.read_text().splitlines() if written.is_file() else []
        return self.environment | dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    def person(self, name: str, *options: str) -> "Person":
        """Add somebody with an API token."""
        return self.people({name: options})[0]

    def people(self, wanted: dict[str, Sequence[str]]) -> "list[Person]":
        """Add several people, each with an API token and with options of `add_user`, in one process."""
        asked = [
            [
                "add_user",
                f"{name}@example.com",
                "--username",
                name,
                "--confirmed",
                "--api-token",
                "all",
                *options,
            ]
            for name, options in wanted.items()
        ]
        script = f"from django.core.management import call_command\nfor words in {asked!r}: call_command(*words)"
        done = self.manage("shell", "--no-imports", "-c", script)
        assert done.returncode == 0, done.stderr
        added = [json.loads(line) for line in done.stdout.splitlines()]
        return [Person(self, name, one["api_token"]) for name, one in zip(wanted, added, strict=True)]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> tuple[int, Any]:
        """Ask once.

        Raises: Unanswered: nobody answered, or the connection broke.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json", **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return answer.status, _json(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())
        except OSError as error:
            raise Unanswered(str(error)) from error
        except Exception as error:  # http.client has a dozen names for a connection that broke in the middle
            raise Unanswered(repr(error)) from error


class Person:
    """Somebody who uses the REST API, and asks again with the same key until answered."""

    def __init__(self, arena: Arena, name: str, token: str) -> None:
        self.arena, self.name, self.token = arena, name, token

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> tuple[int, Any]:
        """Ask until there is an answer that is not 'unavailable'."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                status, answer = self.arena.call(method, path, body, headers=headers)
                if status != 503:
                    return status, answer
            except Unanswered:
                pass
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} was never answered")


@contextmanager
def running(state: Path, *arguments: str, **environment: str) -> Iterator[Arena]:
    """Run an arena for the length of a test, and leave nothing behind."""
    state.mkdir(parents=True, exist_ok=True)
    arena = Arena(state, **environment)
    try:
        arena.start(*arguments)
        yield arena
    finally:
        if arena.up.poll() is None:
            arena.stop()
        subprocess.run(  # what it keeps outside its state directory where root may not hand that to PostgreSQL
            [sys.executable, "manage.py", "services", "remove"],
            cwd=ROOT, env=arena.environment, capture_output=True, timeout=60, check=False,
        )  # fmt: skip


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
