"""Background work of accounts: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

import logging

from celery import shared_task
from kombu.exceptions import OperationalError

from accounts.services import deletion, exports, mail, notices, retention

log = logging.getLogger(__name__)


@shared_task(name="accounts.deliver_mail")
def deliver_mail() -> dict[str, int]:
    """Send the mails that are due."""
    return mail.deliver_due()


@shared_task(name="accounts.sweep_notices")
def sweep_notices() -> int:
    """Forget notifications that were read long ago."""
    return notices.sweep()


def look_at_mail() -> None:
    """Let a worker send mail soon. Losing this loses nothing: beat looks too."""
    try:
        deliver_mail.delay()
    except OperationalError as error:
        log.warning("hint_lost", extra={"task": deliver_mail.name, "reason": str(error)})


@shared_task(name="accounts.make_exports")
def make_exports() -> int:
    """Make the copies of data that wait, and throw away those whose week is over."""
    return exports.tend()


@shared_task(name="accounts.forget")
def forget() -> dict[str, int]:
    """Carry out the deletions that are due."""
    return deletion.carry_out_due()


@shared_task(name="accounts.sweep_retention")
def sweep_retention() -> dict[str, int]:
    """Throw away what has been kept for as long as docs/privacy.md says."""
    counts = retention.sweep()
    log.info("retention_swept", extra=counts)
    return counts


def look_at_exports() -> None:
    """Let a worker make copies of data soon. Losing this loses nothing: beat looks too."""
    try:
        make_exports.delay()
    except OperationalError as error:
        log.warning("hint_lost", extra={"task": make_exports.name, "reason": str(error)})
