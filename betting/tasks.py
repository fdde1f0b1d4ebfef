"""Background work of betting: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

from celery import shared_task

from betting.services import notes, settlement


@shared_task(name="betting.settle_due")
def settle_due() -> dict[str, int]:
    """Open, lock and settle every market that is due, whatever events were missed."""
    return settlement.settle_what_is_due()


@shared_task(name="betting.tell")
def tell() -> int:
    """Tell people of settled bets that no event has told of."""
    return notes.sweep()
