"""Placing bets: what is taken, what is refused and why, and what holds when everybody bets at once."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from accounts import policy
from accounts.rules import roles
from accounts.services import limits
from arena.services.listings import listing_change
from betting.models import Bet, Market
from betting.services.bets import Placed, bet_place
from betting.services.pauses import pause_begin, pause_end
from betting.services.refusals import (
    BetIdReused,
    ClaimUnknown,
    MarketClosed,
    NotYourBet,
    OddsChanged,
    StakeRefused,
)
from betting.tests.stage import FUNDS, Stage, books_hold, set_up
from competitions.services.entries import entry_join
from competitions.tests.factories import make_user
from tokens import ledger
from tokens.tests.ledger.book import balance, give
from tradingarena.core.errors import CountryRefused, DomainError, NotFound, NotSignedIn, TooFast
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage() -> Stage:
    return set_up()


def test_a_bet_takes_the_stake_into_escrow(stage: Stage) -> None:
    placed = stage.bet("ben", "beat_5_pct", 100)
    assert (placed.weight_bps, placed.replayed) == (10_000, False)
    assert balance(stage.bettors["ben"].pk) == FUNDS - 100
    assert stage.escrow_tokens() == 100
    bet = Bet.objects.get()
    assert (bet.pk, bet.side, bet.line.threshold_bps, bet.stake_tokens) == (placed.id, "above", 500, 100)
    books_hold()


def test_a_bet_after_the_start_weighs_less(stage: Stage) -> None:
    now = timezone.now()
    Market.objects.update(starts_at=now - timedelta(minutes=30), locks_at=now + timedelta(minutes=30))
    assert 7_490 < stage.bet("ben").weight_bps <= 7_500


def refused(stage: Stage, why: type[DomainError], code: str, who: str = "ben", *rest: Any, **more: Any) -> DomainError:
    """Assert that a bet is refused, and that nothing has moved."""
    before = Bet.objects.count()
    with pytest.raises(why) as found:
        stage.bet(who, *rest, **more)
    assert found.value.code == code
    assert Bet.objects.count() == before
    return found.value


def test_who_may_not_bet_is_told_why(stage: Stage) -> None:
    staff = make_user("mona", role=roles.MODERATOR)
    host = make_user("hanna")
    stage.contest.host = host
    stage.contest.save()
    stage.bettors |= {"tara": stage.traders["tara"].user, "mona": staff, "hanna": host}
    refused(stage, NotYourBet, "bet_by_entrant", "tara")
    refused(stage, NotYourBet, "bet_by_staff", "mona")
    refused(stage, NotYourBet, "bet_by_host", "hanna")
    limits.cool_off_begin(stage.bettors["ben"].pk, "24h")
    refused(stage, policy.CoolingOff, "cooling_off", "ben")
    with transaction.atomic():
        ledger.wallet_set_frozen(stage.bettors["bea"].pk, "Looked at")
    refused(stage, ledger.WalletFrozen, "wallet_frozen", "bea")
    stage.bettors["kid"] = make_user("kid", confirmed=False)
    refused(stage, policy.EmailUnconfirmed, "email_unconfirmed", "kid")
    with pytest.raises(NotSignedIn):
        bet_place(AnonymousUser(), id=uuid4(), market_id=stage.market().pk, outcome="positive", stake_tokens=10)
    books_hold()


def test_the_country_is_asked_with_every_bet(stage: Stage) -> None:
    with override_settings(COUNTRY_BLOCKS={"bet": {"FR": "Not licensed there."}}):
        refused(stage, CountryRefused, "country_refused", "ben", country="FR")
        stage.bet("ben", country="DE")


def test_stakes_have_their_bounds(stage: Stage) -> None:
    refused(stage, StakeRefused, "stake_too_small", "ben", "positive", 9)
    stage.bet("ben", "positive", 600)
    assert refused(stage, StakeRefused, "stake_too_large", "ben", "miss_2_pct", 401).data == {"left_tokens": 400}
    stage.bet("ben", "negative", 400)
    refused(stage, StakeRefused, "stake_too_large", "ben", "positive", 10)
    stage.bet("bea", "positive", 1_000)
    listing_change(stage.operator, stage.listing.pk, max_stake_tokens=1_200)
    stage.bet("ben", "positive", 200)
    refused(stage, ClaimUnknown, "outcome_unknown", "ben", "beat_3_pct", 10)
    refused(stage, ClaimUnknown, "outcome_unknown", "ben", "beat_02_pct", 10)
    with pytest.raises(NotFound):
        stage.bet("ben", market_id=uuid4())


def test_a_market_is_shut_by_whoever_may(stage: Stage) -> None:
    pause = pause_begin(stage.operator, None, "Being looked at")
    assert "Being looked at" in refused(stage, MarketClosed, "betting_paused").message
    pause_end(stage.operator, pause.pk)
    stage.bet("ben")
    other = pause_begin(stage.operator, stage.contest.pk, "This one")
    refused(stage, MarketClosed, "betting_paused")
    pause_end(stage.operator, other.pk)
    listing_change(stage.operator, stage.listing.pk, bets_allowed=False)
    refused(stage, MarketClosed, "bets_not_allowed")
    listing_change(stage.operator, stage.listing.pk, bets_allowed=True, mode="token_gated", spectator_token_cost=5)
    refused(stage, DomainError, "pass_required")


def test_odds_that_have_become_worse_are_asked_again(stage: Stage) -> None:
    stage.bet("bea", "negative", 500)
    refusal = refused(stage, OddsChanged, "odds_changed", "ben", "positive", 100, least_pay_tokens=1_000)
    assert refusal.data == {"pay_tokens": 570}
    stage.bet("ben", "positive", 100, least_pay_tokens=570)


def test_bets_have_a_pace_that_the_rows_themselves_keep(stage: Stage) -> None:
    for _ in range(10):
        stage.bet("ben", stake=10)
    refusal = refused(stage, TooFast, "too_fast", "ben", "positive", 10)
    assert isinstance(refusal, TooFast)
    assert 50 <= refusal.retry_after_s <= 60
    stage.bet("bea", stake=10)
    with override_settings(BETS_PER_MINUTE=100, BETS_PER_HOUR=10):
        refusal = refused(stage, TooFast, "too_fast", "ben", "positive", 10)
        assert isinstance(refusal, TooFast)
        assert 3_500 <= refusal.retry_after_s <= 3_600


def test_the_same_id_is_the_same_bet(stage: Stage) -> None:
    bet_id = uuid4()
    outcomes = race([lambda: stage.bet("ben", id=bet_id)] * 100, lanes=20)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert sum(not one.replayed for one in outcomes) == 1
    assert len({(one.placed_at, one.weight_bps) for one in outcomes}) == 1
    assert Bet.objects.count() == 1
    assert balance(stage.bettors["ben"].pk) == FUNDS - 100
    for other in ({"who": "bea"}, {"stake": 101}, {"outcome": "negative"}):
        values: dict[str, Any] = {"who": "ben", "id": bet_id} | other
        with pytest.raises(BetIdReused):
            stage.bet(**values)
    books_hold()
    stage.lock_in(-1)
    assert stage.bet("ben", id=bet_id).replayed


def test_one_id_of_many_people_is_one_bet(stage: Stage) -> None:
    bet_id = uuid4()
    outcomes = race([lambda: stage.bet("ben", id=bet_id), lambda: stage.bet("bea", id=bet_id)] * 5)
    assert Bet.objects.count() == 1
    assert sum(isinstance(one, Placed) and not one.replayed for one in outcomes) == 1
    assert {type(one) for one in outcomes if isinstance(one, Exception)} == {BetIdReused}


@override_settings(BETS_PER_MINUTE=100_000, BETS_PER_HOUR=100_000)
def test_a_hundred_raced_bets_on_one_wallet_are_exact_in_each_of_twenty_rounds() -> None:
    stage = set_up(bettors=(), max_stake_tokens=100_000)
    market_id = stage.market().pk
    wanted = {"market_id": market_id, "outcome": "positive", "stake_tokens": 10}
    for round_ in range(20):
        user = make_user(f"racer{round_}")
        give(user.pk, 95)
        outcomes = race([lambda user=user: bet_place(user, id=uuid4(), **wanted)] * 100, lanes=10)  # type: ignore[misc]
        assert sum(isinstance(one, Placed) for one in outcomes) == 9
        assert sum(isinstance(one, ledger.InsufficientTokens) for one in outcomes) == 91
        assert balance(user.pk) == 5
    books_hold()


@override_settings(BETS_PER_MINUTE=100_000, BETS_PER_HOUR=100_000)
def test_raced_bets_pass_no_largest_stake(stage: Stage) -> None:
    outcomes = race([lambda: stage.bet("ben", stake=100)] * 30)
    assert sum(isinstance(one, Placed) for one in outcomes) == 10
    assert stage.escrow_tokens() == 1_000


def held_back(stage: Stage, *, across: bool) -> list[Any]:
    """Hold the market's row until twenty people wait to bet on it, or (across) until it has locked; give what became of their bets."""
    market_id, held = stage.market().pk, threading.Event()

    def hold() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM betting_market WHERE id = %s FOR UPDATE", [market_id])
            held.set()
            wait_for(lambda: waiting() >= 20)
            left_s = (Market.objects.get(pk=market_id).locks_at - timezone.now()).total_seconds()
            assert left_s > 0, "all were waiting before the lock"
            time.sleep(left_s + 0.05 if across else 0)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(60)
    outcomes = race([lambda name=name: stage.bet(name) for name in stage.bettors], lanes=20)  # type: ignore[misc]
    holder.join()
    return outcomes


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def wait_for(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_bets_held_back_across_the_lock_are_not_taken() -> None:
    stage = set_up(bettors=tuple(f"late{number}" for number in range(20)))
    stage.lock_in(600)
    assert {type(one) for one in held_back(stage, across=False)} == {
        Placed
    }  # the control: waiting alone refuses nobody
    assert Bet.objects.count() == 20
    stage.lock_in(2)
    outcomes = held_back(stage, across=True)
    assert [getattr(one, "code", one) for one in outcomes] == ["market_locked"] * 20
    assert Bet.objects.count() == 20


def test_who_has_bet_does_not_join(stage: Stage) -> None:
    stage.bet("ben")
    with pytest.raises(DomainError) as refusal:
        entry_join(stage.bettors["ben"], stage.contest.pk)
    assert refusal.value.code == "entry_by_bettor"
    entry_join(stage.bettors["bea"], stage.contest.pk)
    refused(stage, NotYourBet, "bet_by_entrant", "bea")


def test_of_joining_and_betting_at_once_one_is_refused(stage: Stage) -> None:
    for number in range(8):
        user = make_user(f"both{number}")
        give(user.pk, 100)
        stage.bettors["both"] = user
        outcomes = race([lambda user=user: entry_join(user, stage.contest.pk), lambda: stage.bet("both")])  # type: ignore[misc]
        assert sum(isinstance(one, Exception) for one in outcomes) == 1, outcomes
