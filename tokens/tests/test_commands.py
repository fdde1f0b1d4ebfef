"""What operators run by hand: verify_ledger, reconcile_stripe."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from tokens.tests.ledger.book import give, pay
from tokens.tests.payments.conftest import shop, stripe
from tokens.tests.payments.shop import Shop

__all__ = ["shop", "stripe"]

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_whole_ledger_is_proved_and_its_head_is_the_same_again() -> None:
    ann = uuid4()
    give(ann, 10)
    pay(ann, 3)
    told = json.loads(run("verify_ledger", "--json"))
    assert set(told["checks"].values()) == {0}
    assert (told["chains"]["transfers"], told["chains"]["links"], told["chains"]["wrong"]) == (2, 2, [])
    assert told["chains"]["head"] in run("verify_ledger")
    give(ann, 1)
    assert told["chains"]["head"] not in run("verify_ledger")


def test_a_ledger_that_was_edited_fails_and_says_where() -> None:
    give(uuid4(), 10)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tokens_transfer DISABLE TRIGGER USER")
        cursor.execute("UPDATE tokens_transfer SET reason = 'Another story'")
        cursor.execute("ALTER TABLE tokens_transfer ENABLE TRIGGER USER")
    out = StringIO()
    with pytest.raises(CommandError, match="does not hold"):
        call_command("verify_ledger", stdout=out)
    assert "WRONG  chains" in out.getvalue()
    assert "does not say what was written" in out.getvalue()


def test_the_reconciler_says_what_it_found(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.webhooks(drop=50)
    shop.stripe.pay(payment.session_id)
    shop.settle()
    told = json.loads(run("reconcile_stripe", "--json"))
    assert (told["events_missed"], told["troubles"]) == (4, [])
    assert "none" in run("reconcile_stripe")


def test_an_operator_is_called_for_what_is_quarantined(shop: Shop) -> None:
    payment = shop.begin()
    shop.stripe.alter(payment.session_id, amount_total=1)
    shop.stripe.pay(payment.session_id)
    shop.settle()
    with pytest.raises(CommandError, match="quarantined"):
        run("reconcile_stripe")


def test_without_keys_it_says_so(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY"):
        run("reconcile_stripe")


def test_unknown_arguments_are_refused() -> None:
    for command in ("verify_ledger", "reconcile_stripe"):
        with pytest.raises(CommandError, match="unrecognized"):
            run(command, "--what")
