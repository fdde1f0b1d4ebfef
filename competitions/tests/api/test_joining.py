"""POST …/join and …/withdraw."""

from typing import Any
from uuid import uuid4

from django.test import override_settings

from competitions.models import Competition, Entry
from competitions.tests.factories import make_entry, make_open_competition, make_user
from tradingarena.tests.cast import Cast, anonymous, by_token, problem_of


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def test_one_joins_once_whatever_is_sent_again(cast: Cast) -> None:
    contest, client, header = make_open_competition(), by_token(cast.carol), key()
    path = cast.path("/join", contest)
    first = client.post(path, {}, format="json", headers=header)
    again = client.post(path, {}, format="json", headers=header)
    assert first.status_code == again.status_code == 201, first.content
    assert first.json() == again.json()
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    problem_of(client.post(path, {}, format="json", headers=key()), 409, "already_joined")
    assert Entry.objects.filter(competition=contest).count() == 1
    assert (first.json()["number"], first.json()["username"]) == (1, "carol")


def test_the_same_key_with_another_body_is_refused(cast: Cast) -> None:
    contest, client, header = make_open_competition(), by_token(cast.carol), key()
    client.post(cast.path("/join", contest), {}, format="json", headers=header)
    other = client.post(cast.path("/join", contest), {"invite_code": "x"}, format="json", headers=header)
    problem_of(other, 422, "idempotency_key_reused")


def test_keys_of_different_people_do_not_meet(cast: Cast) -> None:
    contest, header = make_open_competition(), key()
    for user in (cast.alice, cast.bob):
        answer = by_token(user).post(cast.path("/join", contest), {}, format="json", headers=header)
        assert (answer.status_code, answer.json()["user_id"]) == (201, str(user.pk))


def test_a_key_is_needed_and_must_be_printable(cast: Cast) -> None:
    path, client = cast.path("/join", make_open_competition()), by_token(cast.carol)
    problem_of(client.post(path, {}, format="json"), 400, "idempotency_key_required")
    for bad in ("", "x" * 256, "caf\xe9", "a\tb"):
        problem_of(
            client.post(path, {}, format="json", headers={"Idempotency-Key": bad}), 400, "idempotency_key_required"
        )


def test_a_refusal_keeps_no_answer(cast: Cast) -> None:
    contest, client, header = make_open_competition(invite_code="sesame"), by_token(cast.carol), key()
    path = cast.path("/join", contest)
    problem_of(client.post(path, {"invite_code": "wrong"}, format="json", headers=header), 422, "invite_code_wrong")
    again = client.post(path, {"invite_code": "sesame"}, format="json", headers=header)
    assert again.status_code == 201, again.content


def test_who_is_not_confirmed_is_told_what_is_missing(cast: Cast) -> None:
    newcomer = make_user("newcomer", confirmed=False)
    answer = by_token(newcomer).post(cast.path("/join", make_open_competition()), {}, format="json", headers=key())
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (422, "email_unconfirmed"), body


def test_a_full_or_started_contest_takes_nobody(cast: Cast) -> None:
    full = make_open_competition(max_entries=1)
    make_entry(full, cast.alice)
    client = by_token(cast.carol)
    problem_of(client.post(cast.path("/join", full), {}, format="json", headers=key()), 409, "competition_full")
    problem_of(client.post(cast.path("/join"), {}, format="json", headers=key()), 409, "entry_too_late")
    draft = make_open_competition(status=Competition.Status.DRAFT)
    problem_of(client.post(cast.path("/join", draft), {}, format="json", headers=key()), 404, "not_found")


@override_settings(COUNTRY_SOURCE="header:CF-IPCountry", TRUSTED_PROXIES=1)
def test_a_blocked_country_is_answered_with_451(cast: Cast) -> None:
    contest = make_open_competition(blocked_countries=["FR"])
    headers = key() | {"CF-IPCountry": "FR"}
    answer = by_token(cast.carol).post(cast.path("/join", contest), {}, format="json", headers=headers)
    assert answer.status_code == 451, answer.content


def test_one_withdraws_before_the_start_and_not_after(cast: Cast) -> None:
    contest, client = make_open_competition(), by_token(cast.carol)
    client.post(cast.path("/join", contest), {}, format="json", headers=key())
    left = client.post(cast.path("/withdraw", contest), {}, format="json", headers=key())
    assert (left.status_code, left.json()["status"]) == (200, "withdrawn")
    late = by_token(cast.alice).post(cast.path("/withdraw"), {}, format="json", headers=key())
    problem_of(late, 409, "already_started")
    never = by_token(cast.mallory).post(cast.path("/withdraw", contest), {}, format="json", headers=key())
    problem_of(never, 404, "no_entry")


def test_strangers_and_readers_do_not_join(cast: Cast) -> None:
    path = cast.path("/join", make_open_competition())
    problem_of(anonymous().post(path, {}, format="json", headers=key()), 401, "not_signed_in")
    problem_of(by_token(cast.carol, "read").post(path, {}, format="json", headers=key()), 403, "scope_missing")
