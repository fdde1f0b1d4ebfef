"""GET and POST /api/competitions, GET and PATCH …/{id}, POST …/{id}/transition."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from competitions.models import Competition
from competitions.tests.factories import make_competition, make_entry, make_open_competition
from tradingarena.tests.cast import Cast, anonymous, by_session, by_token, problem_of


def terms(**fields: Any) -> dict[str, Any]:
    start = timezone.now() + timedelta(hours=1)
    values = {
        "title": "Evening cup",
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(hours=2)).isoformat(),
        "pairs": ["EUR/USD", "USD/JPY"],
        "open_now": True,
    }
    return values | fields


def test_everybody_finds_public_contests_and_nobody_drafts(cast: Cast) -> None:
    draft = make_open_competition(status=Competition.Status.DRAFT)
    private = make_open_competition(kind=Competition.Kind.PRIVATE)
    make_entry(private, cast.alice)

    def found(client: Any) -> set[str]:
        return {row["id"] for row in client.get("/api/competitions").json()["results"]}

    public = {str(cast.sprint.pk), str(cast.elsewhere.pk)}
    assert found(anonymous()) == public
    assert found(by_token(cast.carol)) == public
    assert found(by_token(cast.alice)) == public | {str(private.pk)}
    assert found(by_token(cast.operator)) == public | {str(private.pk), str(draft.pk)}


def test_the_list_is_filtered(cast: Cast) -> None:
    cup = make_open_competition(title="Friday cup 100%", buy_in_cents=500)
    client = by_token(cast.alice)

    def found(query: str) -> list[str]:
        return [row["title"] for row in client.get(f"/api/competitions?{query}").json()["results"]]

    assert found("status=open") == ["Friday cup 100%"]
    assert found("q=FRIDAY") == ["Friday cup 100%"]
    assert found("q=100%25") == ["Friday cup 100%"]
    assert found("q=_") == []
    assert found("free=false") == ["Friday cup 100%"]
    assert sorted(found("free=true")) == ["Elsewhere", "Sprint"]
    assert found("mine=true") == ["Sprint"]
    assert found("status=open&limit=1") == [cup.title]
    problem_of(anonymous().get("/api/competitions?mine=true"), 401, "not_signed_in")


def test_the_list_goes_on_where_it_was_while_contests_are_made(cast: Cast) -> None:
    old = [str(make_open_competition().pk) for _ in range(5)]
    client, seen = anonymous(), []
    url = "/api/competitions?status=open&limit=2"
    while url:
        page = client.get(url).json()
        seen += [row["id"] for row in page["results"]]
        make_open_competition()
        url = page["next"]
    assert seen == old[::-1]


def test_a_contest_shows_its_rules_and_ones_own_place(cast: Cast) -> None:
    stranger = anonymous().get(cast.path()).json()
    assert (stranger["title"], stranger["entrants"], stranger["own"]) == ("Sprint", 2, None)
    assert stranger["join_ends_at"] == stranger["starts_at"]
    alice = by_token(cast.alice).get(cast.path()).json()
    assert alice["own"]["entry_id"] == str(cast.alices.pk)
    assert alice["own"]["can_join"] is False
    carol = by_session(cast.carol).get(cast.path()).json()
    assert carol["own"]["entry_id"] is None
    assert carol["own"]["reasons"][0]["code"] == "entry_too_late"


def test_the_invite_code_is_never_shown(cast: Cast) -> None:
    private = make_open_competition(kind=Competition.Kind.PRIVATE, invite_code="open sesame")
    for client in (anonymous(), by_token(cast.alice), by_token(cast.operator)):
        answer = client.get(cast.path("", private))
        assert answer.status_code == 200
        assert answer.json()["invite_needed"] is True
        assert b"sesame" not in answer.content


def test_a_draft_exists_for_operators_alone(cast: Cast) -> None:
    draft = make_open_competition(status=Competition.Status.DRAFT)
    for tail in ("", "/room", "/leaderboard", "/entries", "/results", f"/equity?entry_id={uuid4()}"):
        problem_of(by_token(cast.mallory).get(cast.path(tail, draft)), 404, "not_found")
    assert by_token(cast.operator).get(cast.path("", draft)).status_code == 200
    problem_of(anonymous().get(f"/api/competitions/{uuid4()}"), 404, "not_found")


def test_an_unchanged_contest_is_not_sent_again(cast: Cast) -> None:
    first = anonymous().get(cast.path())
    again = anonymous().get(cast.path(), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "public" in first["Cache-Control"]
    own = by_token(cast.alice).get(cast.path())
    assert "private" in own["Cache-Control"]
    Competition.objects.filter(pk=cast.sprint.pk).update(title="Sprint II")
    assert anonymous().get(cast.path(), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_an_operator_makes_a_contest(cast: Cast) -> None:
    answer = by_token(cast.operator).post("/api/competitions", terms(leverage=50), format="json")
    assert answer.status_code == 201, answer.content
    made = Competition.objects.get(pk=answer.json()["id"])
    assert (made.status, made.leverage, made.host) == ("open", 50, cast.operator)
    assert answer["Location"] == cast.path("", made)


def test_nobody_else_makes_or_changes_one(cast: Cast) -> None:
    before = Competition.objects.count()
    for user in (cast.alice, cast.moderator):
        client = by_token(user)
        problem_of(client.post("/api/competitions", terms(), format="json"), 403, "operators_only")
        problem_of(client.patch(cast.path(), {"title": "Mine"}, format="json"), 403, "operators_only")
        problem_of(client.post(cast.path("/transition"), {"to": "cancelled"}, format="json"), 403, "operators_only")
    problem_of(anonymous().post("/api/competitions", terms(), format="json"), 401, "not_signed_in")
    reader = by_token(cast.operator, "read")
    problem_of(reader.post("/api/competitions", terms(), format="json"), 403, "scope_missing")
    assert Competition.objects.count() == before


def test_terms_that_do_not_hold_are_named_one_by_one(cast: Cast) -> None:
    wrong = terms(prize_split_bps=[5_000, 4_000], buy_in_cents=100, drawdown_rule="peak")
    body = problem_of(
        by_token(cast.operator).post("/api/competitions", wrong, format="json"), 422, "competition_invalid"
    )
    assert {"/prize_split_bps", "/drawdown_limit_bps"} <= {error["pointer"] for error in body["errors"]}


def test_fields_that_nobody_may_set_are_refused(cast: Cast) -> None:
    client = by_token(cast.operator)
    for field in ("status", "slug", "id", "host", "marked_to", "planned_ends_at"):
        body = problem_of(client.post("/api/competitions", terms(**{field: "x"}), format="json"), 400, "invalid")
        assert body["errors"] == [
            {"pointer": f"/{field}", "code": "unknown_field", "detail": "This field is not known here."}
        ]


def test_terms_freeze_with_the_first_entrant(cast: Cast) -> None:
    contest = make_open_competition()
    client = by_token(cast.operator)
    assert client.patch(cast.path("", contest), {"leverage": 10}, format="json").json()["leverage"] == 10
    make_entry(contest, cast.alice)
    problem_of(client.patch(cast.path("", contest), {"leverage": 20}, format="json"), 409, "rules_frozen")
    assert client.patch(cast.path("", contest), {"title": "Renamed"}, format="json").json()["title"] == "Renamed"


def test_an_operator_takes_a_contest_through_its_life(cast: Cast) -> None:
    client = by_token(cast.operator)
    made = client.post("/api/competitions", terms(open_now=False), format="json").json()
    path = f"/api/competitions/{made['id']}/transition"
    assert made["status"] == "draft"
    assert client.post(path, {"to": "open"}, format="json").json()["status"] == "open"
    problem_of(client.post(path, {"to": "completed"}, format="json"), 409, "transition_refused")
    problem_of(client.post(path, {"to": "cancelled"}, format="json"), 422, "reason_needed")
    cancelled = client.post(path, {"to": "cancelled", "reason": "Too few"}, format="json").json()
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", "Too few")


def test_a_wrong_method_is_told_the_right_ones(cast: Cast) -> None:
    response = by_token(cast.alice).delete(cast.path())
    problem_of(response, 405, "method_not_allowed")
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "PATCH"}


def test_a_contest_counts_only_who_is_still_in_it(cast: Cast) -> None:
    contest = make_competition(status=Competition.Status.OPEN)
    make_entry(contest, cast.alice)
    make_entry(contest, cast.bob, status="withdrawn")
    assert anonymous().get(cast.path("", contest)).json()["entrants"] == 1
