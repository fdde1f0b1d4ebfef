"""The life of a Checkout Session: made, paid by card or from a bank, declined, confirmed, settled, expired.

Each function is one step with Stripe's events in Stripe's order. Refunds and disputes are in `returns.py`, what a
caller may ask for in `asked.py`.
"""

from tradingarena.localstack.fakestripe import objects
from tradingarena.localstack.fakestripe.asked import NewSession
from tradingarena.localstack.fakestripe.errors import refused
from tradingarena.localstack.fakestripe.objects import BANK, CARD
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Values, new_id

DECLINES = {
    "card_declined": ("generic_decline", "Your card was declined."),
    "insufficient_funds": ("insufficient_funds", "Your card has insufficient funds."),
    "expired_card": (None, "Your card has expired."),
}
NOT_CONFIRMED = (
    "We are unable to authenticate your payment method. Please choose a different payment method and try again."
)
BANK_FAILED = "The customer's bank account has insufficient funds."


def create(state: State, wanted: NewSession) -> Values:
    """Make an open session; nobody is told, as with Stripe."""
    made = objects.session(wanted.items, wanted.fields, now=state.now(), expires_at=wanted.expires_at)
    made["_intent_data"] = wanted.intent_data
    return state.store.put(made, due=made["expires_at"])


def pay(state: State, name: str) -> Values:
    """Pay by card, at once.

    Effects: payment_intent.created, payment_intent.succeeded, charge.succeeded, checkout.session.completed (paid).
    """
    with state.store.change():
        session = _open(state, name)
        if session["amount_total"] == 0:
            return _complete(state, session, "no_payment_required")
        intent = _intent(state, session)
        charge = objects.charge(intent, CARD, state.now())
        _succeed(state, intent, charge)
        return _complete(state, session | {"payment_intent": intent["id"]}, "paid")


def pay_later(state: State, name: str, *, settles_in_s: float, fails: bool) -> Values:
    """Pay from a bank account: the session is complete now, the money comes, or does not, later.

    Effects: payment_intent.created, payment_intent.processing, charge.pending, checkout.session.completed (unpaid);
        later those of `settle` or `fail`.
    """
    with state.store.change():
        session = _open(state, name)
        if session["amount_total"] == 0:
            return _complete(state, session, "no_payment_required")
        intent = _intent(state, session)
        charge = objects.charge(intent, BANK, state.now())
        intent |= {
            "status": "processing",
            "latest_charge": charge["id"],
            "payment_method": charge["payment_method"],
            "next_action": None,
            "_fails": fails,
        }
        state.store.put(intent, due=state.now() + settles_in_s)
        state.emit("payment_intent.processing", intent)
        state.emit("charge.pending", state.store.put(charge))
        return _complete(state, session | {"payment_intent": intent["id"]}, "unpaid")


def decline(state: State, name: str, code: str = "card_declined") -> Values:
    """Try a card that is declined; the session stays open.

    Effects: payment_intent.created, payment_intent.payment_failed, charge.failed.
    """
    decline_code, message = DECLINES[code]
    with state.store.change():
        session = _open(state, name)
        intent = _intent(state, session)
        charge = objects.charge(intent, CARD, state.now())
        _fail(state, intent, charge, code, decline_code, message)
        return state.store.put(session | {"payment_intent": intent["id"]}, due=session["expires_at"])


def ask(state: State, name: str) -> Values:
    """Try a card whose bank wants the customer to confirm the payment.

    Effects: payment_intent.created, payment_intent.requires_action.
    """
    with state.store.change():
        session = _open(state, name)
        intent = _intent(state, session)
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
        state.emit("payment_intent.requires_action", state.store.put(intent))
        return state.store.put(session | {"payment_intent": intent["id"]}, due=session["expires_at"])


def refuse(state: State, name: str) -> Values:
    """Do not confirm what was asked for; the session stays open.

    Effects: payment_intent.payment_failed.
    """
    with state.store.change():
        session = _open(state, name)
        intent = _intent(state, session)
        _fail(state, intent, None, "payment_intent_authentication_failure", None, NOT_CONFIRMED)
        return state.store.put(session | {"payment_intent": intent["id"]}, due=session["expires_at"])


def settle(state: State, name: str) -> Values:
    """Let the money of a bank payment arrive.

    Effects: payment_intent.succeeded, charge.succeeded, checkout.session.async_payment_succeeded.
    """
    with state.store.change():
        session, intent, charge = _processing(state, name)
        _succeed(state, intent, charge)
        state.store.put(session | {"payment_status": "paid"})
        state.emit("checkout.session.async_payment_succeeded", session | {"payment_status": "paid"})
        return session | {"payment_status": "paid"}


