"""Contests entered by card: a seat while the checkout is open, an entry when it is paid, and the money back when it is not to be."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import tokens as keys
from competitions.models import BuyIn, Competition, Entry, Payout
from competitions.services import lifecycle, prizes, seats
from competitions.services.entries import EntryClosed, EntryRefused, entry_join, entry_withdraw
from competitions.services.lifecycle import advance, finish
from competitions.services.seats import Seat, seat_take
from competitions.tests.lifecycle.world import contest, freeze, make_due, operator, person
from tokens.selectors.payments import standing
from tokens.services import reconcile
from tradingarena import invariants
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.fresh import fresh_redis
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)

SITE = "http://testserver"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    fresh_redis()


@pytest.fixture
def alice() -> User:
    return person("alice")


@pytest.fixture
def bob() -> User:
    return person("bob")


def cup(**terms: Any) -> Competition:
    """A contest that costs $10, of which 10 % are the house's."""
    plain: dict[str, Any] = {"buy_in_cents": 1_000, "rake_bps": 1_000, "prize_split_bps": [10_000], "min_entries": 2}
    return contest(**(plain | terms))


def take(user: User, made: Competition, **options: Any) -> Seat:
    return seat_take(user, made.pk, **{"key": uuid4().hex, "site_url": SITE, **options})


def pay(stripe: FakeStripe, seat: Seat) -> None:
    """Pay for a seat and wait until it is known."""
    stripe.pay(session_of(seat))
    assert stripe.wait_delivered(20)


def session_of(seat: Seat) -> str:
    return seat.payment.checkout_url.rsplit("/", 1)[-1]


def enter(stripe: FakeStripe, user: User, made: Competition) -> Entry:
    pay(stripe, take(user, made))
    return made.entries.get(user=user)


def books() -> set[str]:
    return {finding.check.name for finding in invariants.prove() if finding.violations} - {"cash", "fill_counts"}


def returned(stripe: FakeStripe) -> int:
    """Sum up what the provider has sent back."""
    assert stripe.wait_delivered(20)
    return sum(refund["amount"] for refund in stripe.dump()["objects"]["refund"] if refund["status"] == "succeeded")


def test_a_paid_seat_becomes_an_entry(stripe: FakeStripe, alice: User) -> None:
    made = cup()
    seat = take(alice, made)
    assert not Entry.objects.exists()
    pay(stripe, seat)
    entry = Entry.objects.get()
    buy_in = BuyIn.objects.get()
    assert (buy_in.status, buy_in.entry, buy_in.amount_cents) == ("paid", entry, 1_000)
    with pytest.raises(EntryClosed):
        take(alice, made)
    assert books() == set()


def test_a_seat_is_held_and_found_again(stripe: FakeStripe, alice: User) -> None:
    made = cup()
    seats_taken = [take(alice, made) for _ in range(3)]
    assert len({seat.buy_in.pk for seat in seats_taken}) == 1
    assert len(stripe.dump()["objects"]["checkout.session"]) == 1


def test_held_seats_keep_the_cap(stripe: FakeStripe, alice: User, bob: User) -> None:
    made = cup(max_entries=1, min_entries=1)
    seat = take(alice, made)
    with pytest.raises(EntryClosed) as refused:
        take(bob, made)
    assert refused.value.code == "competition_full"
    seats.seat_leave(alice, made.pk)
    assert BuyIn.objects.get().status == "released"
    assert standing(seat.payment.payment_id).status == "expired"
    pay(stripe, take(bob, made))
    assert made.entries.get().user == bob


def test_an_expired_checkout_frees_the_seat(stripe: FakeStripe, alice: User, bob: User) -> None:
    made = cup(max_entries=1, min_entries=1)
    take(alice, made)
    stripe.advance(32 * 60)
    assert stripe.wait_delivered(20)
    assert BuyIn.objects.get().status == "released"
    stripe.reset_clock()
    take(bob, made)


def test_the_door_without_a_checkout_is_shut(stripe: FakeStripe, alice: User) -> None:
    with pytest.raises(EntryRefused) as refused:
        entry_join(alice, cup().pk)
    assert refused.value.code == "buy_in_by_card"
    with pytest.raises(seats.NoBuyIn):
        take(alice, contest())


