"""Background work that concerns every app. When it runs is in `schedule.py`."""

from celery import shared_task

from tradingarena import invariants


@shared_task(name="core.check_invariants")
def check_invariants() -> int:
    """Prove the books; say how many places do not hold."""
    return sum(finding.violations for finding in invariants.prove_and_record())
