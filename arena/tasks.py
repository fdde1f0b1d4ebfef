"""Background work of the arena: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

from celery import shared_task

from arena.services import listings, passes


@shared_task(name="arena.tend")
def tend() -> dict[str, int]:
    """List and refund what an event has missed, and write down how many watch."""
    return {
        "listed": listings.list_what_is_missing(),
        "refunded": passes.refund_what_is_due(),
        "counted": listings.count_viewers(),
    }
