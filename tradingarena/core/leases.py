"""Leadership by a row of the database with a fencing epoch. Nothing here trusts a process's own clock.

A leader renews well before its lease ends, and proves its epoch inside every transaction in which it writes: a paused
old leader that wakes up finds another epoch there and writes nothing.
"""

import json
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tradingarena.core.locks import require_transaction


class LeaseLost(Exception):
    """Raised when a leader finds that it is one no longer; it must drop what it holds in memory."""


@dataclass(frozen=True)
class Held:
    """A lease as its holder knows it."""

    name: str
    holder: str
    epoch: int


def new_holder() -> str:
    """Name this process so that no other, past or future, has the same name."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def claim(name: str, holder: str, *, lease_ms: int, note: dict[str, Any] | None = None) -> Held | None:
    """Take or renew a lease.

    Shapes: the lease as held from now on, or None while another holder's has not expired.
    Units: lease_ms in milliseconds on the database's clock.
    Guarantees: at most one holder at a time; a new holder has a higher epoch than every holder before it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO core_lease AS held (name, holder, epoch, expires_at, note)
            VALUES (%(name)s, %(holder)s, 1, clock_timestamp() + %(ms)s * interval '1 millisecond', %(note)s::jsonb)
            ON CONFLICT (name) DO UPDATE SET
                epoch = held.epoch + (held.holder <> excluded.holder)::int,
                holder = excluded.holder,
                expires_at = clock_timestamp() + %(ms)s * interval '1 millisecond',
                note = excluded.note
            WHERE held.holder = excluded.holder OR held.expires_at < clock_timestamp()
            RETURNING epoch
            """,
            {"name": name, "holder": holder, "ms": lease_ms, "note": json.dumps(note or {})},
        )
        row = cursor.fetchone()
    return Held(name, holder, row[0]) if row else None


def prove(held: Held) -> None:
    """Prove inside a transaction that the lease is still ours, and keep it so until the transaction ends.

    Locks / Effects: FOR SHARE on the lease's row: a rival's claim waits for our commit.
    Raises: LeaseLost: another holder has taken over. RuntimeError: no transaction is open.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM core_lease WHERE name = %s AND holder = %s AND epoch = %s FOR SHARE",
            [held.name, held.holder, held.epoch],
        )
        if cursor.fetchone() is None:
            raise LeaseLost(held.name)


def release(held: Held) -> None:
    """Give a lease back before its time, so that the next leader need not wait for it to expire."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_lease SET expires_at = to_timestamp(0) WHERE name = %s AND holder = %s AND epoch = %s",
            [held.name, held.holder, held.epoch],
        )


def fence(name: str) -> None:
    """Put whoever leads out of office: what it has not committed by now, it never will.

    Locks / Effects: the lease's row until the transaction ends; waits for the leader's commit under way.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_lease SET epoch = epoch + 1, holder = '', expires_at = to_timestamp(0) WHERE name = %s", [name]
        )
