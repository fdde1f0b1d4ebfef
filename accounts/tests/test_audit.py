"""The audit log: what a row says, and that nobody changes it. docs/rules/accounts.md#audit-log."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from psycopg import sql

from accounts import audit
from accounts.models import AuditLog, User

CHANGES = [
    "UPDATE accounts_auditlog SET reason = 'nothing happened'",
    "DELETE FROM accounts_auditlog",
    "TRUNCATE accounts_auditlog",
    "TRUNCATE accounts_user CASCADE",
]


def settle() -> None:
    """Check what was deferred: a table with checks to come cannot be truncated, trigger or not."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_row_says_who_did_what_to_what_and_why(alice: User, oscar: User) -> None:
    row = audit.record(oscar, "user.praised", alice, old={"mood": 1}, new={"mood": 2}, reason="well traded")
    row.refresh_from_db()
    assert (row.actor, row.action, row.reason) == (oscar, "user.praised", "well traded")
    assert (row.object_type, row.object_id) == ("accounts.user", str(alice.pk))
    assert (row.old, row.new) == ({"mood": 1}, {"mood": 2})


def test_a_row_can_tell_of_something_that_is_no_row(oscar: User) -> None:
    row = audit.record(oscar.pk, "feed.restarted", ("market.feed", 7))
    assert (row.actor, row.object_type, row.object_id) == (oscar, "market.feed", "7")


def test_the_system_itself_has_no_actor(db: None) -> None:
    assert audit.record(None, "beat.started", ("core.beat", "1")).actor is None


def test_a_row_names_the_request_and_where_it_came_from(alice: User, by_session: Callable[[User], Client]) -> None:
    answer = by_session(alice).post(
        "/settings/username", {"username": "wonder"}, headers={"X-Request-Id": "my-request-1"}, REMOTE_ADDR="192.0.2.7"
    )
    assert answer.status_code == 302
    row = AuditLog.objects.get(action="user.renamed")
    assert (row.request_id, row.address) == ("my-request-1", "192.0.2.7")


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_every_change_of_the_audit_log(alice: User, change: str) -> None:
    audit.record(alice, "user.praised", alice)
    before = list(AuditLog.objects.values())
    settle()
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    assert list(AuditLog.objects.values()) == before


@pytest.mark.parametrize("change", CHANGES[:3])
def test_the_database_refuses_it_to_a_role_that_owns_nothing_too(alice: User, change: str) -> None:
    audit.record(alice, "user.praised", alice)
    settle()
    with connection.cursor() as cursor:
        role = sql.Identifier(f"visitor_{alice.pk.hex}")
        cursor.execute(sql.SQL("CREATE ROLE {}").format(role))
        cursor.execute(sql.SQL("GRANT ALL ON accounts_auditlog TO {}").format(role))
        cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            cursor.execute(change)
        cursor.execute("RESET ROLE")


def test_a_person_the_audit_log_speaks_of_cannot_be_deleted(alice: User) -> None:
    audit.record(alice, "user.praised", alice)
    with pytest.raises(IntegrityError):
        alice.delete()
    assert User.objects.filter(pk=alice.pk).exists()
