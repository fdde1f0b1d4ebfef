"""The audit log's page: for operators alone, filtered by what one looks for, and kept as it was written by the database."""

import csv
import io

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import audit
from accounts.models import AuditLog, User

PAGE, CSV = "/operations/audit", "/operations/audit.csv"


@pytest.fixture
def log(alice: User, oscar: User) -> None:
    audit.record(oscar, "user.disabled", alice, old={"is_active": True}, new={"is_active": False}, reason="=Spam")
    audit.record(
        None, "challenge.expired", ("pvp.challenge", "c-1"), old={"status": "proposed"}, new={"status": "expired"}
    )
    audit.record(alice, "challenge.sent", ("pvp.challenge", "c-2"))


def found(client: Client, query: str = "") -> list[str]:
    lines = list(csv.DictReader(io.StringIO(client.get(f"{CSV}?{query}").content.decode())))
    return [line["action"] for line in lines if line["action"] != "user.added"]


@pytest.mark.django_db
def test_operators_find_what_they_look_for(client: Client, oscar: User, alice: User, log: None) -> None:
    client.force_login(oscar)
    assert found(client) == ["challenge.sent", "challenge.expired", "user.disabled"]
    assert found(client, "action=challenge.") == ["challenge.sent", "challenge.expired"]
    assert found(client, "actor=OSCAR") == ["user.disabled"]
    assert found(client, "actor=system&action=challenge") == ["challenge.expired"]
    assert found(client, "staff=1") == ["user.disabled"]
    assert found(client, "object_id=c-2") == ["challenge.sent"]
    assert found(client, "object_type=pvp.&from=2000-01-01&to=2199-01-01") == ["challenge.sent", "challenge.expired"]
    assert found(client, "to=2001-01-01") == []
    assert found(client, "from=nonsense&object_id=%00c-2") == ["challenge.sent"]
    assert "'=Spam" in client.get(CSV).content.decode()  # no formula for a spreadsheet
    page = client.get(f"{PAGE}?action=user.disabled").content.decode()
    for words in ("user.disabled", "=Spam", "is_active", "oscar"):
        assert words in page
    assert "Nothing matches." in client.get(f"{PAGE}?actor=nobody").content.decode()


@pytest.mark.django_db
def test_older_rows_follow_without_gap(client: Client, oscar: User) -> None:
    for number in range(60):
        audit.record(oscar, "test.step", ("test.thing", number))
    client.force_login(oscar)
    first = client.get(f"{PAGE}?action=test.")
    second = client.get(f"{PAGE}?{first.context['older']}")
    seen = [row.object_id for row, *_ in [*first.context["rows"], *second.context["rows"]]]
    assert seen == [str(number) for number in reversed(range(60))]
    assert second.context["older"] == ""


@pytest.mark.django_db
def test_nobody_else_reads_it(client: Client, alice: User, mona: User, log: None) -> None:
    assert client.get(PAGE).status_code == 302
    for user in (alice, mona):
        client.force_login(user)
        for path in (PAGE, CSV):
            assert client.get(path).status_code == 403


@pytest.mark.django_db
def test_the_database_lets_nobody_change_it(log: None) -> None:
    for statement in (
        "UPDATE accounts_auditlog SET reason = ''",
        "DELETE FROM accounts_auditlog",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditLog.objects.filter(action="user.disabled", reason="=Spam").exists()
