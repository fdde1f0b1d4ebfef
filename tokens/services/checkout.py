"""Buying tokens: the package, the policy, the payment. How a payment lives on is in `payments.py`.

Rules: docs/rules/payments.md#buying.
"""

from django.db import transaction

from accounts import policy
from accounts.models import User
from tokens.models import Payment, TokenPackage
from tokens.payments.gateway import PaymentsOff
from tokens.payments.stripe_gateway import is_on
from tokens.services.payments import Wanted, payment_open, session_start
from tradingarena.core import limits
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.core.ids import derived_id

CHECKOUTS, WINDOW_S = 20, 3_600


class PackageUnknown(NotFound):
    """Raised when there is no such package, or it is not sold any more."""

    code, message = "package_unknown", "There is no such package."


def checkout_start(user: User, package_slug: str, *, key: str, site_url: str, country: str = "") -> Payment:
    """Begin to buy a package of tokens: give the payment whose `checkout_url` takes the card.

    Shapes: key is the request's own; the same person and key is the same payment. site_url is the scheme and host of the request.
    Guarantees: the payment is stored before the provider is asked, and kept when it does not answer: asking again goes on from there.
    Locks / Effects: opens its own transaction for the payment's row; then a call to the provider.
    Raises: PackageUnknown, what `policy.require` raises, KeyReused, TooFast, PaymentsOff, PaymentsUnavailable.
    """
    policy.require(user, policy.Action.PURCHASE, country)
    payment_id = derived_id(user.pk, f"checkout:{key}")
    if not Payment.objects.filter(pk=payment_id).exists():
        limits.spend("checkout", user.pk, limit=CHECKOUTS, window_s=WINDOW_S)
    package = TokenPackage.objects.filter(slug=package_slug, active=True).first()
    if package is None:
        raise PackageUnknown
    with transaction.atomic():
        payment_open(user, payment_id, _wanted(package, site_url))
    return session_start(payment_id)


def purchase_refusal(user: User, country: str = "") -> DomainError | None:
    """Tell why somebody cannot buy tokens now; None when nothing stands in the way."""
    if not is_on():
        return PaymentsOff()
    try:
        policy.require(user, policy.Action.PURCHASE, country)
    except DomainError as refusal:
        return refusal
    return None


def _wanted(package: TokenPackage, site_url: str) -> Wanted:
    bonus = f" + {package.bonus_tokens:,} bonus" if package.bonus_tokens else ""
    return Wanted(
        purpose=Payment.Purpose.TOKENS,
        reference_id=package.slug,
        description=f"{package.tokens:,} tokens{bonus}",
        amount_cents=package.price_cents,
        tokens=package.tokens,
        bonus_tokens=package.bonus_tokens,
        site_url=site_url,
        return_path="/wallet",
    )
