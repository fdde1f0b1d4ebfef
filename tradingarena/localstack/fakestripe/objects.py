"""The shapes of Stripe's objects: every field that the vendor sends, filled where the stand-in knows better than null.

Names beginning with "_" are the stand-in's own and never leave it. When objects change is decided in `checkout.py` and
`returns.py`.
"""

from collections.abc import Iterable

from tradingarena.localstack.fakestripe.wire import Values, new_id

CARD = "card"
BANK = "us_bank_account"
ADDRESS = {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": None, "state": None}
NO_DECIMALS = {
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf",
}  # fmt: skip
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}

SESSION = """adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types amount_subtotal
amount_total billing_address_collection branding_settings cancel_url client_reference_id client_secret
collected_information consent consent_collection currency currency_conversion customer customer_account
customer_creation customer_details customer_email discounts excluded_payment_method_types integration_identifier invoice
invoice_creation locale managed_payments name_collection optional_items origin_context payment_intent payment_link
payment_method_collection payment_method_configuration_details payment_method_options permissions
phone_number_collection presentment_details recovered_from redirect_on_completion return_url
saved_payment_method_options setup_intent shipping_address_collection shipping_cost submit_type subscription
success_url tax_id_collection wallet_options"""
INTENT = """allowed_payment_method_types amount_details application application_fee_amount automatic_payment_methods
canceled_at cancellation_reason client_secret customer customer_account description excluded_payment_method_types hooks
last_payment_error latest_charge managed_payments next_action on_behalf_of payment_details payment_method
payment_method_configuration_details payment_method_options payment_record presentment_details processing receipt_email
review setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data
transfer_group"""
CHARGE = """application application_fee application_fee_amount authorization_code balance_transaction
calculated_statement_descriptor customer description failure_balance_transaction failure_code failure_message level3
on_behalf_of presentment_details radar_options receipt_email receipt_number review shipping source source_transfer
statement_descriptor statement_descriptor_suffix transfer transfer_data transfer_group"""
REFUND = """balance_transaction customer customer_account description destination_details failure_balance_transaction
failure_reason instructions_email next_action payment_method pending_reason presentment_details reason receipt_number
source_transfer_reversal transfer_reversal"""
EVIDENCE = """access_activity_log appeal billing_address cancellation_policy cancellation_policy_disclosure
cancellation_rebuttal customer_communication customer_email_address customer_name customer_purchase_ip
customer_signature duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description
receipt refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation
shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number uncategorized_file
uncategorized_text"""


def nulls(names: str) -> Values:
    """Give a mapping of names to null."""
    return dict.fromkeys(names.split())


def line_item(name: str, description: str | None, currency: str, unit_amount: int, quantity: int, now: int) -> Values:
    """Make one line of a session."""
    amount = unit_amount * quantity
    price = nulls("currency_options custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity")
    price |= {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": new_id("prod", 14),
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": unit_amount,
        "unit_amount_decimal": str(unit_amount),
    }
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": name,
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "_hint": description,
    }


def session(items: Iterable[Values], given: Values, *, now: int, expires_at: int) -> Values:
    """Make an open session; `given` are the fields that the caller chose."""
    lines = list(items)
    total = sum(line["amount_total"] for line in lines)
    made = {
        "id": new_id("cs_test", 58),
        "object": "checkout.session",
        **nulls(SESSION),
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": now,
        "currency": lines[0]["currency"],
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_creation": "if_required",
        "expires_at": expires_at,
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_types": [CARD, BANK],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": None,  # known when it is shown: a restart may have moved the server
        "_items": lines,
    }
    return made | given


