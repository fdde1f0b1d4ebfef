"""Five who are not honest among two hundred who are: all are found, and few of the honest are suspected. docs/rules/fair-play.md."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.models import IntegrityCase
from betting.models import Market
from betting.services.settlement import settle_what_is_due
from betting.tests.stage import Stage, set_up
from competitions.models import Order
from competitions.services.fairplay import look_at_what_is_over
from pvp.services.fairplay import look_for_dumping
from tokens.services.fairplay import look_for_rings
from tradingarena.tests.operator.crowd import HONEST, Crowd, flagged

pytestmark = pytest.mark.django_db(transaction=True)
CHEATS = ("tara", "tess", "theo", "tim", "ron", "ria", "rob", "rex", "dan", "dora", "mia", "max")


def bets(crowd: Crowd) -> Stage:
    """A trader bets on herself through a second account; another throws his contest for a friend; eighty honest people bet too."""
    bettors = tuple(user.username for user in crowd.honest[60:140])
    stage = set_up(traders=("tara", "theo", "honest0"), bettors=("tess", "tim", *bettors))
    crowd.seen("device", "device of tara", "tess")
    for place, name in enumerate(bettors):
        trader = ("tara", "theo", "honest0")[place % 3]
        for _ in range(1 + place % 2):
            stage.bet(name, crowd.chance.choice(["positive", "negative"]), crowd.chance.randint(10, 300), trader=trader)
    stage.bet("tess", "positive", 900)
    stage.bet("tim", "negative", 800, trader="theo")
    now = timezone.now()
    Market.objects.update(
        opened_at=now - timedelta(hours=3), starts_at=now - timedelta(hours=2), locks_at=now - timedelta(hours=1)
    )
    theo = stage.traders["theo"]
    before, after = (now - timedelta(minutes=minutes) for minutes in (100, 30))
    Order.objects.bulk_create(crowd.order(theo, before, units=10_000) for _ in range(5))
    Order.objects.bulk_create(crowd.order(theo, after, units=400_000) for _ in range(2))
    start = stage.contest.starting_balance_cents
    stage.end(tara=start + 40_000, theo=start - start // 10, honest0=start - 20_000)
    return stage


def test_at_least_four_of_five_are_found_and_few_of_the_honest() -> None:
    crowd = Crowd()
    crowd.live()
    crowd.join(*CHEATS)
    crowd.bring_friends()
    crowd.bring("ron", "ria", "rob", "rex")
    crowd.seen("device", "ring", "ron", "ria", "rob", "rex")
    crowd.play_duels()
    for _ in range(5):
        crowd.duel("dora", "dan", fills=1, lost_bps=10)
    contest, entries = crowd.contest("mia", "max")
    for minute in range(2, 58, 4):
        at, side = contest.starts_at + timedelta(minutes=minute), crowd.chance.choice(["buy", "sell"])
        first, second = (
            crowd.order(entries[name], at + timedelta(seconds=later), side=side, pair="EUR/USD", units=7_000)
            for name, later in (("mia", 0), ("max", 0.4))
        )
        Order.objects.bulk_create([first, second])
    bets(crowd)
    settle_what_is_due()
    assert look_at_what_is_over() + look_for_dumping() + look_for_rings() >= 3
    found = flagged()
    ids = {name: user.pk for name, user in crowd.people.items()}

    def raised(kind: str, *names: str) -> bool:
        return {ids[name] for name in names} <= found.get(kind, set())

    assert raised("bet_shared_device", "tara", "tess")
    assert raised("referral_ring", "ron", "ria", "rob", "rex")
    assert raised("pvp_chip_dumping", "dan", "dora")
    assert raised("orders_mirrored", "mia", "max")
    assert raised("bet_thrown", "theo", "tim")
    honest: set[UUID] = {user.pk for user in crowd.honest}
    suspected = {one for people in found.values() for one in people} & honest
    assert len(suspected) * 20 <= HONEST, {kind: len(people & honest) for kind, people in found.items()}
    cases = IntegrityCase.objects.count()
    assert look_at_what_is_over() + look_for_dumping() + look_for_rings() == 0
    assert IntegrityCase.objects.count() == cases
