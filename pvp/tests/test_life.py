"""A challenge from sending to the result, with tokens: every state, every way out, and where the stakes are in each."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditLog, User
from competitions.models import Competition
from competitions.services import lifecycle
from competitions.services.entries import EntryClosed, entry_withdraw
from pvp.models import Challenge, Settlement, Stake, Terms
from pvp.rules.terms import canonical
from pvp.selectors import records
from pvp.selectors.challenges import NoSuchChallenge
from pvp.services import conditions, funding, life, offers, operators
from pvp.services.conditions import SelfChallenge, TermsRefused, TooManyOpen
from pvp.services.life import ChallengeOver
from pvp.services.offers import NotYourTurn, TermsStale
from pvp.tests.scene import (
    IN_CENTS,
    TERMS,
    accept,
    agreed,
    balance,
    begun,
    books,
    dare,
    late,
    pay,
    person,
    play,
    rich,
    state,
)
from tokens.ledger import InsufficientTokens
from tokens.payments.gateway import PaymentsOff
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError, NotFound, TooFast

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_challenge_is_played_and_the_winner_is_paid(ann: User, ben: User) -> None:
    challenge = dare(ann, ben)
    assert state(challenge) == "proposed"
    accept(ben, challenge)
    pay(ann, challenge)
    assert (state(challenge), balance(ann.pk)) == ("funding", 900)
    pay(ben, challenge)
    challenge.refresh_from_db()
    assert challenge.status == "active"
    assert books() == set()
    play(challenge, 101_000_00, 99_000_00)
    challenge.refresh_from_db()
    assert (challenge.status, challenge.outcome, challenge.winner) == ("completed", "won", ann)
    assert (balance(ann.pk), balance(ben.pk)) == (1_090, 900)  # 200 less 5 %
    settled = Settlement.objects.get()
    assert (settled.pot, settled.paid, settled.rake, settled.returned) == (200, 190, 10, 0)
    assert set(Stake.objects.values_list("status", flat=True)) == {"played"}
    assert books() == set()
    assert records.head_to_head(ben.pk, ann.pk) == records.Record(won=0, tied=0, lost=1)
    steps = AuditLog.objects.filter(action__startswith="challenge.").order_by("id").values_list("action", flat=True)
    assert [step.removeprefix("challenge.") for step in steps] == [
        "sent", "accepted", "funding", "active", "settled", "completed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "outcome", "winner", "left"),
    [
        (100_500_00, 100_500_00, "tie", None, (1_000, 1_000)),
        (None, 90_000_00, "won", "ben", (900, 1_090)),
        (None, None, "void", None, (1_000, 1_000)),
    ],
)
def test_the_other_results(
    ann: User, ben: User, first: int | None, second: int | None, outcome: str, winner: str | None, left: tuple[int, int]
) -> None:
    challenge = begun(ann, ben)
    play(challenge, first, second)
    challenge.refresh_from_db()
    assert (challenge.outcome, challenge.winner and challenge.winner.username) == (outcome, winner)
    assert (balance(ann.pk), balance(ben.pk)) == left
    assert books() == set()


def test_what_is_played_is_what_both_accepted_byte_for_byte(ann: User, ben: User) -> None:
    start = (database_now() + timedelta(hours=2)).replace(microsecond=0)
    challenge = dare(ann, ben)
    counter = replace(
        TERMS, duration_s=86_400, pairs=("GBP/USD",), starts_at=start, drawdown_rule="peak", drawdown_limit_bps=1_000
    )
    offers.challenge_change(ben, challenge.pk, version=1, wanted=counter)
    assert state(challenge) == "countered"
    with pytest.raises(NotYourTurn):
        accept(ben, challenge)
    with pytest.raises(TermsStale):
        accept(ann, challenge, version=1)
    accept(ann, challenge)
    challenge.refresh_from_db()
    assert challenge.expires_at == start  # nobody pays after the start
    pay(ben, challenge)
    pay(ann, challenge)
    contest = Competition.objects.get()
    challenge.refresh_from_db()
    told = Terms.objects.get(challenge=challenge, version=2)
    played = replace(
        counter,
        starting_balance_cents=contest.starting_balance_cents,
        pairs=tuple(contest.pairs),
        duration_s=int((contest.ends_at - contest.starts_at).total_seconds()),
        starts_at=contest.starts_at,
        drawdown_rule=contest.drawdown_rule,
        drawdown_limit_bps=contest.drawdown_limit_bps,
    )
    assert canonical(told.wanted) == canonical(counter) == canonical(played)
    assert challenge.agreed_digest == told.digest
    assert [entry.user for entry in contest.entries.order_by("number")] == [ann, ben]
    with pytest.raises(EntryClosed):
        entry_withdraw(ann, contest.pk)
    assert books() == set()


def test_accepting_again_changes_nothing_and_terms_stand_then(ann: User, ben: User) -> None:
    challenge = agreed(ann, ben)
    accept(ben, challenge, version=1)
    with pytest.raises(ChallengeOver) as refused:
        offers.challenge_change(ann, challenge.pk, version=1, wanted=IN_TOKENS_TWICE)
    assert refused.value.code == "already_agreed"
    assert Terms.objects.count() == 1


IN_TOKENS_TWICE = replace(TERMS, stake_tokens=200)


def test_terms_and_settlements_are_changed_by_nobody(ann: User, ben: User) -> None:
    play(begun(ann, ben), 1_000_00, 2_000_00)
    for table in ("pvp_terms", "pvp_settlement"):
        for statement in (f"UPDATE {table} SET challenge_id = challenge_id", f"DELETE FROM {table}"):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)


def test_declining_and_cancelling_give_back_what_was_paid(ann: User, ben: User, eve: User) -> None:
    declined = dare(ann, ben)
    with pytest.raises(NotYourTurn):
        offers.challenge_answer(ann, declined.pk, accept=False, version=1)
    offers.challenge_answer(ben, declined.pk, accept=False, version=1, reason="No time.")
    assert Challenge.objects.get(pk=declined.pk).reason == "No time."
    cancelled = agreed(ann, ben)
    pay(ann, cancelled)
    with pytest.raises(NoSuchChallenge):
        offers.challenge_cancel(eve, cancelled.pk)
    for _ in range(2):
        offers.challenge_cancel(ben, cancelled.pk)
    assert (state(cancelled), balance(ann.pk)) == ("cancelled", 1_000)
    with pytest.raises(ChallengeOver):
        pay(ben, cancelled)
    assert books() == set()


@pytest.mark.parametrize("paid", [False, True])
def test_a_challenge_expires_by_the_sweep_and_by_every_door(ann: User, ben: User, paid: bool) -> None:
    swept, met = agreed(ann, ben), agreed(ann, ben)
    for challenge in (swept, met):
        if paid:
            pay(ann, challenge)
        late(challenge)
    with pytest.raises(ChallengeOver):
        pay(ben, met)
    assert state(met) == "expired"
    assert (life.sweep(), life.sweep()) == (1, 0)
    assert (state(swept), balance(ann.pk), balance(ben.pk)) == ("expired", 1_000, 1_000)
    assert books() == set()


def test_a_contest_that_is_cancelled_gives_the_stakes_back(ann: User, ben: User) -> None:
    by_operator, by_contest = begun(ann, ben), begun(ann, ben)
    operator = person("olga", role="admin")
    operators.challenge_call_off(operator, by_operator.pk, "The feed was wrong.")
    with transaction.atomic():
        lifecycle.cancel(operator, by_contest.competition_id, "Rain")
    for challenge in (by_operator, by_contest):
        assert state(challenge) == "cancelled"
    assert Competition.objects.filter(status="cancelled").count() == 2
    assert (balance(ann.pk), balance(ben.pk)) == (1_000, 1_000)
    assert books() == set()


def test_a_start_that_is_impossible_gives_the_stakes_back(
    ann: User, ben: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = agreed(ann, ben)
    monkeypatch.setattr("competitions.services.drafts.fed_pairs", lambda: frozenset({"GBP/USD"}))
    pay(ann, challenge)
    pay(ben, challenge)
    assert state(challenge) == "cancelled"
    assert "No quotes arrive of EUR/USD" in Challenge.objects.get().reason
    assert (balance(ann.pk), balance(ben.pk), books()) == (1_000, 1_000, set())


def test_who_cannot_pay_is_told_and_the_challenge_waits(ann: User) -> None:
    poor = person("poor")
    challenge = agreed(ann, poor)
    with pytest.raises(InsufficientTokens):
        pay(poor, challenge)
    assert (state(challenge), Stake.objects.count()) == ("accepted", 0)


def test_an_invitation_to_an_address_is_whoever_follows_it(ann: User, ben: User, eve: User) -> None:
    challenge = dare(ann, "Newcomer@Example.com")
    assert challenge.invitee is None
    newcomer = rich("newcomer")  # has that very address, confirmed
    assert offers.challenge_answer(newcomer, challenge.pk, accept=True, version=1).invitee == newcomer
    other = dare(ann, "somebody@example.com")
    with pytest.raises(NoSuchChallenge):
        accept(ben, other)
    with pytest.raises(SelfChallenge):
        offers.invitation_take(ann, other.invite_code)
    for _ in range(2):
        offers.invitation_take(ben, other.invite_code)
    with pytest.raises(NoSuchChallenge):
        offers.invitation_take(eve, other.invite_code)
    assert accept(ben, other).status == "accepted"


def test_a_rematch_is_one_whoever_asks(ann: User, ben: User) -> None:
    challenge = begun(ann, ben)
    with pytest.raises(ChallengeOver):
        offers.challenge_rematch(ann, challenge.pk)
    play(challenge, 1_000_00, 2_000_00)
    again = offers.challenge_rematch(ben, challenge.pk)
    assert offers.challenge_rematch(ann, challenge.pk) == again
    assert (again.challenger, again.invitee, again.rematch_of) == (ben, ann, challenge)
    assert again.terms.get().wanted == TERMS


def test_limits_and_refusals(ann: User, ben: User) -> None:
    for to in ("ann", "ann@example.com"):
        with pytest.raises(SelfChallenge):
            dare(ann, to)
    with pytest.raises(NotFound):
        dare(ann, "nobody")
    with pytest.raises(PaymentsOff):
        dare(ann, ben, IN_CENTS)
    for bad in (
        {"stake_tokens": 0},
        {"stake_cents": 100},
        {"duration_s": 299},
        {"rake_bps": 2_001},
        {"pairs": ()},
        {"pairs": ("EUR/XXX",)},
        {"starts_at": database_now()},
        {"drawdown_rule": "peak"},
    ):
        with pytest.raises(TermsRefused):
            dare(ann, ben, replace(TERMS, **bad))
    sent = [dare(ann, ben) for _ in range(conditions.NEW_AN_HOUR)]
    with pytest.raises(TooFast):
        dare(ann, ben)
    Challenge.objects.update(created_at=database_now() - timedelta(hours=2))
    sent += [dare(ann, ben) for _ in range(conditions.OPEN_CHALLENGES - len(sent))]
    Challenge.objects.update(created_at=database_now() - timedelta(hours=2))
    with pytest.raises(TooManyOpen):
        dare(ann, ben)
    offers.challenge_cancel(ann, sent[0].pk)
    dare(ann, ben)


def test_the_policy_is_asked_at_each_door(ann: User, ben: User) -> None:
    minor = rich("minor")
    User.objects.filter(pk=minor.pk).update(age_confirmed_at=None)
    minor.refresh_from_db()
    challenge = dare(ann, minor)
    for door in (
        lambda: dare(minor, ben),
        lambda: accept(minor, challenge),
        lambda: funding.stake_pay(minor, challenge.pk, key="k" * 8, site_url="http://x"),
    ):
        with pytest.raises(DomainError) as refused:
            door()
        assert refused.value.code == "age_not_confirmed"