def customer_details(email: str | None) -> Values:
    """Make what the hosted page would have collected."""
    return {
        "address": dict(ADDRESS),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": None,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def intent(of: Values, given: Values, now: int) -> Values:
    """Make the PaymentIntent of a session; `given` is what `payment_intent_data` said."""
    made = {
        "id": new_id("pi"),
        "object": "payment_intent",
        **nulls(INTENT),
        "amount": of["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": now,
        "currency": of["currency"],
        "livemode": False,
        "metadata": {},
        "payment_method_types": [CARD, BANK],
        "status": "requires_payment_method",
        "_session": of["id"],
    }
    made["client_secret"] = f"{made['id']}_secret_{new_id('', 24)[1:]}"
    return made | given


def charge(of: Values, method: str, now: int) -> Values:
    """Make an attempt to take a PaymentIntent's money by card or from a bank account; it is pending."""
    email = of["receipt_email"]
    return {
        "id": new_id("ch"),
        "object": "charge",
        **nulls(CHARGE),
        "amount": of["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": {"address": dict(ADDRESS), "email": email, "name": None, "phone": None, "tax_id": None},
        "captured": True,
        "created": now,
        "currency": of["currency"],
        "description": of["description"],
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(of["metadata"]),
        "outcome": None,
        "paid": False,
        "payment_intent": of["id"],
        "payment_method": new_id("pm"),
        "payment_method_details": _method_details(method),
        "receipt_email": email,
        "receipt_url": None,  # known when it is shown
        "refunded": False,
        "status": "pending",
    }


def _method_details(method: str) -> Values:
    if method == BANK:
        account = {"account_type": "checking", "bank_name": "STAND-IN BANK", "last4": "6789", "routing_number": None}
        return {"type": BANK, BANK: account}
    card = {"brand": "visa", "country": "US", "exp_month": 12, "exp_year": 2040, "funding": "credit", "last4": "4242"}
    return {"type": CARD, CARD: card}


def outcome(code: str | None, reason: str | None) -> Values:
    """Make what the networks said of a charge: accepted without a code, declined with one."""
    accepted = code is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if accepted else "01",
        "network_status": "approved_by_network" if accepted else "declined_by_network",
        "reason": None if accepted else reason,
        "risk_level": "normal",
        "seller_message": "Payment complete." if accepted else "The bank did not return any further details.",
        "type": "authorized" if accepted else "issuer_declined",
    }


def payment_error(code: str, decline_code: str | None, message: str, of: Values | None) -> Values:
    """Make a PaymentIntent's `last_payment_error`; `of` is the charge that failed, if one was made."""
    made: Values = {"code": code, "message": message, "type": "card_error", "charge": of["id"] if of else None}
    return made | ({"decline_code": decline_code} if decline_code else {})


def refund(of: Values, amount: int, given: Values, now: int) -> Values:
    """Make a refund of a charge."""
    made = {
        "id": new_id("re"),
        "object": "refund",
        **nulls(REFUND),
        "amount": amount,
        "balance_transaction": new_id("txn"),
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "metadata": {},
        "payment_intent": of["payment_intent"],
        "status": "pending",
    }
    return made | given


def dispute(of: Values, amount: int, reason: str, now: int) -> Values:
    """Make a dispute over a charge."""
    return {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": of["id"],
        "created": now,
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": nulls(EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": None,
        },
        "intended_submission_method": None,
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": of["payment_intent"],
        "payment_method_details": {"type": CARD, CARD: {"brand": "visa", "case_type": "chargeback"}},
        "reason": reason,
        "status": "needs_response",
    }


def event(kind: str, of: Values, before: Values | None, *, version: str, now: int, asked_by: Values) -> Values:
    """Make the event that tells of an object's change; `of` is how it is shown, `before` what was different."""
    data: Values = {"object": of}
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": version,
        "created": now,
        "data": data | ({"previous_attributes": before} if before is not None else {}),
        "livemode": False,
        "pending_webhooks": 0,
        "request": asked_by,
        "type": kind,
    }


def money(amount: int, currency: str) -> str:
    """Write an amount for people: $5.00, 1,200 JPY as ¥1,200, 5.00 CHF."""
    digits = 0 if currency in NO_DECIMALS else 2
    text = f"{amount:,}" if not digits else f"{amount // 100:,}.{amount % 100:02d}"
    sign = SIGNS.get(currency)
    return f"{sign}{text}" if sign else f"{text} {currency.upper()}"
