"""Background work of challenges: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

from celery import shared_task

from pvp.services import fairplay, funding, life


@shared_task(name="pvp.tend")
def tend() -> dict[str, int]:
    """Let challenges expire, follow their contests, and stakes follow their payments."""
    return {"stakes": funding.sweep(), "challenges": life.sweep()}


@shared_task(name="pvp.look_at_fair_play")
def look_at_fair_play() -> int:
    """Look at decided challenges for those in which one lets the other win."""
    return fairplay.look_for_dumping()
