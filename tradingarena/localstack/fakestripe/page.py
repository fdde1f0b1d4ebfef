"""The hosted payment page: what a customer sees at `session.url`, and what each button does. No script is needed.

What happens to the payment is in `checkout.py`; the look is `page.css`.
"""

import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, quote

from tradingarena.localstack.fakestripe import checkout
from tradingarena.localstack.fakestripe.errors import ApiError
from tradingarena.localstack.fakestripe.objects import money
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Answer, Request, Values

STYLE = (Path(__file__).parent / "page.css").read_bytes()
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
PLAY_MONEY = "<span>Play money: a local stand-in,</span> <span>no card is charged</span>"
DECLINED = "Your card was declined. Nothing was paid; try again or leave."
NOT_CONFIRMED = "The payment was not confirmed. Nothing was paid; try again or leave."
WHOLE_URL = "%/:=&?~#+!$,;'@()*[]"

# Buttons of the open page: name, label, what it does for whoever tries the program out.
TRIES = [
    ("bank", "Pay by bank", "Complete now, the money arrives later."),
    ("bank-fails", "Pay by bank, without funds", "Complete now, the payment fails later."),
    ("ask", "Ask for confirmation", "As a bank does that wants to know who pays."),
    ("decline", "Decline", "The card is refused; this page stays."),
    ("decline-then-pay", "Decline, then pay", "A refused card, then a good one."),
]


class Page:
    """Answers the browser's requests."""

    def __init__(self, state: State, settles_in_s: float) -> None:
        self.state, self.settles_in_s = state, settles_in_s

    def answer(self, request: Request) -> Answer | None:
        """Answer a request for a page, None when the path is none."""
        if request.path == "/page.css":
            return Answer(200, STYLE, (("Content-Type", "text/css; charset=utf-8"),))
        found = re.fullmatch(r"/(c/pay|receipts)/([A-Za-z0-9_]+)(/confirm)?", request.path)
        if found is None or request.method not in {"GET", "HEAD", "POST"}:
            return None
        try:
            if found[1] == "receipts":
                return self._receipt(found[2])
            with self.state.store.change():
                return self._session(request, self.state.need("checkout.session", found[2]), confirm=bool(found[3]))
        except ApiError:
            return _html(404, "No such payment", "<section><p>This address belongs to no payment here.</p></section>")

    def _session(self, request: Request, session: Values, *, confirm: bool) -> Answer:
        if session["status"] == "complete":
            return _closed(session)
        if session["status"] == "expired":
            return _expired(session)
        if request.method == "POST":
            return self._press(session, _pressed(request))
        return self._confirm(session) if confirm else _open(session, "")

    def _press(self, session: Values, button: str) -> Answer:
        name = session["id"]
        presses: dict[str, Callable[[], Values]] = {
            "pay": lambda: checkout.pay(self.state, name),
            "bank": lambda: checkout.pay_later(self.state, name, settles_in_s=self.settles_in_s, fails=False),
            "bank-fails": lambda: checkout.pay_later(self.state, name, settles_in_s=self.settles_in_s, fails=True),
            "decline": lambda: checkout.decline(self.state, name),
            "ask": lambda: checkout.ask(self.state, name),
            "refuse": lambda: checkout.refuse(self.state, name),
        }
        if button == "decline-then-pay":
            checkout.decline(self.state, name)
            button = "pay"
        if button not in presses:
            return _open(session, "This page knows no such button.", 400)
        session = presses[button]()
        if session["status"] == "complete":
            return _redirect(success_url(session))
        if button == "ask":
            return _redirect(f"/c/pay/{name}/confirm")
        return _open(session, NOT_CONFIRMED if button == "refuse" else DECLINED)

    def _confirm(self, session: Values) -> Answer:
        total = money(session["amount_total"], session["currency"])
        return _html(
            200,
            "Is it you who pays?",
            f"""<section><p>Your bank asks you to confirm <strong>{escape(total)}</strong> before it pays.</p>
<form method="post" action="/c/pay/{session["id"]}" class="tries">
<button name="button" value="pay" class="main">Confirm {escape(total)}</button>
<button name="button" value="refuse">Refuse</button>
</form></section>""",
        )

    def _receipt(self, name: str) -> Answer:
        charge = self.state.need("charge", name)
        rows = [("Paid", money(charge["amount_captured"], charge["currency"]))]
        if charge["amount_refunded"]:
            rows.append(("Given back", money(charge["amount_refunded"], charge["currency"])))
        rows += [("Status", charge["status"]), ("Charge", name)]
        return _html(200, "Receipt", f"<section>{_facts(rows)}</section>")


