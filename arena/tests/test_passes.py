"""Going in: passes paid once, invitations, refunds. docs/rules/arena.md#passes."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from arena import tasks
from arena.models import Admission, Listing
from arena.selectors import listings as find
from arena.services import audience, listings
from arena.services.audience import InvitationWrong
from competitions.services import lifecycle
from competitions.tests.factories import make_user
from tokens.ledger import InsufficientTokens
from tokens.tests.ledger.book import balance, broken, give
from tradingarena.core.errors import NotSignedIn
from tradingarena.tests.cast import Cast, anonymous, by_session, by_token, problem_of
from tradingarena.tests.racing import race

COST = 30


@pytest.fixture
def cast(transactional_db: None) -> Cast:
    return Cast.assemble()


@pytest.fixture
def listing(cast: Cast) -> Listing:
    return listings.listing_make(cast.operator, cast.sprint.pk, mode="token_gated", spectator_token_cost=COST)


@pytest.fixture
def rich(cast: Cast) -> User:
    give(cast.carol.pk, 100)
    return cast.carol


def path(listing: Listing, tail: str = "") -> str:
    return f"/api/arena/{listing.pk}{tail}"


def key() -> dict[str, str]:
    return {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}


def test_a_pass_is_paid_once_and_lets_its_owner_in(listing: Listing, rich: User) -> None:
    client = by_token(rich)
    assert client.get(path(listing)).json()["access"]["code"] == "pass_required"
    problem_of(client.get(f"/api/competitions/{listing.competition_id}/room"), 403, "pass_required")
    problem_of(client.post(path(listing, "/join"), {}, format="json"), 400, "idempotency_key_required")
    paid = client.post(path(listing, "/join"), {}, format="json", **key())
    assert (paid.status_code, paid.json()["access"]["may_watch"]) == (200, True)
    assert balance(rich.pk) == 70
    for _ in range(2):
        assert client.post(path(listing, "/join"), {}, format="json").status_code == 200
    assert balance(rich.pk) == 70
    assert client.get(f"/api/competitions/{listing.competition_id}/room").status_code == 200
    (row,) = client.get("/api/tokens/history?kind=spectator_pass").json()["results"]
    assert (row["amount_tokens"], row["url"], row["title"]) == (-COST, f"/arena/{listing.competition.slug}", "Sprint")
    assert broken() == []


def test_a_token_that_may_only_read_pays_nothing(listing: Listing, rich: User) -> None:
    refused = by_token(rich, "read").post(path(listing, "/join"), {}, format="json", **key())
    problem_of(refused, 403, "scope_missing")
    assert balance(rich.pk) == 100


def test_the_same_key_answers_the_same_and_another_body_is_refused(listing: Listing, rich: User) -> None:
    client, same = by_token(rich), key()
    first = client.post(path(listing, "/join"), {}, format="json", **same)
    again = client.post(path(listing, "/join"), {}, format="json", **same)
    assert (again.json(), again["Idempotent-Replayed"]) == (first.json(), "true")
    other = client.post(path(listing, "/join"), {"invite_code": "x"}, format="json", **same)
    problem_of(other, 422, "idempotency_key_reused")
    assert balance(rich.pk) == 70


def test_twenty_at_once_pay_one_pass(cast: Cast, listing: Listing) -> None:
    # the control: without the admission's own row every one of them would pay
    def pay_unguarded() -> Any:
        from arena.services import passes

        with transaction.atomic():
            passes.charge(
                cast.carol, Admission(listing=listing, user=cast.carol, paid_tokens=COST), title="x", country=""
            )

    give(cast.carol.pk, 20 * COST)
    race([pay_unguarded] * 20)
    assert balance(cast.carol.pk) == 0
    for number in range(3):
        person = make_user(f"racer{number}")
        give(person.pk, 20 * COST)
        answers = race([lambda person=person: audience.session_join(person, listing.pk)] * 20)
        assert all(isinstance(answer, Listing) for answer in answers)
        assert balance(person.pk) == 19 * COST
        assert Admission.objects.filter(user=person).count() == 1


def test_who_cannot_pay_is_not_let_in_and_nothing_is_kept(cast: Cast, listing: Listing) -> None:
    with pytest.raises(InsufficientTokens):
        audience.session_join(cast.carol, listing.pk)
    assert not Admission.objects.exists()
    assert by_token(cast.carol).get("/api/tokens/history").json()["results"] == []
    problem_of(anonymous().post(path(listing, "/join"), {}, format="json"), 401, "not_signed_in")


def test_entrants_hosts_and_staff_need_no_pass(cast: Cast, listing: Listing) -> None:
    for person in (cast.alice, cast.moderator, cast.operator):
        audience.session_join(person, listing.pk)
    assert not Admission.objects.exists()


def test_the_price_paid_is_the_price_of_the_moment(cast: Cast, listing: Listing, rich: User) -> None:
    listings.listing_change(cast.operator, listing.pk, spectator_token_cost=50)
    audience.session_join(rich, listing.pk)
    assert (balance(rich.pk), Admission.objects.get().paid_tokens) == (50, 50)
    listings.listing_change(cast.operator, listing.pk, spectator_token_cost=80)
    assert find.refusal(rich, find.find(rich, listing.pk)) is None


def test_a_cancelled_contest_gives_its_passes_back_once(cast: Cast, listing: Listing, rich: User) -> None:
    other = make_user("otto")
    give(other.pk, COST)
    for person in (rich, other):
        audience.session_join(person, listing.pk)
    with transaction.atomic():
        lifecycle.cancel(None, cast.sprint.pk, "Nobody came.")
    assert (balance(rich.pk), balance(other.pk)) == (100, COST)
    assert tasks.tend()["refunded"] == 0
    Admission.objects.filter(user=other).update(refunded_at=None)  # as if the event's work had died half way
    assert race([tasks.tend] * 5)
    assert balance(other.pk) == COST
    assert broken() == []


def test_an_invitation_lets_in_who_follows_it_and_its_code_is_no_riddle(cast: Cast, listing: Listing) -> None:
    listings.listing_change(cast.operator, listing.pk, mode="private")
    client = by_token(cast.carol)
    problem_of(client.get(path(listing)), 404, "not_found")
    problem_of(client.post(path(listing, "/join"), {"invite_code": "guess"}, format="json"), 404, "not_found")
    with pytest.raises(NotSignedIn):
        audience.session_join(Client().get("/").wsgi_request.user, listing.pk, invite_code=listing.invite_code)
    assert client.post(path(listing, "/join"), {"invite_code": listing.invite_code}, format="json").status_code == 200
    assert client.get(f"/api/competitions/{cast.sprint.pk}/room").status_code == 200
    assert client.post(path(listing, "/leave"), {}, format="json").status_code == 200
    assert client.get(path(listing)).status_code == 200
    # an invitation pays no pass, and a pass is no invitation
    listings.listing_change(cast.operator, listing.pk, mode="token_gated", spectator_token_cost=COST)
    problem_of(client.get(f"/api/competitions/{cast.sprint.pk}/room"), 403, "pass_required")
    with pytest.raises(InvitationWrong):
        audience.session_join(cast.mallory, listing.pk, invite_code="wrong")


def test_the_gate_shows_price_and_balance_and_lets_through(cast: Cast, listing: Listing, rich: User) -> None:
    client = by_session(rich)
    gate = client.get("/arena/" + cast.sprint.slug)
    assert gate.status_code == 403
    content = gate.content.decode()
    assert "Pay 30 tokens and watch" in content
    assert ">100<" in content
    assert ">70<" in content
    assert client.post(f"/arena/{cast.sprint.slug}/join").status_code == 403  # without the token of the form
    client = Client()
    client.force_login(rich)
    assert client.post(f"/arena/{cast.sprint.slug}/join").status_code == 302
    assert client.get("/arena/" + cast.sprint.slug).status_code == 200
    poor = Client()
    poor.force_login(cast.mallory)
    assert "not have enough tokens" in poor.get("/arena/" + cast.sprint.slug).content.decode()
    poor.post(f"/arena/{cast.sprint.slug}/join")
    assert poor.get("/arena/" + cast.sprint.slug).status_code == 403
    assert "Sign in to buy a pass" in Client().get("/arena/" + cast.sprint.slug).content.decode()


def test_an_invitations_link_fills_the_gates_form_in(cast: Cast, listing: Listing) -> None:
    listings.listing_change(cast.operator, listing.pk, mode="private")
    client = Client()
    client.force_login(cast.carol)
    page = f"/arena/{cast.sprint.slug}"
    assert f'value="{listing.invite_code}"' in client.get(f"{page}?invite={listing.invite_code}").content.decode()
    assert client.post(f"{page}/join", {"invite": "wrong"}).url == f"{page}?invite=wrong"  # type: ignore[attr-defined]
    assert client.post(f"{page}/join", {"invite": listing.invite_code}).url == page  # type: ignore[attr-defined]
    assert client.get(page).status_code == 200
