"""Background work of contests: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

import logging
from datetime import datetime, timedelta

from celery import current_app, shared_task
from kombu.exceptions import OperationalError

from competitions.services import fairplay, lifecycle, notes, schedules, seats, supervision, tallies
from tradingarena.core.clock import database_now

log = logging.getLogger(__name__)

BEAT_EVERY = timedelta(seconds=5)  # how often beat looks; what is due between two looks gets a look of its own


@shared_task(name="competitions.advance")
def advance(*, hinted: bool = False) -> dict[str, int]:
    """Take every step of a contest's life that is due, and look again exactly when the next one is."""
    counts = lifecycle.advance() | {"buy_ins": seats.sweep()}
    if not hinted:
        for moment in lifecycle.due_within(BEAT_EVERY):
            look_at(moment)
    return counts


@shared_task(name="competitions.tally")
def tally() -> int:
    """Add completed contests to the leaderboards that no event has added."""
    return tallies.sweep()


@shared_task(name="competitions.tell")
def tell() -> dict[str, int]:
    """Tell people of contests that start, and of what no event has told."""
    return notes.sweep()


@shared_task(name="competitions.look_at_fair_play")
def look_at_fair_play() -> int:
    """Look at the orders of contests that are over for what is unfair."""
    return fairplay.look_at_what_is_over()


@shared_task(name="competitions.make_scheduled")
def make_scheduled() -> dict[str, int]:
    """Make the contests of schedules whose time has come."""
    return schedules.make_what_is_due()


@shared_task(name="competitions.supervise")
def supervise() -> list[str]:
    """Look whether feed and engines are alive, and leave word for /readyz."""
    return supervision.supervise()


def look_at(moment: datetime) -> None:
    """Let a worker look for due steps at a moment, so that a short contest does not start late. Losing this loses nothing."""
    if current_app.conf.task_always_eager:
        return
    wait_s = max(0.0, (moment - database_now()).total_seconds()) + 0.01
    try:
        advance.apply_async(kwargs={"hinted": True}, countdown=wait_s, expires=wait_s + 10)
    except OperationalError as error:
        log.warning("hint_lost", extra={"reason": str(error)})
