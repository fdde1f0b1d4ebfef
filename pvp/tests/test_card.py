"""Stakes by card through the provider's stand-in: every order in which money and challenge can meet, and no cent unaccounted for."""

import pytest
from django.db import transaction

from accounts.models import User
from competitions.models import Competition, Entry
from competitions.services import lifecycle
from competitions.tests.lifecycle.world import make_due, operator
from pvp.models import Challenge, Stake, Winnings
from pvp.services import funding, life, offers, settlement
from pvp.services.life import ChallengeOver
from pvp.tests.scene import IN_CENTS, accept, agreed, books, dare, late, pay, play, state
from tokens.selectors.payments import standing
from tokens.services import refunds
from tradingarena.core.errors import RuleRefusal
from tradingarena.localstack.fakestripe import FakeStripe
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def checkout_of(stake: Stake) -> str:
    assert stake.payment_id is not None
    return standing(stake.payment_id).checkout_url.rsplit("/", 1)[-1]


def pay_by_card(stripe: FakeStripe, user: User, challenge: Challenge) -> Stake:
    """Pay a stake and wait until it is known."""
    stake = pay(user, challenge)
    stripe.pay(checkout_of(stake))
    assert stripe.wait_delivered(20)
    return stake


def returned(stripe: FakeStripe) -> int:
    """Sum up what the provider has sent back."""
    refunds.send_due()
    assert stripe.wait_delivered(20)
    return sum(refund["amount"] for refund in stripe.dump()["objects"]["refund"] if refund["status"] == "succeeded")


def test_both_pay_the_winner_is_owed_the_money_and_an_operator_pays_it(
    stripe: FakeStripe, ann: User, ben: User
) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    first, again = pay(ann, challenge, key="same-key"), pay(ann, challenge, key="same-key")
    assert first.pk == again.pk == pay(ann, challenge).pk  # one checkout a side
    assert len(stripe.dump()["objects"]["checkout.session"]) == 1
    stripe.pay(checkout_of(first))
    assert stripe.wait_delivered(20)
    assert state(challenge) == "funding"
    pay_by_card(stripe, ben, challenge)
    challenge.refresh_from_db()
    assert (challenge.status, books()) == ("active", set())
    play(challenge, 1_000_00, 2_000_00)
    winnings = Winnings.objects.get()
    assert (winnings.user, winnings.amount_cents, winnings.status) == (ben, 1_900, "pending")
    settlement.winnings_move(operator(), winnings.pk, "approved")
    assert settlement.winnings_move(operator(), winnings.pk, "paid", "By transfer.").note == "By transfer."
    with pytest.raises(settlement.WinningsDecided):
        settlement.winnings_move(operator(), winnings.pk, "approved")
    assert (returned(stripe), books()) == (0, set())


def test_the_webhook_may_come_before_the_redirect_and_before_our_own_call_returns(
    stripe: FakeStripe, ann: User, ben: User
) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    pay_by_card(stripe, ann, challenge)
    assert funding.stake_confirm(ann, challenge.pk).status == "funding"  # the redirect finds it done
    stripe.webhooks(paused=True)
    stripe.pay(checkout_of(pay(ben, challenge)))
    assert state(challenge) == "funding"
    assert funding.stake_confirm(ben, challenge.pk).status == "active"  # the redirect comes first
    stripe.webhooks(paused=False)
    assert stripe.wait_delivered(20)
    assert (Competition.objects.count(), Entry.objects.count(), books()) == (1, 2, set())


def test_a_payment_that_comes_after_the_end_goes_back(stripe: FakeStripe, ann: User, ben: User) -> None:
    cancelled, expired = agreed(ann, ben, IN_CENTS), agreed(ann, ben, IN_CENTS)
    pays = [(pay(ann, challenge), challenge) for challenge in (cancelled, expired)]
    offers.challenge_cancel(ben, cancelled.pk)
    late(expired)
    for stake, _ in pays:
        stripe.pay(checkout_of(stake))
    assert stripe.wait_delivered(20)
    assert (state(cancelled), state(expired)) == ("cancelled", "expired")
    assert set(Stake.objects.values_list("status", flat=True)) == {"returned"}
    assert (returned(stripe), books()) == (2_000, set())


