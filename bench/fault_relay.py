"""A network between the arena and its PostgreSQL and Redis that can swallow everything: what is sent is taken and never answered.

A relay on a loopback port for each unix socket; no rights are needed. What was open while it swallowed stays silent for ever, as
behind a firewall that has lost its table; what is opened afterwards is carried again.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tradingarena.settings.env import database_config
from tradingarena.tests.flows.arena import ROOT


class Relay:
    """Carries TCP connections of a loopback port to a unix socket, until told to swallow them."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.swallows = False
        self.holes = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    @contextmanager
    def hole(self) -> Iterator[None]:
        """Swallow everything for the length of a block, and for ever on what was open in it."""
        self.holes += 1
        self.swallows = True
        try:
            yield
        finally:
            self.swallows = False

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                try:
                    far.connect(self.target)
                except OSError:
                    near.close()
                    continue
                born = -1 if self.swallows else self.holes
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(source, sink, born), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, born: int) -> None:
        """Carry one direction; in a connection that has met a hole nothing arrives any more, not even its end."""
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                if born == self.holes:
                    sink.sendall(data)
        if born == self.holes:
            for each in (source, sink):
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        else:
            # whoever hung up is gone; the other end hears nothing of it, and its descriptor is all that is kept
            with contextlib.suppress(OSError):
                source.shutdown(socket.SHUT_RD)


@contextmanager
def far_services(state: Path) -> Iterator[tuple[dict[str, str], dict[str, Relay]]]:
    """Run PostgreSQL and Redis of their own behind relays; give the addresses for an arena, and the relays by name."""
    state.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment["ARENA_STATE_DIR"] = str(state)
    command = [sys.executable, "manage.py", "services"]
    relays: dict[str, Relay] = {}
    try:
        subprocess.run([*command, "start"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
        lines = (state / "services.env").read_text().splitlines()
        urls = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        config = database_config(urls["DATABASE_URL"])
        relays["PostgreSQL"] = Relay(f"{config['HOST']}/.s.PGSQL.{config['PORT'] or 5432}")
        relays["Redis"] = Relay(urls["REDIS_URL"].removeprefix("unix://").partition("?")[0])
        yield (
            {
                "DATABASE_URL": f"postgres://{config['USER']}@127.0.0.1:{relays['PostgreSQL'].port}/{config['NAME']}",
                "REDIS_URL": f"redis://127.0.0.1:{relays['Redis'].port}/0",
            },
            relays,
        )
    finally:
        for relay in relays.values():
            relay.close()
        subprocess.run([*command, "remove"], cwd=ROOT, env=environment, check=False, capture_output=True, timeout=120)
