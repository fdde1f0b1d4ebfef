"""The admin site: who comes in, what is only read, and that actions are services with a reason."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client

from accounts import audit
from accounts.models import ApiToken, AuditLog, User
from accounts.rules import roles
from accounts.services import tokens, usernames

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
MODELS = ["user", "apitoken", "usernamehistory", "auditlog"]


@pytest.fixture
def rows(alice: User) -> dict[str, Any]:
    """One row of each kind."""
    token, _ = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    usernames.username_change(alice.pk, "wonder")
    return {
        "user": alice,
        "apitoken": token,
        "usernamehistory": alice.former_names.get(),
        "auditlog": AuditLog.objects.first(),
    }


def act(browser: Client, action: str, row: Any, model: str = "user", **form: str) -> str:
    answer = browser.post(
        f"/admin/accounts/{model}/", {"action": action, "_selected_action": [str(row.pk)], **form}, follow=True
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_stranger_is_sent_to_the_sign_in_of_everybody(client: Client) -> None:
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")


def test_an_ordinary_person_is_refused(alice: User, by_session: Browse) -> None:
    assert by_session(alice).get("/admin/", follow=True).status_code == 403


def test_staff_come_in(mona: User, oscar: User, by_session: Browse) -> None:
    assert [by_session(user).get("/admin/").status_code for user in (mona, oscar)] == [200, 200]


def test_staff_without_a_second_factor_are_sent_to_set_one_up(oscar: User, by_session: Browse, settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    browser = by_session(oscar)
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0] == "/accounts/2fa/"
    Authenticator.objects.create(user=oscar, type=Authenticator.Type.TOTP, data={})
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_an_admin_sees_every_row_and_changes_none(
    oscar: User, rows: dict[str, Any], by_session: Browse, model: str
) -> None:
    browser = by_session(oscar)
    path = f"/admin/accounts/{model}/"
    assert browser.get(path).status_code == 200
    assert browser.get(path, {"q": "wonder"}).status_code == 200
    page = browser.get(f"{path}{rows[model].pk}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert browser.post(f"{path}{rows[model].pk}/change/", {"role": "admin"}).status_code == 403
    assert browser.post(f"{path}{rows[model].pk}/delete/", {"post": "yes"}).status_code == 403
    assert browser.get(f"{path}add/").status_code == 403
    assert "delete_selected" not in browser.get(path).content.decode()


def test_a_moderator_sees_people_without_what_is_private(mona: User, rows: dict[str, Any], by_session: Browse) -> None:
    browser = by_session(mona)
    page = browser.get(f"/admin/accounts/user/{rows['user'].pk}/change/").content.decode()
    assert "wonder" in page
    assert "alice@example.com" not in page
    assert browser.get("/admin/accounts/user/", {"q": "alice@example.com"}).context["cl"].result_count == 0
    for model in MODELS[1:]:
        assert browser.get(f"/admin/accounts/{model}/").status_code == 403


def test_disabling_needs_a_reason_and_is_written_down(alice: User, oscar: User, by_session: Browse) -> None:
    browser = by_session(oscar)
    assert "Say why" in act(browser, "disable", alice)
    alice.refresh_from_db()
    assert alice.is_active
    act(browser, "disable", alice, reason="chip-dumping")
    alice.refresh_from_db()
    assert not alice.is_active
    row = AuditLog.objects.get(action="user.disabled")
    assert (row.actor, row.reason) == (oscar, "chip-dumping")
    act(browser, "enable", alice, reason="appeal granted")
    alice.refresh_from_db()
    assert alice.is_active


def test_a_moderator_gives_no_roles_and_disables_no_admin(
    alice: User, mona: User, oscar: User, by_session: Browse
) -> None:
    browser = by_session(mona)
    assert "another admin" in act(browser, "make_admin", alice, reason="because")
    assert "equal or higher" in act(browser, "disable", oscar, reason="because")
    assert User.objects.get(pk=alice.pk).role == roles.USER
    assert User.objects.get(pk=oscar.pk).is_active


@pytest.mark.parametrize(
    ("action", "role"), [("make_moderator", "moderator"), ("make_admin", "admin"), ("make_user", "user")]
)
def test_an_admin_gives_roles(alice: User, oscar: User, by_session: Browse, action: str, role: str) -> None:
    act(by_session(oscar), action, alice, reason="helps well")
    assert User.objects.get(pk=alice.pk).role == role


def test_an_admin_revokes_a_token_and_is_named_for_it(alice: User, oscar: User, by_session: Browse) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    act(by_session(oscar), "revoke", token, model="apitoken")
    assert tokens.token_recognise(secret) is None
    assert AuditLog.objects.get(action="api_token.revoked").actor == oscar


def test_the_secret_and_its_hash_are_nowhere_in_the_admin(alice: User, oscar: User, by_session: Browse) -> None:
    token, secret = tokens.token_create(alice.pk, name="bot", scopes=["read"])
    page = by_session(oscar).get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    assert secret not in page
    assert ApiToken.objects.get(pk=token.pk).digest not in page


def test_the_audit_log_is_filtered_and_searched(alice: User, oscar: User, by_session: Browse) -> None:
    audit.record(oscar, "user.praised", alice, reason="splendid trades")
    audit.record(oscar, "user.scolded", alice, reason="no stop-loss")
    browser = by_session(oscar)
    for query in ({"action": "user.praised"}, {"q": "splendid"}):
        page = browser.get("/admin/accounts/auditlog/", query)
        assert [row.action for row in page.context["cl"].result_list] == ["user.praised"]


def test_what_would_change_people_past_the_services_is_not_in_the_admin() -> None:
    hidden = {model._meta.app_label for model in admin.site._registry} & {"account", "mfa", "usersessions", "auth"}
    assert hidden == set()