def success_url(session: Values) -> str:
    """Give where a customer goes after paying, with the session's id filled in."""
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _pressed(request: Request) -> str:
    try:
        return parse_qs(request.body.decode(), max_num_fields=20).get("button", [""])[-1]
    except ValueError:
        return ""


def _open(session: Values, trouble: str, status: int = 200) -> Answer:
    total = money(session["amount_total"], session["currency"])
    alert = f'<p role="alert" class="alert">{escape(trouble)}</p>' if trouble else ""
    tries = "".join(
        f'<div><button name="button" value="{name}" aria-describedby="{name}">{label}</button>'
        f'<p id="{name}">{what}</p></div>'
        for name, label, what in TRIES
    )
    leave = _way_back(session["cancel_url"], "Cancel and go back")
    return _html(
        status,
        f"Pay {total}",
        f"""{alert}
<div class="sides">
<section aria-labelledby="order"><h2 id="order">Your order</h2>{_order(session, total)}</section>
<section aria-labelledby="how"><h2 id="how">How to pay</h2>
<form method="post" action="/c/pay/{session["id"]}">
<button name="button" value="pay" class="main">Pay {escape(total)}</button>
{f'<h3>Other endings, to try them out</h3><div class="tries">{tries}</div>' if session["amount_total"] else ""}
</form>{leave}</section>
</div>""",
    )


def _order(session: Values, total: str) -> str:
    currency = session["currency"]
    rows = "".join(
        f'<tr><th scope="row">{escape(item["description"])}'
        + (f"<small>{escape(item['_hint'])}</small>" if item["_hint"] else "")
        + f"</th><td>{item['quantity']} × {escape(money(item['price']['unit_amount'], currency))}</td>"
        f"<td>{escape(money(item['amount_total'], currency))}</td></tr>"
        for item in session["_items"]
    )
    facts = [("Reference", session["client_reference_id"]), ("E-mail", session["customer_email"])]
    return f"""<table><caption class="unseen">What is bought</caption>
<thead class="unseen"><tr><th scope="col">Item</th><th scope="col">Price</th><th scope="col">Amount</th></tr></thead>
<tbody>{rows}</tbody>
<tfoot><tr><th scope="row" colspan="2">Total</th><td>{escape(total)}</td></tr></tfoot></table>
{_facts([(name, value) for name, value in facts if value])}"""


def _closed(session: Values) -> Answer:
    paid = session["payment_status"] != "unpaid"
    text = (
        "This payment is complete; nothing more is to be done."
        if paid
        else "This payment was sent from a bank account. The money is on its way, or was not there; the seller knows."
    )
    title = "Already paid" if paid else "Already sent"
    return _html(200, title, f"<section><p>{text}</p>{_way_back(success_url(session), 'Go back')}</section>")


def _expired(session: Values) -> Answer:
    text = "<p>This payment was open for too long and has expired. Nothing was paid; begin anew.</p>"
    return _html(200, "Expired", f"<section>{text}{_way_back(session['cancel_url'], 'Go back')}</section>")


def _way_back(url: str | None, label: str) -> str:
    return f'<p class="leave"><a href="{escape(_safe(url))}">{label}</a></p>' if url else ""


def _facts(rows: list[tuple[str, str]]) -> str:
    inner = "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)
    return f"<dl>{inner}</dl>" if inner else ""


def _safe(url: str) -> str:
    return quote(url, safe=WHOLE_URL)


def _redirect(url: str) -> Answer:
    return Answer(303, b"", (("Location", _safe(url)), ("Cache-Control", "no-store")))


def _html(status: int, title: str, body: str) -> Answer:
    text = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{escape(title)} · play money</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><p>{PLAY_MONEY}</p></header>
<main>
<h1>{escape(title)}</h1>
{body}
</main>
</body>
</html>
"""
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", POLICY),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
    )
    return Answer(status, text.encode(), headers)
