"""A copy of one's data, what expires, and the pages of both: docs/privacy.md. Forgetting is tried over all apps in
`tradingarena/tests/test_forgetting.py`."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditLog, DataExport, Deletion, Mail, Notification, Sighting, User, UsernameHistory
from accounts.services import deletion, exports, people, retention
from accounts.tasks import forget, make_exports, sweep_retention
from tradingarena.tests.callers import by_session, by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.racing import race
from tradingarena.tests.tables import rows_of

PASSWORD = "a-long-password-7"


@pytest.fixture
def ann(db: Any) -> User:
    return people.person_add("ann@example.com", "ann", password=PASSWORD, confirmed=True, country="IE")


def signed_in(user: User) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def opened(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


# -- a copy -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_copy_is_asked_for_made_told_of_and_downloaded_by_its_owner_alone(ann: User) -> None:
    client = signed_in(ann)
    page = client.post("/settings/data/exports", follow=True).content.decode()
    assert "Your copy is being made" in page
    made = DataExport.objects.get()
    make_exports()
    made.refresh_from_db()
    assert (made.status, made.size_bytes) == ("ready", len(bytes(made.content)))
    assert list(Mail.objects.filter(user=ann, kind="export_ready").values_list("subject", flat=True)) == [
        "Your data is ready"
    ]
    page = client.get("/settings/data").content.decode()
    assert f"/settings/data/exports/{made.pk}.zip" in page
    answer = client.get(f"/settings/data/exports/{made.pk}.zip")
    assert answer["Content-Type"] == "application/zip"
    held = opened(answer.content)
    assert sorted(held) == exports.sections()
    assert held["account"]["profile"]["email"] == "ann@example.com"
    assert len(held["account"]["sessions"]) == 1
    assert PASSWORD not in str(held)
    assert ann.password not in str(held)
    ben = people.person_add("ben@example.com", "ben", password=PASSWORD, confirmed=True)
    assert signed_in(ben).get(f"/settings/data/exports/{made.pk}.zip").status_code == 404
    assert Client().get(f"/settings/data/exports/{made.pk}.zip").status_code == 302
    DataExport.objects.update(expires_at=timezone.now())
    assert client.get(f"/settings/data/exports/{made.pk}.zip").status_code == 404
    exports.tend()
    made.refresh_from_db()
    assert (made.status, made.content) == ("expired", None)


def test_every_file_of_a_copy_is_described() -> None:
    with open("docs/privacy.md", encoding="utf-8") as document:
        section = document.read().partition("## A copy of your data")[2].partition("\n## ")[0]
    assert [name for name in exports.sections() if f"`{name}`" not in section] == []


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_and_workers_at_once_one_copy_comes(ann: User) -> None:
    outcomes = race([lambda: exports.export_request(ann)] * 20)
    assert sum(isinstance(one, DataExport) for one in outcomes) == 1
    assert sum(isinstance(one, exports.ExportMade) for one in outcomes) == 19
    DataExport.objects.update(status="waiting", content=None, expires_at=None)
    Notification.objects.all().delete()
    pk = DataExport.objects.get().pk
    assert sorted(race([lambda: exports.export_build(pk)] * 10)) == [False] * 9 + [True]
    assert Notification.objects.filter(user=ann, kind="export_ready").count() == 1


def test_copies_over_rest_are_for_sessions_to_ask_for(ann: User) -> None:
    path = "/api/me/exports"
    problem_of(check(by_token(ann), "post", path), 403, "session_required")
    session = by_session(ann)
    session.get("/settings")
    token = session.cookies["csrftoken"].value
    assert check(session, "post", path, **{"X-CSRFToken": token}).json()["status"] == "waiting"
    problem_of(check(session, "post", path, **{"X-CSRFToken": token}), 409, "export_made")
    assert [row["status"] for row in check(by_token(ann), "get", path).json()["results"]] == ["waiting"]


# -- what expires -------------------------------------------------------------------------------------------------------


def test_what_expires_is_what_the_page_says() -> None:
    table = {what: int(days) for what, days, _ in rows_of("docs/privacy.md", "How long")}
    assert table == {one.name: one.days for one in retention.kept()}


def test_what_is_too_old_is_thrown_away_and_the_rest_stays(ann: User) -> None:
    now = timezone.now()
    for age, digest in ((179, "new"), (181, "old")):
        Sighting.objects.create(user=ann, kind="device", digest=digest, last_at=now - timedelta(days=age))
        UsernameHistory.objects.create(user=ann, username=f"{digest}ann", username_skeleton=digest,
                                       changed_at=now - timedelta(days=age), reserved_until=now)  # fmt: skip
    counts = sweep_retention()
    assert (counts["sightings"], counts["former names"]) == (1, 1)
    assert Sighting.objects.get().digest == "new"
    assert UsernameHistory.objects.get().username == "newann"
    assert not any(sweep_retention().values())
    assert "Sightings" in Client().get("/privacy").content.decode()


# -- the wish to be forgotten -------------------------------------------------------------------------------------------


def test_a_deletion_is_asked_for_with_password_and_name_and_taken_back(ann: User) -> None:
    client = signed_in(ann)
    assert "reauthenticate" in client.get("/settings/data/delete").headers["Location"]
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert "Delete my account" in client.get("/settings/data/delete").content.decode()
    wrong = client.post("/settings/data/delete", {"username": "Ann"})
    assert (wrong.status_code, Deletion.objects.count()) == (422, 0)
    page = client.post("/settings/data/delete", {"username": "ann"}, follow=True).content.decode()
    assert "Your account will be deleted on" in page
    asked = Deletion.objects.get()
    assert timedelta(days=13) < asked.due_at - timezone.now() < timedelta(days=15)
    with pytest.raises(deletion.DeletionPending):
        deletion.deletion_request(ann)
    assert forget() == {"shut": 0, "forgotten": 0, "put_off": 0}
    page = client.post("/settings/data/keep", follow=True).content.decode()
    assert "Your account stays" in page
    Deletion.objects.update(due_at=timezone.now())
    assert forget() == {"shut": 0, "forgotten": 0, "put_off": 0}
    assert User.objects.get(pk=ann.pk).username == "ann"


def test_staff_are_not_deleted_while_they_are_staff(db: Any) -> None:
    mona = people.person_add("mona@example.com", "mona", role="moderator", confirmed=True)
    with pytest.raises(deletion.DeletionBlocked) as refusal:
        deletion.deletion_request(mona)
    assert refusal.value.data["reasons"] == ["You are staff: another admin takes your role back first."]


def test_the_audit_log_may_lose_a_name_only_while_its_person_is_being_forgotten(ann: User) -> None:
    audit.record(ann, "user.renamed", ann, old={"username": "a"}, new={"username": "ann"})

    def refused(**changes: Any) -> bool:
        try:
            with transaction.atomic():
                AuditLog.objects.filter(action="user.renamed").update(**changes)
        except IntegrityError:
            return True
        return False

    blank = {"old": None, "new": None, "address": None}
    assert refused(**blank)
    asked = Deletion.objects.create(user=ann, due_at=timezone.now())
    assert refused(**blank)
    Deletion.objects.filter(pk=asked.pk).update(status="closing")
    assert refused(**blank, reason="another")
    assert refused(**blank, action="user.praised")
    assert refused(old={"username": "b"})
    assert not refused(**blank)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditlog")
