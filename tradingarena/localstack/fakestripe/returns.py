"""Money that goes back: refunds in all their states, and disputes opened, won and lost.

Each function is one step with Stripe's events in Stripe's order. Payments themselves are in `checkout.py`.
"""

from tradingarena.localstack.fakestripe import objects
from tradingarena.localstack.fakestripe.asked import NewRefund
from tradingarena.localstack.fakestripe.errors import malformed, missing, refused
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Values, new_id

REFUND_STATES = ("succeeded", "pending", "requires_action")
ALIVE = frozenset(REFUND_STATES)  # a refund in these counts as money given back


def charge_of(state: State, payment: str) -> Values:
    """Find the charge by its own id, its PaymentIntent's or its session's.

    Raises: ApiError: there is none, or nothing was paid.
    """
    if payment.startswith("ch_"):
        return state.need("charge", payment)
    if payment.startswith("cs_"):
        payment = state.need("checkout.session", payment)["payment_intent"] or ""
    intent = state.store.get("payment_intent", payment)
    if intent is None:
        raise missing("payment_intent", payment, "payment_intent")
    if intent["status"] != "succeeded":
        raise refused(
            f"This PaymentIntent ({payment}) does not have a successful charge to refund.",
            param="payment_intent",
        )
    return state.need("charge", intent["latest_charge"])


def refund(state: State, wanted: NewRefund, status: str = "succeeded") -> Values:
    """Give back all that is left of a charge, or a part of it.

    Effects: charge.refunded, refund.created, and refund.updated when it has succeeded at once.
    Raises: ApiError: charge_already_refunded, charge_disputed, more than is left, nothing was paid.
    """
    with state.store.change():
        charge = charge_of(state, wanted.payment)
        _refundable(state, charge)
        left = charge["amount"] - charge["amount_refunded"]
        amount = left if wanted.amount is None else wanted.amount
        if amount > left:
            whole = "charge amount" if left == charge["amount"] else "unrefunded amount on charge"
            asked, kept = (objects.money(each, charge["currency"]) for each in (amount, left))
            raise refused(f"Refund amount ({asked}) is greater than {whole} ({kept})", param="amount")
        made = objects.refund(charge, amount, wanted.fields, state.now()) | {"status": status}
        if status == "pending":
            made["pending_reason"] = "processing"
        if status == "requires_action":
            made["next_action"] = {"type": "display_details"}
        state.store.put(made)
        _recount(state, charge, "charge.refunded")
        state.emit("refund.created", made)
        if status == "succeeded":
            made["destination_details"] = {"type": "card", "card": {"type": "refund", "reference_status": "pending"}}
            _refund_changed(state, made, {"destination_details": None})
        return made


def refund_settle(state: State, name: str) -> Values:
    """Let a pending refund arrive.

    Effects: refund.updated.
    Raises: ApiError: it is not pending.
    """
    with state.store.change():
        made = _refund_in(state, name, "pending", "requires_action")
        before = {"status": made["status"]}
        made |= {"status": "succeeded", "pending_reason": None, "next_action": None}
        return _refund_changed(state, made, before)


def refund_fail(state: State, name: str, reason: str = "lost_or_stolen_card") -> Values:
    """Let a refund fail, even one that had succeeded: the money is with the merchant again.

    Effects: refund.updated, charge.refund.updated, refund.failed; the charge counts as less refunded.
    Raises: ApiError: it has failed or was cancelled already.
    """
    return _undo(state, name, "failed", reason, REFUND_STATES)


def refund_cancel(state: State, name: str) -> Values:
    """Cancel a refund that waits for the customer.

    Effects: refund.updated, charge.refund.updated; the charge counts as less refunded.
    Raises: ApiError: it does not wait for the customer.
    """
    return _undo(state, name, "canceled", "merchant_request", ("requires_action",))


