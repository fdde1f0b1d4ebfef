"""Idempotency-Key: the same key and body get the same answer, and the work is done once.

Where a client makes the row's own id (orders, bets), that id is the key and this is not needed. Rules: docs/api/idempotency.md.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from tradingarena.core.errors import DomainError, Malformed
from tradingarena.core.models import IdempotentAnswer

KEEP = timedelta(days=1)
Answer = tuple[int, Any]


class KeyReused(DomainError):
    """Raised when a key comes again with another body."""

    code, status, message = "idempotency_key_reused", 422, "This Idempotency-Key was used for another request."


class KeyMissing(Malformed):
    """Raised when a request that moves something has no key."""

    code, message = (
        "idempotency_key_required",
        "Send an Idempotency-Key header (1 to 255 characters) with this request.",
    )


def answer_once(
    *, user_id: UUID, endpoint: str, key: str, body: bytes, work: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """Do `work` once per key and answer the same ever after.

    Shapes: ((status, JSON-ready body), replayed).
    Guarantees: the answer commits with the work's own rows or not at all; of simultaneous requests one works and the
        others wait for its answer. A refusal (DomainError) keeps no answer: the next try is judged afresh.
    Locks / Effects: opens the transaction; the key's unique row is the lock.
    Raises: KeyMissing, KeyReused, and whatever `work` raises.
    """
    if not 1 <= len(key) <= 255:
        raise KeyMissing
    digest = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        try:
            with transaction.atomic():
                row = IdempotentAnswer.objects.create(user_id=user_id, endpoint=endpoint, key=key, body_sha256=digest)
        except IntegrityError:
            row = IdempotentAnswer.objects.get(user_id=user_id, endpoint=endpoint, key=key)
            if row.body_sha256 != digest:
                raise KeyReused from None
            assert row.status is not None  # the row commits together with its answer
            return (row.status, row.body), True
        status, answer = work()
        row.status, row.body = status, answer
        row.save(update_fields=["status", "body"])
        return (status, answer), False


def sweep() -> int:
    """Forget answers older than a day; say how many."""
    count, _ = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEEP).delete()
    return count
