"""The payments stand-in that `up` runs when nobody has configured Stripe: its port, its secrets, and how others find it.

The server is in `fakestripe/`. The settings of one machine read the file that is written here (`settings/env.py`).
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradingarena.localstack.children import Command
from tradingarena.localstack.place import replace_file
from tradingarena.localstack.services import environment_values, given_values
from tradingarena.localstack.stack import Address, StackError

STATE = "fakestripe.sqlite3"
WEBHOOK_PATH = "api/stripe/webhook"
PORTS_TRIED = 50


@dataclass(frozen=True)
class StandIn:
    """Where the stand-in listens, and what the whole program needs to know of it."""

    address: Address
    environment: Mapping[str, str]

    @property
    def note(self) -> str:
        """Return what the person at the terminal should know."""
        return f"Payments: a local stand-in at {self.environment['STRIPE_API_BASE']}; no card is charged"

    def command(self, web: Address, state: Path) -> Command:
        """Return the process that serves it; its secrets come from the environment, which no other user can list."""
        arguments = [sys.executable, "manage.py", "fakestripe", "--host", self.address.host]
        arguments += ["--port", str(self.address.port), "--state", str(state / STATE)]
        return Command("fakestripe", [*arguments, "--webhook-url", web.url + WEBHOOK_PATH])


def find_stand_in(root: Path, file: Path, web: Address) -> StandIn | None:
    """Choose the stand-in's port and secrets and write them down, None when somebody has configured a key of Stripe.

    Shapes: `file` is what the settings read; it is removed when there is no stand-in.
    Guarantees: the secrets stay the same from start to start, the port too as long as it is free.
    Raises: StackError: FAKESTRIPE_PORT is none, or taken.
    """
    if given_values(root, ["STRIPE_SECRET_KEY"], file):
        file.unlink(missing_ok=True)
        return None
    kept = environment_values(file)
    address = _address(web)
    values = {
        "STRIPE_SECRET_KEY": kept.get("STRIPE_SECRET_KEY") or f"sk_test_local_{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": kept.get("STRIPE_WEBHOOK_SECRET") or f"whsec_local_{secrets.token_hex(16)}",
        "STRIPE_API_BASE": address.url.rstrip("/"),
        "STRIPE_STAND_IN": "1",
    }
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    text = f"# Written by `manage.py up` at each start. A STRIPE_SECRET_KEY in the environment or .env comes first.\n{lines}"
    if values != kept:
        replace_file(file, text, mode=0o600)
    return StandIn(address, values)


def _address(web: Address) -> Address:
    """Choose FAKESTRIPE_PORT, or the first free port above the web server's (below it, at the end of the range)."""
    wanted = os.environ.get("FAKESTRIPE_PORT") or ""
    if not wanted:
        above = range(web.port + 1, min(web.port + 1 + PORTS_TRIED, 65_536))
        below = range(web.port - 1, max(web.port - 1 - PORTS_TRIED, 0), -1)
        for port in (*above, *below):
            if (found := Address(web.host, port)).is_free():
                return found
        raise StackError(f"No port near {web.port} is free for the payments stand-in; choose one: FAKESTRIPE_PORT=9100")
    if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted) <= 65_535 or int(wanted) == web.port:
        raise StackError(f"FAKESTRIPE_PORT must be a number from 1 to 65535 and not the web server's, not {wanted!r}")
    found = Address(web.host, int(wanted))
    if not found.is_free():
        raise StackError(f"FAKESTRIPE_PORT={wanted} is taken or forbidden; choose another one, or none for a free one")
    return found