def test_withdrawing_sends_the_money_back_and_one_may_come_again(stripe: FakeStripe, alice: User) -> None:
    made = cup()
    enter(stripe, alice, made)
    entry_withdraw(alice, made.pk)
    assert returned(stripe) == 1_000
    assert books() == set()
    entry = enter(stripe, alice, made)
    assert (entry.status, made.entries.count()) == ("active", 1)
    assert sorted(BuyIn.objects.values_list("status", flat=True)) == ["paid", "returned"]
    assert books() == set()


def test_a_cancelled_contest_sends_everything_back_once(stripe: FakeStripe, alice: User, bob: User) -> None:
    made = cup()
    enter(stripe, alice, made)
    seat = take(bob, made)
    for _ in range(2):
        with transaction.atomic():
            lifecycle.cancel(operator(), made.pk, "Called off.")
    assert returned(stripe) == 1_000
    seats.sweep()
    assert standing(seat.payment.payment_id).status == "expired"
    assert books() == set()


def test_a_payment_that_arrives_too_late_goes_back(stripe: FakeStripe, alice: User) -> None:
    made = cup()
    seat = take(alice, made)
    with transaction.atomic():
        lifecycle.cancel(operator(), made.pk, "Called off.")
    pay(stripe, seat)
    assert not Entry.objects.exists()
    assert returned(stripe) == 1_000
    assert BuyIn.objects.get().status == "returned"
    assert books() == set()


def test_who_pays_after_the_start_is_in_only_where_one_may_join_late(
    stripe: FakeStripe, alice: User, bob: User
) -> None:
    for late_bps, status, back in ((5_000, "paid", 0), (0, "returned", 1_000)):
        made = cup(late_join_bps=late_bps, min_entries=1)
        enter(stripe, bob, made)
        seat = take(alice, made)
        make_due(made)
        advance()
        before = returned(stripe)
        pay(stripe, seat)
        assert BuyIn.objects.get(competition=made, user=alice).status == status
        assert returned(stripe) - before == back
    assert books() == set()


