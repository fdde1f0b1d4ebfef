"""Are the feed and the engines alive? Looked at by beat, told to operators. What died is started again by whoever runs it.

Rules: docs/operations.md#supervision.
"""

import logging
from typing import Any

from competitions.models import Competition
from competitions.services.steps import lease_name
from tradingarena.core import leases
from tradingarena.core.clock import database_now
from tradingarena.core.models import Lease

log = logging.getLogger(__name__)

FEED, BEAT, INVARIANTS = "feed", "beat", "invariants"
BEAT_MS = 45_000  # a beat that is silent for so long shows on /readyz


def supervise() -> list[str]:
    """Find what does not live, log it once at ERROR, and renew the heartbeat of beat and worker.

    Shapes: a sentence for each trouble; empty when all is well.
    Locks / Effects: the lease `beat`: that it is there says that beat and a worker live; its note carries the troubles and
        the number of violations that the last proof of the books found.
    """
    found = _troubles()
    known: list[str] = Lease.objects.filter(name=BEAT).values_list("note__troubles", flat=True).first() or []
    for trouble in found:
        if trouble not in known:
            log.error("supervision_trouble", extra={"trouble": trouble})
    for trouble in known:
        if trouble not in found:
            log.warning("supervision_trouble_over", extra={"trouble": trouble})
    books: dict[str, Any] = Lease.objects.filter(name=INVARIANTS).values_list("note", flat=True).first() or {}
    note = {"troubles": found, "violations": books.get("violations", 0), "broken": books.get("broken", [])}
    leases.claim(BEAT, BEAT, lease_ms=BEAT_MS, note=note)
    return found


def _troubles() -> list[str]:
    now = database_now()
    alive = set(Lease.objects.filter(expires_at__gt=now).values_list("name", flat=True))
    found = [] if FEED in alive else ["no feed leads"]
    running = Competition.objects.filter(status=Competition.Status.RUNNING).order_by("starts_at")
    found += [f"{slug} has no engine" for pk, slug in running.values_list("pk", "slug") if lease_name(pk) not in alive]
    return found
