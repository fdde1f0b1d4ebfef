"""Somebody who has done a bit of everything is forgotten: what stands in the way is told, nothing names them afterwards in any table,
and the books hold. docs/privacy.md."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import audit, selectors
from accounts.models import AuditLog, Deletion, User
from accounts.services import deletion, exports, tokens, usernames
from accounts.tasks import forget
from betting.services.settlement import settle_what_is_due
from betting.tests.stage import set_up
from competitions.models import Competition, Payout
from competitions.tests.factories import make_entry, make_open_competition, make_user
from tokens import ledger, proof
from tokens.models import Payment, StripeEvent
from tokens.services import boards, bonus, referrals
from tokens.services.desk import tokens_grant
from tradingarena import invariants
from tradingarena.core.errors import NotFound

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS, NAME, CARD_OWNER = "wilhelmina@example.com", "Wilhelmina", "Wilhelmina Q. Public"


def everywhere(text: str) -> list[str]:
    """Name the tables of the whole database in which a text stands somewhere, without regard to case."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT count(*) FROM "{table}" AS row WHERE row::text ILIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(table)
    return sorted(found)


def shift(days: int) -> None:
    Deletion.objects.update(due_at=timezone.now() - timedelta(days=days))


@pytest.fixture
def mina() -> User:
    """She bets, trades, pays, brings a friend, renames herself, and uses a program."""
    user = make_user("wilhelmina")
    usernames.username_change(user.pk, NAME)
    tokens.token_create(user.pk, name="a program", scopes=["read"], by_operator=True)
    client = Client()
    client.force_login(user, backend="accounts.adapters.SignInBackend")
    client.get("/settings", REMOTE_ADDR="192.0.2.77")
    bonus.bonus_claim(user)
    tokens_grant(user.pk, 500, reason="A gift")
    friend = make_user("friend")
    referrals.referral_note(friend, referrals.referral_code(user))
    paid = Payment.objects.create(user=user, purpose="tokens", reference_id="x", description="100 tokens", amount_cents=100,
                                  site_url="https://x", card_fingerprint="card-of-mina", status="paid", paid_at=timezone.now(),
                                  session_id="cs_1", payment_intent="pi_1", tokens=100)  # fmt: skip
    details = {"customer_details": {"email": ADDRESS, "name": CARD_OWNER}, "id": "cs_1"}
    StripeEvent.objects.create(id="evt_1", type="checkout.session.completed", created_at=timezone.now(), payment_id=paid.pk,
                               payload={"data": {"object": details}}, status="applied")  # fmt: skip
    with transaction.atomic():
        ledger.move(ledger.Kind.PURCHASE, uuid4(), 100, source=ledger.house(ledger.House.ISSUANCE),
                    target=ledger.wallet(user.pk), reason="100 tokens", reference=("payment", paid.pk))  # fmt: skip
    audit.record(user, "user.noted", user, new={"username": NAME, "email": ADDRESS})
    exports.export_request(user)
    exports.tend()
    return User.objects.get(pk=user.pk)


def test_what_is_open_is_told_and_puts_a_deletion_off(mina: User) -> None:
    contest = make_open_competition(title="Evening cup")
    entry = make_entry(contest, mina)
    with pytest.raises(deletion.DeletionBlocked) as refusal:
        deletion.deletion_request(mina)
    assert refusal.value.data["reasons"] == ["You are in the contest “Evening cup”, which is not over."]
    Competition.objects.filter(pk=contest.pk).update(status="completed", completed_at=timezone.now())
    deletion.deletion_request(mina)
    Payout.objects.create(competition=contest, user=mina, entry=entry, place=1, amount_cents=500)
    Payment.objects.filter(user=mina).update(status="open")
    shift(0)
    assert forget()["put_off"] == 1
    held = Deletion.objects.get()
    assert held.blocked_by == ["A prize of yours is not paid out yet.", "A card payment of yours is under way."]
    assert held.due_at > timezone.now() + timedelta(hours=23)
    Payout.objects.update(status="paid")
    Payment.objects.filter(user=mina).update(status="paid")
    shift(0)
    assert forget()["shut"] == 1
    assert not User.objects.get(pk=mina.pk).is_active
    # something that was under way when the account was shut arrives: it works again, and waits
    Payout.objects.update(status="pending")
    shift(0)
    assert forget()["put_off"] == 1
    assert User.objects.get(pk=mina.pk).is_active


def test_open_bets_stand_in_the_way_until_they_are_settled(mina: User) -> None:
    stage = set_up(traders=("tara",), bettors=("ben",))
    stage.bettors["mina"] = mina
    stage.bet("mina", "positive", 40)
    stage.bet("ben", "negative", 40)
    assert deletion.blocked_by(mina) == ["You have 1 open bet."]
    assert "There are open bets on you." in deletion.blocked_by(stage.traders["tara"].user)
    stage.end(tara=stage.contest.starting_balance_cents + 500)
    settle_what_is_due()
    assert deletion.blocked_by(mina) == []


def test_nothing_names_a_forgotten_person_and_the_books_hold(mina: User) -> None:
    boards.ledger_count()
    assert {"accounts_user", "account_emailaddress", "tokens_stripeevent", "accounts_auditlog"} <= set(
        everywhere(ADDRESS)
    )
    deletion.deletion_request(mina)
    shift(0)
    assert forget() == {"shut": 1, "forgotten": 0, "put_off": 0}
    assert forget() == {"shut": 0, "forgotten": 0, "put_off": 0}
    shift(0)
    assert forget() == {"shut": 0, "forgotten": 1, "put_off": 0}
    assert forget() == {"shut": 0, "forgotten": 0, "put_off": 0}
    for text in (ADDRESS, NAME, CARD_OWNER, "card-of-mina", "192.0.2.77", "a program"):
        assert everywhere(text) == [], text
    gone = User.objects.get(pk=mina.pk)
    assert (gone.username, gone.email) == (f"gone-{mina.pk.hex[-12:]}", f"gone-{mina.pk.hex[-12:]}@gone.invalid")
    assert not gone.may_sign_in()
    with pytest.raises(NotFound):
        selectors.user_by_name(NAME)
    assert AuditLog.objects.filter(object_id=str(mina.pk)).count() >= 4
    assert Deletion.objects.get().status == "done"
    assert ledger.is_posted(ledger.derived_id(mina.pk, "account deleted"))
    assert [finding.check.name for finding in invariants.prove() if finding.violations] == []
    assert proof.prove().wrong == []
    assert not Client().login(email=ADDRESS, password="x")
    newcomer: Any = make_user("wilhelmina")
    assert newcomer.username == "wilhelmina"
