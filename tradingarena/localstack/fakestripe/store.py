"""Where the stand-in keeps what has happened: objects by kind and id in SQLite, in memory or in a file.

A change is whole or not at all, also when the process is killed. What the objects mean is decided elsewhere.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tradingarena.localstack.fakestripe.wire import Values

SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    due REAL,
    json TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS objects_due ON objects (kind, due) WHERE due IS NOT NULL;
"""


class StoreError(RuntimeError):
    """The state file cannot be used; the message says why."""


class Store:
    """Objects as plain values, each with `object` (its kind) and `id`.

    Guarantees: safe from any thread; what changes inside `change` is kept together or not at all.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.on_change: Callable[[], None] = lambda: None
        self._depth = 0
        try:
            if file is not None:  # readable by its owner alone when it is new: it knows who bought what
                os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(file or ":memory:", isolation_level=None, check_same_thread=False, timeout=0.5)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("BEGIN EXCLUSIVE")
            for statement in SCHEMA.split(";"):
                self._db.execute(statement)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._db.close()
            taken = "another process uses it" if "locked" in str(error) else str(error)
            raise StoreError(f"{file}: {taken}") from error

    def close(self) -> None:
        """Let go of the file."""
        with self.lock:
            self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Change several objects as one; an exception undoes all of it.

        Effects: calls `on_change` when it is kept.
        """
        with self.lock:
            if self._depth == 0:
                self._db.execute("BEGIN")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1
            if self._depth == 0:
                self.on_change()

    def put(self, value: Values, *, due: float | None = None) -> Values:
        """Keep an object in its place, or as the newest of its kind; `due` is when `due` should find it."""
        with self.lock:
            self._db.execute(
                "INSERT INTO objects (kind, id, due, json) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json, due = excluded.due",
                (value["object"], value["id"], due, json.dumps(value)),
            )
        return value

    def get(self, kind: str, name: str) -> Values | None:
        """Give an object, None when there is none."""
        found = self._read("kind = ? AND id = ?", kind, name)
        return found[0] if found else None

    def remove(self, kind: str, name: str) -> None:
        """Forget an object."""
        with self.lock:
            self._db.execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, name))

    def forget_due(self, kind: str, now: float) -> None:
        """Forget the objects of a kind that are due."""
        with self.lock:
            self._db.execute("DELETE FROM objects WHERE kind = ? AND due <= ?", (kind, now))

    def newest(self, kind: str) -> list[Values]:
        """Give all objects of a kind, the newest first."""
        return self._read("kind = ? ORDER BY seq DESC", kind)

    def due(self, kind: str, now: float) -> list[Values]:
        """Give the objects of a kind that are due, the oldest first."""
        return self._read("kind = ? AND due <= ? ORDER BY seq", kind, now)

    def next_due(self, kind: str) -> float | None:
        """Give when the next object of a kind is due."""
        with self.lock:
            found = self._db.execute("SELECT min(due) FROM objects WHERE kind = ?", (kind,)).fetchone()
        return None if found[0] is None else float(found[0])

    def count(self, kind: str) -> int:
        """Count the objects of a kind."""
        with self.lock:
            return int(self._db.execute("SELECT count(*) FROM objects WHERE kind = ?", (kind,)).fetchone()[0])

    def _read(self, where: str, *values: object) -> list[Values]:
        with self.lock:
            rows = self._db.execute(f"SELECT json FROM objects WHERE {where}", values).fetchall()  # noqa: S608  our own words
        return [json.loads(row[0]) for row in rows]
