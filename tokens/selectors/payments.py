"""How payments stand, for the apps that sold something: ids in, a standing each out. Nothing here writes.

Rules: docs/rules/payments.md#states.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from tokens.models import Dispute, Payment
from tradingarena.core.errors import NotFound

PAID = frozenset({Payment.Status.PAID, Payment.Status.REFUNDED})
UNPAID = frozenset({Payment.Status.CREATED, Payment.Status.OPEN, Payment.Status.PROCESSING})


class Standing(NamedTuple):
    """A payment as whoever sold something needs it. `disputed`: an objection is open; `lost`: one was lost."""

    payment_id: UUID
    status: str
    checkout_url: str
    returned: bool
    disputed: bool
    lost: bool

    @property
    def paid(self) -> bool:
        """Tell whether the money has arrived, whatever became of it afterwards."""
        return self.status in PAID

    @property
    def can_be_paid(self) -> bool:
        """Tell whether it may still arrive in the ordinary way."""
        return self.status in UNPAID


def standings(payment_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Read how payments stand; a fixed number of queries."""
    disputes: dict[UUID, set[str]] = {}
    for payment_id, status in Dispute.objects.filter(payment_id__in=payment_ids).values_list("payment_id", "status"):
        disputes.setdefault(payment_id, set()).add(status)
    return {
        one.pk: Standing(
            one.pk,
            one.status,
            one.checkout_url,
            returned=one.status == Payment.Status.REFUNDED,
            disputed=Dispute.Status.OPEN in disputes.get(one.pk, ()),
            lost=Dispute.Status.LOST in disputes.get(one.pk, ()),
        )
        for one in Payment.objects.filter(pk__in=payment_ids)
    }


def standing(payment_id: UUID) -> Standing:
    """Read how one payment stands.

    Raises: NotFound.
    """
    found = standings([payment_id]).get(payment_id)
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def paid_with_cards_of(user_id: UUID, others: Collection[UUID]) -> set[UUID]:
    """Tell which of these people have paid with a card that somebody else has paid with."""
    paid = Payment.objects.exclude(card_fingerprint="")
    own = paid.filter(user=user_id).values("card_fingerprint")
    same = paid.filter(user__in=list(others), card_fingerprint__in=own).exclude(user=user_id)
    return set(same.values_list("user", flat=True))