def fail(state: State, name: str) -> Values:
    """Let a bank payment fail; the session stays complete and unpaid.

    Effects: payment_intent.payment_failed, charge.failed, checkout.session.async_payment_failed.
    """
    with state.store.change():
        session, intent, charge = _processing(state, name)
        _fail(state, intent, charge, "payment_intent_payment_attempt_failed", "insufficient_funds", BANK_FAILED)
        state.emit("checkout.session.async_payment_failed", session)
        return session


def expire(state: State, name: str) -> Values:
    """Close an open session for good.

    Effects: payment_intent.canceled when something was tried, checkout.session.expired.
    Raises: ApiError: it is complete or has expired.
    """
    with state.store.change():
        session = state.need("checkout.session", name)
        if session["status"] != "open":
            raise refused(
                'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of `{session['status']}`."
            )
        if session["payment_intent"]:
            intent = state.need("payment_intent", session["payment_intent"])
            intent |= {"status": "canceled", "canceled_at": state.now(), "cancellation_reason": "expired"}
            state.emit("payment_intent.canceled", state.store.put(intent | {"next_action": None}))
        state.emit("checkout.session.expired", state.store.put(session | {"status": "expired"}))
        return session | {"status": "expired"}


def alter(state: State, name: str, **fields: object) -> Values:
    """Set fields of a session as no customer could, without an event: what a program must not trust."""
    with state.store.change():
        session = state.need("checkout.session", name) | fields
        return state.store.put(session, due=session["expires_at"] if session["status"] == "open" else None)


def sweep(state: State) -> None:
    """Do what the clock demands: expire sessions, settle or fail bank payments."""
    with state.store.change():
        now = state.now()
        for session in state.store.due("checkout.session", now):
            expire(state, session["id"])
        for intent in state.store.due("payment_intent", now):
            (fail if intent["_fails"] else settle)(state, intent["_session"])


def _open(state: State, name: str) -> Values:
    session = state.need("checkout.session", name)
    if session["status"] != "open":
        raise refused(f"This Checkout Session has a status of `{session['status']}` and can no longer be paid.")
    return session


def _processing(state: State, name: str) -> tuple[Values, Values, Values]:
    session = state.need("checkout.session", name)
    intent = state.store.get("payment_intent", session["payment_intent"] or "")
    if intent is None or intent["status"] != "processing":
        raise refused("This Checkout Session has no payment that is still processing.")
    return session, intent, state.need("charge", intent["latest_charge"])


def _intent(state: State, session: Values) -> Values:
    """Give the session's PaymentIntent, made at its first attempt."""
    if session["payment_intent"]:
        return state.need("payment_intent", session["payment_intent"])
    made = objects.intent(session, session["_intent_data"], state.now())
    state.emit("payment_intent.created", state.store.put(made))
    return made


def _succeed(state: State, intent: Values, charge: Values) -> None:
    intent |= {
        "status": "succeeded",
        "amount_received": intent["amount"],
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
        "last_payment_error": None,
        "next_action": None,
    }
    charge |= {
        "status": "succeeded",
        "paid": True,
        "amount_captured": charge["amount"],
        "balance_transaction": new_id("txn"),
        "outcome": objects.outcome(None, None),
    }
    state.emit("payment_intent.succeeded", state.store.put(intent))
    state.emit("charge.succeeded", state.store.put(charge))


def _fail(
    state: State, intent: Values, charge: Values | None, code: str, decline_code: str | None, message: str
) -> None:
    intent |= {
        "status": "requires_payment_method",
        "last_payment_error": objects.payment_error(code, decline_code, message, charge),
        "latest_charge": charge["id"] if charge else intent["latest_charge"],
        "payment_method": None,
        "next_action": None,
    }
    state.emit("payment_intent.payment_failed", state.store.put(intent))
    if charge is not None:
        charge |= {"status": "failed", "failure_code": code, "failure_message": message}
        charge["outcome"] = objects.outcome(code, decline_code)
        state.emit("charge.failed", state.store.put(charge))


def _complete(state: State, session: Values, payment_status: str) -> Values:
    session |= {
        "status": "complete",
        "payment_status": payment_status,
        "customer_details": objects.customer_details(session["customer_email"]),
    }
    state.emit("checkout.session.completed", state.store.put(session))
    return session
