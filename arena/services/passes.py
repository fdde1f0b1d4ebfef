"""Paying a spectator's pass, and giving it back when the contest does not take place. What moves is the ledger's.

Rules: docs/rules/arena.md#passes.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts import policy
from accounts.models import User
from arena.models import Admission
from competitions.models import Competition
from tokens import ledger
from tokens.ledger import House, Kind
from tokens.services import spending
from tradingarena.core.clock import database_now
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import lock_row

MOST_AT_ONCE = 500


def charge(user: User, admission: Admission, *, title: str, country: str) -> None:
    """Take the price of a pass from a person's wallet.

    Locks / Effects: in the caller's transaction: the wallet; a transfer whose id is derived from the admission.
    Raises: what `spending.spend` raises.
    """
    spending.spend(
        user,
        admission.paid_tokens,
        kind=Kind.SPECTATOR_PASS,
        target=ledger.house(House.SALES),
        cause=_cause(admission),
        reason=f"Pass to watch {title}"[:200],
        reference=("listing", admission.listing_id),
        action=policy.Action.SPEND,
        country=country,
    )


def refund_of_contest(competition_id: UUID) -> int:
    """Give back the passes of a contest that was cancelled; say how many."""
    return _refund_each(Admission.objects.filter(listing__competition=competition_id).values_list("pk", flat=True))


def refund_what_is_due() -> int:
    """Give back the passes of cancelled contests that an event has missed; say how many."""
    return _refund_each(Admission.objects.values_list("pk", flat=True))


def _refund_each(admissions: QuerySet[Admission, UUID]) -> int:
    due = admissions.filter(
        kind=Admission.Kind.PASS,
        refunded_at=None,
        listing__competition__status=Competition.Status.CANCELLED,
    )
    return sum(_refund(pk) for pk in due[:MOST_AT_ONCE])


def _refund(admission_id: UUID) -> bool:
    """Give one pass back, once."""
    with transaction.atomic():
        admission = lock_row(Admission, admission_id)
        if admission.refunded_at is not None:
            return False
        ledger.reverse(Kind.REFUND, _cause(admission), reason="The contest was cancelled: the pass is refunded")
        admission.refunded_at = database_now()
        admission.save(update_fields=["refunded_at"])
    return True


def _cause(admission: Admission) -> UUID:
    return derived_id(admission.pk, "pass")
