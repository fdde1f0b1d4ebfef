"""Staying the leader: one thread renews the feed's lease while the loop is alive. Who may lead is decided in core/leases.py."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from django.db import DatabaseError, close_old_connections, connection

from tradingarena.core import leases
from tradingarena.core.models import Lease

log = logging.getLogger(__name__)

LEASE_MS = 5_000
RENEW_EVERY_S = 1.0
STUCK_AFTER_S = 30.0  # a loop that shows no life for so long loses its lease


class LeaseKeeper:
    """Renews a held lease until it is stopped or lost. `lost` is set when somebody else may lead from now on."""

    def __init__(self, held: leases.Held, note: Callable[[], dict[str, Any]], *, lease_ms: int = LEASE_MS) -> None:
        self.held, self.note, self.lease_ms = held, note, lease_ms
        self.lost = threading.Event()
        self._ending = threading.Event()
        self._alive_s = self._renewed_s = time.monotonic()
        self._thread = threading.Thread(target=self._keep, name=f"lease {held.name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop renewing; what has been renewed stays valid until it runs out or is released."""
        self._ending.set()
        self._thread.join()

    def alive(self) -> None:
        """Show that the loop is alive."""
        self._alive_s = time.monotonic()

    def _keep(self) -> None:
        try:
            while not self._ending.wait(RENEW_EVERY_S):
                if time.monotonic() - self._alive_s > STUCK_AFTER_S:
                    log.error("the loop that holds %s shows no life: giving the lease up", self.held.name)
                    self.lost.set()
                    return
                self._renew()
                if self.lost.is_set():
                    return
        finally:
            connection.close()

    def _renew(self) -> None:
        began_s = time.monotonic()
        try:
            close_old_connections()
            again = leases.claim(self.held.name, self.held.holder, lease_ms=self.lease_ms, note=self.note())
        except DatabaseError as error:
            log.warning("the lease %s could not be renewed: %s", self.held.name, str(error).strip())
            connection.close()
            if time.monotonic() - self._renewed_s > self.lease_ms / 1000:
                self.lost.set()
            return
        if again is None or again.epoch != self.held.epoch:
            self.lost.set()
        else:
            self._renewed_s = began_s


def claim(name: str, holder: str, note: dict[str, Any], *, lease_ms: int = LEASE_MS) -> leases.Held | None:
    """Try once to take a lease; None while another holds it or the database does not answer."""
    try:
        close_old_connections()
        return leases.claim(name, holder, lease_ms=lease_ms, note=note)
    except DatabaseError as error:
        log.warning("the lease %s could not be claimed: %s", name, str(error).strip())
        connection.close()
        return None


def who_leads(name: str) -> str:
    """Say in a sentence who holds a lease."""
    try:
        found = Lease.objects.filter(name=name).first()
    except DatabaseError:
        return "the database does not answer, so nobody can lead"
    if found is None:
        return "the database does not answer in time"
    source = found.note.get("provider", "?") if isinstance(found.note, dict) else "?"
    return f"another feed ({source}) is led by {found.holder}"
