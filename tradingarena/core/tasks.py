"""The kernel's own background work. When it runs is in `tradingarena/schedule.py`."""

from celery import shared_task

from tradingarena.core import idempotency


@shared_task(name="core.sweep_idempotency")  # type: ignore[untyped-decorator]  # Celery ships no types
def sweep_idempotency() -> int:
    """Forget answers that are older than a day; say how many."""
    return idempotency.sweep()