def test_the_second_stake_is_too_late_and_both_go_back(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    pay_by_card(stripe, ann, challenge)
    second = pay(ben, challenge)
    late(challenge)
    stripe.pay(checkout_of(second))
    assert stripe.wait_delivered(20)
    assert (state(challenge), returned(stripe), books()) == ("expired", 2_000, set())


def test_an_abandoned_checkout_is_forgotten_and_another_may_be_opened(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    pay(ann, challenge)
    stripe.advance(32 * 60)
    assert stripe.wait_delivered(20)
    assert Stake.objects.get().status == "released"
    stripe.reset_clock()
    pay_by_card(stripe, ann, challenge)
    offers.challenge_cancel(ann, challenge.pk)
    with pytest.raises(ChallengeOver):
        pay(ben, challenge)
    assert (returned(stripe), books()) == (1_000, set())


def test_the_checkout_of_a_challenge_that_is_over_is_closed(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    stake = pay(ann, challenge)
    offers.challenge_cancel(ann, challenge.pk)
    funding.sweep()
    assert stake.payment_id is not None
    assert standing(stake.payment_id).status == "expired"


def test_lost_events_are_found_by_the_sweep(
    stripe: FakeStripe, ann: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    monkeypatch.setattr(funding, "payment_looked_at", lambda payment_id: "")
    pay_by_card(stripe, ann, challenge)
    pay_by_card(stripe, ben, challenge)
    assert state(challenge) == "accepted"
    monkeypatch.undo()
    assert funding.sweep() == 2
    assert (funding.sweep(), state(challenge), books()) == (0, "active", set())


def test_a_stake_taken_back_before_the_start_ends_the_challenge(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    stake = pay_by_card(stripe, ann, challenge)
    pending = pay(ben, challenge)
    assert stake.payment_id is not None
    refunds.payment_refund(operator(), stake.payment_id, "They asked.")
    refunds.send_due()
    assert stripe.wait_delivered(20)
    assert state(challenge) == "cancelled"
    pending.refresh_from_db()
    assert (pending.status, books()) == ("released", set())


def test_who_charges_the_stake_back_afterwards_wins_nothing(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    stakes = [pay_by_card(stripe, user, challenge) for user in (ann, ben)]
    challenge.refresh_from_db()
    play(challenge, 2_000_00, 1_000_00)
    winnings = Winnings.objects.get()
    dispute = stripe.dispute(checkout_of(stakes[0]))
    assert stripe.wait_delivered(20)
    with pytest.raises(RuleRefusal) as refused:
        settlement.winnings_move(operator(), winnings.pk, "approved")
    assert refused.value.code == "stake_disputed"
    stripe.dispute_lose(dispute["id"])
    assert stripe.wait_delivered(20)
    winnings.refresh_from_db()
    assert (winnings.status, books()) == ("failed", set())


def test_who_charges_the_stake_back_while_playing_is_out(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    stakes = [pay_by_card(stripe, user, challenge) for user in (ann, ben)]
    challenge.refresh_from_db()
    make_due(Competition.objects.get(), length_s=IN_CENTS.duration_s)
    lifecycle.advance()
    stripe.dispute_lose(stripe.dispute(checkout_of(stakes[0]))["id"])
    assert stripe.wait_delivered(20)
    play(challenge, 2_000_00, 1_000_00)
    challenge.refresh_from_db()
    assert (challenge.winner, Entry.objects.get(user=ann).dq_reason) == (ben, "The stake was charged back.")
    assert books() == set()


def test_who_charges_the_stake_back_before_the_start_ends_it(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = agreed(ann, ben, IN_CENTS)
    stakes = [pay_by_card(stripe, user, challenge) for user in (ann, ben)]
    stripe.dispute(checkout_of(stakes[0]))
    assert stripe.wait_delivered(20)
    assert (state(challenge), Competition.objects.get().status) == ("cancelled", "cancelled")
    assert dict(Stake.objects.values_list("user__username", "status")) == {"ann": "charged_back", "ben": "returned"}
    assert (returned(stripe), books()) == (1_000, set())


def test_paying_by_card_against_cancelling_ends_either_way_with_the_money_accounted_for(
    stripe: FakeStripe, ann: User, ben: User
) -> None:
    for _ in range(4):
        challenge = agreed(ann, ben, IN_CENTS)
        stake = pay(ann, challenge)
        session = checkout_of(stake)
        race([lambda s=session: stripe.pay(s), lambda c=challenge: offers.challenge_cancel(ben, c.pk)])
        assert stripe.wait_delivered(20)
        stake.refresh_from_db()
        assert (state(challenge), stake.status) == ("cancelled", "returned")
    assert (returned(stripe), books()) == (4_000, set())


def test_a_contest_that_is_cancelled_sends_the_money_back_once(stripe: FakeStripe, ann: User, ben: User) -> None:
    challenge = accept(ben, dare(ann, ben, IN_CENTS))
    for user in (ann, ben):
        pay_by_card(stripe, user, challenge)
    challenge.refresh_from_db()
    with transaction.atomic():
        lifecycle.cancel(None, challenge.competition_id, "No market")  # type: ignore[arg-type]
    life.challenge_look(challenge.pk)
    assert (state(challenge), returned(stripe), books()) == ("cancelled", 2_000, set())
