"""What operators do by hand: docs/rules/tokens.md#by-hand."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import AuditLog, User
from tokens import ledger
from tokens.models import Account, Adjustment, Leg, Transfer
from tokens.services import desk
from tokens.tests.ledger.book import balance, broken, give, pay
from tradingarena.core.errors import Forbidden
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_adjustment_takes_two_people(ann: User, olga: User, otto: User) -> None:
    asked = desk.adjustment_request(olga, ann.pk, 50, "Compensation for the outage")
    assert balance(ann.pk) == 0
    with pytest.raises(desk.SecondPersonNeeded):
        desk.adjustment_decide(olga, asked.pk, approve=True)
    desk.adjustment_decide(otto, asked.pk, approve=True)
    assert balance(ann.pk) == 50
    said = Transfer.objects.get()
    assert (said.kind, said.reason, said.actor) == ("adjustment", "Compensation for the outage", otto)
    with pytest.raises(desk.AdjustmentDecided):
        desk.adjustment_decide(otto, asked.pk, approve=True)
    assert set(AuditLog.objects.values_list("action", "actor__username")) >= {
        ("adjustment.requested", "olga"),
        ("adjustment.approved", "otto"),
    }
    assert broken() == []


def test_a_rejected_one_moves_nothing_and_says_why(ann: User, olga: User, otto: User) -> None:
    asked = desk.adjustment_request(olga, ann.pk, 50, "Because")
    with pytest.raises(desk.ReasonNeeded):
        desk.adjustment_decide(otto, asked.pk, approve=False)
    desk.adjustment_decide(otto, asked.pk, approve=False, reason="No ground for it")
    assert balance(ann.pk) == 0
    assert AuditLog.objects.get(action="adjustment.rejected").reason == "No ground for it"


def test_taking_more_than_there_is_stays_undecided(ann: User, olga: User, otto: User) -> None:
    give(ann.pk, 10)
    asked = desk.adjustment_request(olga, ann.pk, -11, "Taken by mistake")
    with pytest.raises(desk.AdjustmentRefused):
        desk.adjustment_decide(otto, asked.pk, approve=True)
    asked.refresh_from_db()
    assert (asked.status, balance(ann.pk)) == ("pending", 10)


def test_two_who_approve_at_once_move_it_once(ann: User, olga: User, otto: User) -> None:
    asked = desk.adjustment_request(olga, ann.pk, 50, "Compensation")
    outcomes = race([lambda: desk.adjustment_decide(otto, asked.pk, approve=True)] * 8)
    assert sum(not isinstance(one, Exception) for one in outcomes) == 1
    assert balance(ann.pk) == 50


@pytest.mark.parametrize(("amount", "reason"), [(0, "Nothing"), (10_000_001, "Too much"), (5, "  ")])
def test_what_cannot_be_asked_for(ann: User, olga: User, amount: int, reason: str) -> None:
    with pytest.raises((desk.AdjustmentRefused, desk.ReasonNeeded)):
        desk.adjustment_request(olga, ann.pk, amount, reason)
    assert not Adjustment.objects.exists()


def test_nobody_else_touches_a_wallet(ann: User, ben: User, olga: User) -> None:
    asked = desk.adjustment_request(olga, ann.pk, 5, "Compensation")
    for attempt in (
        lambda: desk.adjustment_request(ben, ben.pk, 5, "For me"),
        lambda: desk.adjustment_decide(ben, asked.pk, approve=True),
        lambda: desk.wallet_freeze(ben, ann.pk, "For fun"),
        lambda: desk.wallet_thaw(ben, ann.pk, "For fun"),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_the_database_too_wants_two_people(ann: User, olga: User) -> None:
    values = {"user": ann, "amount_tokens": 5, "reason": "x", "requested_by": olga, "decided_by": olga}
    with pytest.raises(IntegrityError, match="adjustment_two_people"), transaction.atomic():
        Adjustment.objects.create(status="approved", **values)


def test_a_wallet_is_frozen_and_thawed_with_a_reason(ann: User, olga: User) -> None:
    give(ann.pk, 10)
    assert desk.wallet_freeze(olga, ann.pk, "Looks like a stolen card")
    assert not desk.wallet_freeze(olga, ann.pk, "Again")
    with pytest.raises(ledger.WalletFrozen):
        pay(ann.pk, 1)
    assert desk.wallet_thaw(olga, ann.pk, "It was not")
    pay(ann.pk, 1)
    told = AuditLog.objects.filter(object_id=str(ann.pk), action__startswith="wallet.").order_by("id")
    assert list(told.values_list("action", "reason")) == [
        ("wallet.frozen", "Looks like a stolen card"),
        ("wallet.thawed", "It was not"),
    ]


def test_somebody_without_a_wallet_can_be_frozen_too(ann: User, olga: User) -> None:
    assert desk.wallet_freeze(olga, ann.pk, "Under review")
    give(ann.pk, 5)
    with pytest.raises(ledger.WalletFrozen):
        pay(ann.pk, 5)


# -- the admin site -----------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


def test_operators_read_everything_and_edit_no_history(ann: User, browser: Client) -> None:
    cause = uuid4()
    give(ann.pk, 10, cause)
    wallet = Account.objects.get(owner_id=ann.pk)
    for path in (
        "account/", f"account/{wallet.pk}/change/", "account/?q=ann@example.com", "account/?state=nonzero", "transfer/",
        f"transfer/{cause}/change/", "transfer/?q=ann@example.com", "payment/?q=ann@example.com", "refund/", "dispute/",
        "stripeevent/", "tokenpackage/", "adjustment/", "adjustment/add/",
    ):  # fmt: skip
        assert browser.get(f"/admin/tokens/{path}").status_code == 200, path
    assert "10" in browser.get("/admin/tokens/account/?q=ann@example.com").content.decode()
    for path in (
        f"account/{wallet.pk}/delete/",
        "transfer/add/",
        f"transfer/{cause}/delete/",
        "payment/add/",
        "stripeevent/add/",
    ):
        assert browser.get(f"/admin/tokens/{path}").status_code == 403, path
    assert browser.post(f"/admin/tokens/transfer/{cause}/change/", {"reason": "Another story"}).status_code == 403
    assert Leg.objects.count() == 2


def test_an_adjustment_is_asked_for_and_decided_in_the_admin_site(ann: User, browser: Client, otto: User) -> None:
    wish = {"person": "ANN@example.com", "amount_tokens": "25", "reason": "Compensation"}
    assert browser.post("/admin/tokens/adjustment/add/", wish).status_code == 302
    for bad in ({"person": "nobody"}, {"amount_tokens": "0"}, {"amount_tokens": "99999999999"}, {"reason": ""}):
        assert browser.post("/admin/tokens/adjustment/add/", wish | bad).status_code == 200
    asked = Adjustment.objects.get()
    act = {"action": "approve", "_selected_action": [str(asked.pk)], "reason": ""}
    told = browser.post("/admin/tokens/adjustment/", act, follow=True).content.decode()
    assert "Another operator decides this" in told
    second = Client()
    second.force_login(otto)
    assert "Done for 1" in second.post("/admin/tokens/adjustment/", act, follow=True).content.decode()
    assert balance(ann.pk) == 25


def test_a_moderator_sees_no_money(ann: User, mona: Any) -> None:
    client = Client()
    client.force_login(mona)
    assert client.get("/admin/tokens/transfer/").status_code == 403
