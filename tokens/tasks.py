"""Background work of tokens: hints that something may be due. When they run is in `tradingarena/schedule.py`."""

import logging
from dataclasses import asdict
from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError

from tokens import proof
from tokens.payments.stripe_gateway import is_on
from tokens.services import boards, fairplay, reconcile, referrals, refunds, stripe_events

log = logging.getLogger(__name__)


@shared_task(name="tokens.process_event")
def process_event(event_id: str) -> str:
    """Do what follows from one stored event of the payment provider."""
    return stripe_events.event_process(event_id)


@shared_task(name="tokens.send_refunds")
def send_refunds() -> dict[str, int]:
    """Send the refunds that are due."""
    return refunds.send_due()


@shared_task(name="tokens.settle_due")
def settle_due() -> dict[str, dict[str, int]]:
    """Find by looking what no hint has told of: events, refunds, checkouts that have ended."""
    return reconcile.settle_due()


@shared_task(name="tokens.count_boards")
def count_boards() -> dict[str, int]:
    """Let the leaderboards catch up with the ledger, and decide the referrals whose friend has played enough."""
    return {"legs": boards.ledger_count(), "referrals": referrals.decide_due()}


@shared_task(name="tokens.look_at_fair_play")
def look_at_fair_play() -> int:
    """Look for referral rings."""
    return fairplay.look_for_rings()


@shared_task(name="tokens.reconcile")
def reconcile_payments() -> dict[str, Any]:
    """Compare what is unsettled with the payment provider."""
    return asdict(reconcile.reconcile()) if is_on() else {}


@shared_task(name="tokens.verify_ledger")
def verify_ledger() -> int:
    """Compute every digest and chain of the ledger again; log what does not hold at ERROR."""
    found = proof.prove()
    if found.wrong_count:
        log.error("ledger_broken", extra={"wrong": found.wrong_count, "examples": found.wrong[:3]})
    else:
        log.info("ledger_proved", extra={"transfers": found.transfers, "links": found.links, "head": found.head})
    return found.wrong_count


def look_at_event(event_id: str) -> None:
    """Let a worker look at an event soon. Losing this loses nothing: beat looks too."""
    _hint(process_event, event_id)


def look_at_refunds() -> None:
    """Let a worker send refunds soon. Losing this loses nothing: beat looks too."""
    _hint(send_refunds)


def _hint(task: Any, *arguments: Any) -> None:
    try:
        task.delay(*arguments)
    except OperationalError as error:
        log.warning("hint_lost", extra={"task": task.name, "reason": str(error)})
