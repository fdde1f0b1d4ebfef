"""What tokens do when something has happened here or below, a line per fact."""

from typing import Any

from allauth.account.signals import user_signed_up
from django.http import HttpRequest

from accounts.models import User
from accounts.services import deletion, exports, retention
from tokens.events import RefundsRequested
from tokens.selectors import references, wallet
from tokens.services import own_data, referrals
from tokens.tasks import look_at_refunds
from tradingarena.core import events


def connect() -> None:
    """Listen: a line for each."""
    events.on(RefundsRequested, lambda event: look_at_refunds())
    user_signed_up.connect(note_who_brought, dispatch_uid="tokens.signed_up")
    exports.register("tokens", own_data.economy_of)
    exports.register("token_statement", own_data.statement_of)
    exports.register("payments", own_data.payments_of)
    retention.register(retention.Kept("Stripe events", 400, own_data.forget_events))
    deletion.add_blocker(own_data.open_money)
    deletion.add_eraser(own_data.erase)
    references.register("payment", wallet.payment_links)
    references.register("referral", wallet.referral_links)


def note_who_brought(sender: object, request: HttpRequest, user: User, **_: Any) -> None:
    """Remember whose link a new person came by, if by any."""
    code = request.session.pop(referrals.REFERRED_BY, "") if hasattr(request, "session") else ""
    if code:
        referrals.referral_note(user, code)