def dispute(state: State, payment: str, *, amount: int | None = None, reason: str = "fraudulent") -> Values:
    """Open a dispute over what was paid.

    Effects: charge.dispute.created, charge.dispute.funds_withdrawn.
    Raises: ApiError: nothing was paid, or it is disputed already.
    """
    with state.store.change():
        charge = charge_of(state, payment)
        if charge["disputed"]:
            raise refused(f"Charge {charge['id']} is disputed already.")
        left = charge["amount"] - charge["amount_refunded"]
        amount = left if amount is None else amount
        if not 0 < amount <= charge["amount"]:
            raise malformed("A dispute is about a part of the charge.", "amount")
        made = state.store.put(objects.dispute(charge, amount, reason, state.now()))
        state.store.put(charge | {"disputed": True})
        state.emit("charge.dispute.created", made)
        made["balance_transactions"] = [_moved(made, -amount, state.now())]
        state.emit("charge.dispute.funds_withdrawn", state.store.put(made))
        return made


def dispute_close(state: State, name: str, *, won: bool) -> Values:
    """Answer a dispute and let it be decided.

    Effects: charge.dispute.updated (under review), charge.dispute.closed, and charge.dispute.funds_reinstated if won.
    Raises: ApiError: it is closed.
    """
    with state.store.change():
        made = state.need("dispute", name)
        if made["status"] in {"won", "lost"}:
            raise refused(f"This dispute is closed: it was {made['status']}.")
        evidence = made["evidence_details"] | {"has_evidence": True, "submission_count": 1}
        before = {"status": made["status"], "evidence_details": made["evidence_details"]}
        made |= {"status": "under_review", "evidence_details": evidence}
        state.emit("charge.dispute.updated", made, before)
        made |= {"status": "won" if won else "lost"}
        state.emit("charge.dispute.closed", state.store.put(made))
        if won:
            made["balance_transactions"] += [_moved(made, made["amount"], state.now())]
            state.emit("charge.dispute.funds_reinstated", state.store.put(made))
        return made


def _refundable(state: State, charge: Values) -> None:
    if charge["status"] != "succeeded":
        raise refused(f"Charge {charge['id']} was not paid and cannot be refunded.", param="charge")
    if charge["amount_refunded"] == charge["amount"]:
        raise refused(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    disputes = [each for each in state.store.newest("dispute") if each["charge"] == charge["id"]]
    if any(each["status"] != "won" for each in disputes):
        raise refused(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")


def _refund_in(state: State, name: str, *wanted: str) -> Values:
    made = state.need("refund", name)
    if made["status"] not in wanted:
        raise refused(f"This refund has a status of `{made['status']}`; it must be in {', '.join(wanted)}.")
    return made


def _refund_changed(state: State, made: Values, before: Values) -> Values:
    state.emit("refund.updated", state.store.put(made), before)
    return made


def _undo(state: State, name: str, status: str, reason: str, wanted: tuple[str, ...]) -> Values:
    with state.store.change():
        made = _refund_in(state, name, *wanted)
        before = {"status": made["status"], "failure_reason": None}
        made |= {
            "status": status,
            "failure_reason": reason,
            "failure_balance_transaction": new_id("txn"),
            "pending_reason": None,
            "next_action": None,
        }
        _refund_changed(state, made, before)
        _recount(state, state.need("charge", made["charge"]))
        state.emit("charge.refund.updated", made, before)
        if status == "failed":
            state.emit("refund.failed", made)
        return made


def _recount(state: State, charge: Values, event: str = "") -> None:
    """Count anew what of a charge has been given back."""
    refunds = [each for each in state.store.newest("refund") if each["charge"] == charge["id"]]
    back = sum(each["amount"] for each in refunds if each["status"] in ALIVE)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge |= {"amount_refunded": back, "refunded": back == charge["amount"]}
    state.store.put(charge)
    if event:
        state.emit(event, charge, before)


def _moved(made: Values, amount: int, now: int) -> Values:
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "created": now,
        "currency": made["currency"],
        "fee": 0,
        "net": amount,
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": made["id"],
        "status": "available",
        "type": "adjustment",
    }
