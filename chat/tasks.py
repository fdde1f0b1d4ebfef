"""Background work of the chat: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

from celery import shared_task

from chat.services import channels, narration, notes, telling


@shared_task(name="chat.narrate")
def narrate() -> dict[str, int]:
    """Say what has happened in running contests."""
    return narration.narrate()


@shared_task(name="chat.tend")
def tend() -> dict[str, int]:
    """Open and archive channels that an event has missed, and tell rooms what a process that is gone did not."""
    return {**channels.tend(), "told": telling.catch_up_all(), "sanctions": notes.sweep()}