def test_an_event_that_nobody_heard_is_found_by_the_sweep(
    stripe: FakeStripe, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cup()
    seat = take(alice, made)
    monkeypatch.setattr(seats, "payment_looked_at", lambda payment_id: "")
    pay(stripe, seat)
    assert not Entry.objects.exists()
    monkeypatch.undo()
    assert seats.sweep() == 1
    assert Entry.objects.count() == 1
    assert books() == set()


def test_prizes_wait_for_an_operator_and_add_up_to_the_cent(stripe: FakeStripe, alice: User, bob: User) -> None:
    made = cup(buy_in_cents=1_001)
    entries = [enter(stripe, user, made) for user in (alice, bob)]
    make_due(made)
    advance()
    for entry, equity in zip(entries, (10_100_000, 10_200_000), strict=True):
        freeze(entry, equity)
    with transaction.atomic():
        finish(made.pk, database_now())
    payout = Payout.objects.get()
    assert (payout.user, payout.amount_cents) == (bob, 2_002 - 200)
    Competition.objects.update(objection_ends_at=database_now())
    advance()
    payout.refresh_from_db()
    assert payout.status == "pending"
    assert prizes.payout_move(operator(), payout.pk, "approved").status == "approved"
    assert prizes.payout_move(operator(), payout.pk, "paid", "Bank transfer 4711").note == "Bank transfer 4711"
    assert books() == set()


def test_with_nobody_ranked_the_money_goes_back(stripe: FakeStripe, alice: User, bob: User) -> None:
    made = cup()
    entries = [enter(stripe, user, made) for user in (alice, bob)]
    make_due(made)
    advance()
    for entry in entries:
        freeze(entry, 10_000_000, fills=0)
    with transaction.atomic():
        finish(made.pk, database_now())
    Competition.objects.update(objection_ends_at=database_now())
    advance()
    assert returned(stripe) == 2_000
    assert books() == set()


def test_a_dispute_before_the_start_takes_the_seat_and_a_won_one_gives_it_again(
    stripe: FakeStripe, alice: User
) -> None:
    made = cup()
    seat = take(alice, made)
    pay(stripe, seat)
    dispute = stripe.dispute(session_of(seat))
    assert stripe.wait_delivered(20)
    assert (Entry.objects.get().status, BuyIn.objects.get().status) == ("withdrawn", "charged_back")
    stripe.dispute_win(dispute["id"])
    assert stripe.wait_delivered(20)
    assert (Entry.objects.get().status, BuyIn.objects.get().status) == ("active", "paid")
    assert books() == set()


def test_a_dispute_while_it_is_settling_holds_the_payout_and_a_lost_one_moves_it(
    stripe: FakeStripe, alice: User, bob: User
) -> None:
    made = cup()
    winner_seat = take(bob, made)
    pay(stripe, winner_seat)
    loser = enter(stripe, alice, made)
    make_due(made)
    advance()
    freeze(made.entries.get(user=bob), 10_200_000)
    freeze(loser, 10_100_000)
    with transaction.atomic():
        finish(made.pk, database_now())
    dispute = stripe.dispute(session_of(winner_seat))
    assert stripe.wait_delivered(20)
    assert Payout.objects.get().user == bob
    Competition.objects.update(objection_ends_at=database_now())
    advance()
    with pytest.raises(Conflict) as refused:
        prizes.payout_move(operator(), Payout.objects.get().pk, "approved")
    assert refused.value.code == "buy_in_disputed"
    stripe.dispute_lose(dispute["id"])
    assert stripe.wait_delivered(20)
    payout = Payout.objects.get()
    assert (payout.status, payout.note) == ("failed", seats.CHARGED_BACK)
    assert books() == set()


def test_a_dispute_lost_before_completion_disqualifies_and_shrinks_the_pool(
    stripe: FakeStripe, alice: User, bob: User
) -> None:
    made = cup()
    winner_seat = take(bob, made)
    pay(stripe, winner_seat)
    enter(stripe, alice, made)
    make_due(made)
    advance()
    freeze(made.entries.get(user=bob), 10_200_000)
    freeze(made.entries.get(user=alice), 10_100_000)
    with transaction.atomic():
        finish(made.pk, database_now())
    dispute = stripe.dispute(session_of(winner_seat))
    stripe.dispute_lose(dispute["id"])
    assert stripe.wait_delivered(20)
    payout = Payout.objects.get()
    assert (payout.user, payout.amount_cents) == (alice, 900)
    assert made.entries.get(user=bob).status == "disqualified"
    assert books() == set()


def test_raced_checkouts_keep_the_cap(stripe: FakeStripe) -> None:
    users = [person(f"racer{number}") for number in range(6)]
    made = cup(max_entries=2)
    outcomes = race([lambda user=user: take(user, made) for user in users])
    taken = [one for one in outcomes if isinstance(one, Seat)]
    assert len(taken) == 2
    for seat in taken:
        stripe.pay(session_of(seat))
    assert stripe.wait_delivered(20)
    reconcile.settle_due()
    assert made.entries.count() == 2
    assert books() == set()


def test_over_rest_a_seat_is_202_and_the_same_key_says_the_same(stripe: FakeStripe, alice: User) -> None:
    made = cup(title="Spring Cup")
    _, secret = keys.token_create(alice.pk, name="t", scopes=["read", "trade"], by_operator=True)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    path, headers = f"/api/competitions/{made.pk}/join", {"Idempotency-Key": "one"}
    first = client.post(path, {}, format="json", headers=headers)
    assert first.status_code == 202
    assert first.json()["amount_cents"] == 1_000
    stripe.pay(first.json()["checkout_url"].rsplit("/", 1)[-1])
    assert stripe.wait_delivered(20)
    again = client.post(path, {}, format="json", headers=headers)
    assert (again.status_code, again.content) == (202, first.content)
    other = client.post(path, {}, format="json", headers={"Idempotency-Key": "two"})
    assert (other.status_code, other.json()["code"]) == (409, "already_joined")
    assert client.post(path, {}, format="json").status_code == 400
