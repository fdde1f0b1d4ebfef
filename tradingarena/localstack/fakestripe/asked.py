"""What a caller may ask for: the parameters of a new session and of a new refund, read within Stripe's limits.

What is done with them is in `checkout.py` and `returns.py`.
"""

import re
from dataclasses import dataclass, field

from tradingarena.localstack.fakestripe import objects
from tradingarena.localstack.fakestripe.errors import malformed, missing
from tradingarena.localstack.fakestripe.params import LARGEST, Params
from tradingarena.localstack.fakestripe.wire import Values

SHORTEST_S, LONGEST_S = 30 * 60, 24 * 3_600
ON_THE_WAY_S = 15  # what a request may take from the caller's clock to ours
MOST_ITEMS = 100
# The smallest amounts that Stripe takes, in minor units; 50 where the currency is not listed.
SMALLEST = {"gbp": 30, "dkk": 250, "nok": 300, "sek": 300, "hkd": 400, "mxn": 1_000, "czk": 1_500, "huf": 17_500}
MODES = ("payment", "setup", "subscription")
SUBMIT_TYPES = ("auto", "book", "donate", "pay", "subscribe")
REASONS = ("duplicate", "fraudulent", "requested_by_customer")
LOCAL = "The local stand-in speaks only"


@dataclass(frozen=True)
class NewSession:
    """A session that is asked for: its lines, the fields that the caller chose, and what its PaymentIntent gets."""

    items: list[Values]
    fields: Values
    intent_data: Values
    expires_at: int


@dataclass(frozen=True)
class NewRefund:
    """A refund that is asked for, of a charge, a PaymentIntent or a session; without an amount of all that is left."""

    payment: str
    amount: int | None = None
    fields: Values = field(default_factory=dict)


def new_session(asked: Params, now: int) -> NewSession:
    """Read the parameters of a new session.

    Raises: ApiError.
    """
    mode = asked.required("mode", among=MODES)
    if mode != "payment":
        raise malformed(f"{LOCAL} mode=payment.", "mode")
    if asked.text("ui_mode") not in {None, "hosted_page", "hosted"}:
        raise malformed(f"{LOCAL} ui_mode=hosted_page.", "ui_mode")
    fields: Values = {
        "success_url": asked.url("success_url"),
        "cancel_url": asked.url("cancel_url"),
        "client_reference_id": asked.text("client_reference_id", longest=200),
        "customer_email": asked.email("customer_email"),
        "locale": asked.text("locale", longest=10),
        "submit_type": asked.text("submit_type", among=SUBMIT_TYPES),
        "metadata": asked.metadata(),
    }
    if fields["success_url"] is None:
        raise asked.lacks("success_url")
    if methods := asked.texts("payment_method_types"):
        fields["payment_method_types"] = methods
    items = _line_items(asked, now)
    return NewSession(items, fields, _intent_data(asked, fields["customer_email"]), _expires_at(asked, now))


def _expires_at(asked: Params, now: int) -> int:
    chosen = asked.integer("expires_at", most=10**11)
    if chosen is None:
        return now + LONGEST_S
    if chosen < now + SHORTEST_S - ON_THE_WAY_S:
        raise malformed(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", "expires_at"
        )
    if chosen > now + LONGEST_S + ON_THE_WAY_S:
        raise malformed(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", "expires_at"
        )
    return chosen


def _line_items(asked: Params, now: int) -> list[Values]:
    lines = asked.items("line_items")
    if not lines:
        raise asked.lacks("line_items")
    if len(lines) > MOST_ITEMS:
        raise malformed(f"You can have up to {MOST_ITEMS} line items.", "line_items")
    items = [_line_item(line, now) for line in lines]
    currency = items[0]["currency"]
    if any(item["currency"] != currency for item in items):
        raise malformed(
            f"All line items must use the same currency; expected `{currency}`.", "line_items", "currency_mismatch"
        )
    total = sum(item["amount_total"] for item in items)
    smallest = SMALLEST.get(currency, 50)
    if 0 < total < smallest:
        raise malformed(
            "The Checkout Session's total amount due must add up to at least "
            f"{objects.money(smallest, currency)} {currency}",
            "line_items",
            "amount_too_small",
        )
    if total > LARGEST:
        raise malformed(
            f"The Checkout Session's total amount must be no more than {objects.money(LARGEST, currency)}",
            "line_items",
            "amount_too_large",
        )
    return items


def _line_item(line: Params, now: int) -> Values:
    if price := line.text("price"):
        raise missing("price", price, line.name("price"), 400)  # the stand-in keeps no catalogue
    data = line.section("price_data")
    if data is None:
        raise line.lacks("price_data")
    product = data.section("product_data")
    if product is None:
        raise data.lacks("product_data")
    quantity = line.integer("quantity", least=1, most=999_999)
    if quantity is None:
        raise malformed(f"Quantity is required. Add `quantity` to `{line.path}`", line.path, "parameter_missing")
    unit_amount = data.integer("unit_amount")
    if unit_amount is None:
        raise data.lacks("unit_amount")
    currency = data.required("currency").lower()
    if not re.fullmatch("[a-z]{3}", currency):
        raise malformed(f"Invalid currency: {currency[:20]}.", data.name("currency"))
    name, description = product.required("name"), product.text("description")
    product.texts("images")
    product.metadata()
    return objects.line_item(name, description, currency, unit_amount, quantity, now)


def _intent_data(asked: Params, email: str | None) -> Values:
    data = asked.section("payment_intent_data") or Params({})
    return {
        "metadata": data.metadata(),
        "description": data.text("description", longest=1_000),
        "receipt_email": data.email("receipt_email") or email,
        "statement_descriptor": data.text("statement_descriptor", longest=22),
        "statement_descriptor_suffix": data.text("statement_descriptor_suffix", longest=22),
    }


def new_refund(asked: Params) -> NewRefund:
    """Read the parameters of a new refund.

    Raises: ApiError.
    """
    charge, intent = asked.text("charge"), asked.text("payment_intent")
    if charge and intent:
        raise malformed("You may only specify one of these parameters: payment_intent, charge.", "charge")
    payment = charge or intent
    if payment is None:
        raise malformed(
            "One of the following params should be provided for this request: payment_intent or charge.",
            "payment_intent",
            "parameter_missing",
        )
    fields: Values = {"metadata": asked.metadata(), "reason": asked.text("reason", among=REASONS)}
    return NewRefund(payment, asked.integer("amount", least=1), fields)
