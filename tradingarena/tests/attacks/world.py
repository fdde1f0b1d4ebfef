"""A world in which Alice owns one of everything that a path can name; what is hers is none of Mallory's business.

Made once in a test, without a server: rows come from the services that the site uses. Each request of a test is taken back.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.utils import timezone

from accounts.models import ApiToken, IntegrityCase, User
from accounts.rules import roles
from accounts.rules.notices import KINDS
from accounts.services import notices, people, tokens
from arena.services.listings import listing_make
from betting.models import Market
from betting.services.bets import bet_place
from betting.services.markets import markets_open
from betting.services.settlement import market_settle
from chat.services import channels
from chat.services.posting import Draft, message_post
from chat.services.queue import message_report
from chat.services.sanctions import sanction_impose
from competitions.models import Competition, Entry, Order, Position
from competitions.services.orders import order_place
from competitions.tests.factories import (
    Desk,
    make_competition,
    make_entry,
    make_market,
    make_open_competition,
    make_user,
)
from pvp.models import Challenge
from pvp.rules.terms import Wanted
from pvp.services import offers
from tokens.models import Payment, TokenPackage
from tokens.tests.ledger.book import give
from tradingarena.tests.cast import Cast

FUNDS = 5_000
LONG_AGO = timedelta(days=60)
PACKAGE = "tokens-1000"
TERMS = {"stake_tokens": 100, "pairs": ["EUR/USD"], "duration_s": 1_800}


@dataclass
class World:
    """The people, the ids that paths are filled with, and the secrets of the tokens."""

    cast: Cast
    tara: User
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def alice(self) -> User:
        """Whose everything is."""
        return self.cast.alice


def build() -> World:
    """Make everybody and everything."""
    cast = Cast.assemble()
    world = World(cast, make_user("tara"))
    User.objects.update(date_joined=timezone.now() - LONG_AGO)
    for user in (cast.alice, cast.bob, cast.carol, cast.mallory):
        user.refresh_from_db()
        give(user.pk, FUNDS)
    _contests(world)
    _trades(world)
    _bets(world)
    _talk(world)
    _cases(world)
    _challenges(world)
    _belongings(world)
    return world


def unconfirm(user: User) -> None:
    """Let somebody's address be unconfirmed, as after a change of it."""
    user.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]  # allauth's


def ban(user: User) -> None:
    """Ban somebody from the site, behind everybody's back."""
    User.objects.filter(pk=user.pk).update(banned_until=timezone.now() + timedelta(days=1))


def disable(user: User) -> None:
    """Shut somebody's account, behind everybody's back."""
    User.objects.filter(pk=user.pk).update(is_active=False)


def let_in(user: User) -> None:
    """Take back what `ban` and `disable` have done."""
    User.objects.filter(pk=user.pk).update(is_active=True, banned_until=None)


def _contests(world: World) -> None:
    cast, now = world.cast, timezone.now()
    assert (cast.alices.number, cast.bobs.number) == (1, 2)
    coming = make_open_competition(title="Coming")
    make_entry(coming, cast.alice)
    free = make_open_competition(title="Free to enter")
    over = make_competition(
        title="Over", status=Competition.Status.COMPLETED, starts_at=now - timedelta(hours=3),
        ends_at=now - timedelta(hours=1), completed_at=now, objection_ends_at=now - timedelta(minutes=50),
    )  # fmt: skip
    ended = {"final_equity_cents": 10_000_000, "finalized_at": now, "fills_count": 2, "last_fill_at": now, "rank": 1}
    make_entry(over, cast.alice, **ended)
    listing = listing_make(cast.operator, cast.sprint.pk)
    world.ids |= {
        "sprint": cast.sprint.pk, "coming": coming.pk, "free": free.pk, "over": over.pk, "listing": listing.pk,
        "over_listing": listing_make(None, over.pk).pk, "alices_entry": cast.alices.pk,
    }  # fmt: skip


def _trades(world: World) -> None:
    order = {
        "pair": "EUR/USD", "side": "buy", "type": "market", "units": 100_000, "price": None, "stop_loss": None,
        "take_profit": None,
    }  # fmt: skip
    make_market()  # quotes of five seconds ago are too old to trade on
    desk, alice, sprint = Desk(), world.alice, world.ids["sprint"]
    order_place(alice, sprint, id=uuid4(), **order)  # type: ignore[arg-type]
    desk.decide()
    pending, _ = order_place(alice, sprint, id=uuid4(), **(order | {"type": "limit", "price": Decimal("1.00000")}))  # type: ignore[arg-type]
    desk.decide()
    world.ids |= {"order": pending.pk, "position": Position.objects.get(entry=world.cast.alices, pair="EUR/USD").pk}
    assert Order.objects.get(pk=pending.pk).status == "working"


def _bets(world: World) -> None:
    cup, played = make_open_competition(title="Cup"), make_open_competition(title="Played")
    for name, contest in (("cup", cup), ("played", played)):
        listing_make(world.cast.operator, contest.pk)
        make_entry(contest, world.tara)
        markets_open(contest.pk)
        market = Market.objects.get(competition=contest)
        bet = uuid4()
        bet_place(world.alice, id=bet, market_id=market.pk, outcome="positive", stake_tokens=50)
        bet_place(world.cast.bob, id=uuid4(), market_id=market.pk, outcome="negative", stake_tokens=50)
        world.ids |= {name: contest.pk, f"{name}_market": market.pk, f"{name}_bet": bet}
    now = timezone.now()
    Entry.objects.filter(competition=played).update(final_equity_cents=10_500_000, fills_count=2, finalized_at=now)
    times = {"starts_at": now - timedelta(hours=2), "ends_at": now - timedelta(hours=1)}
    Competition.objects.filter(pk=played.pk).update(status="completed", **times)
    assert market_settle(world.ids["played_market"])


def _talk(world: World) -> None:
    cast, hall = world.cast, channels.global_channel()
    world.ids["contest_channel"] = channels.competition_channel(cast.sprint).pk
    direct = channels.direct_channel(cast.alice, cast.bob)
    world.ids |= {
        "hall": hall.pk, "direct": direct.pk,
        "alices_words": message_post(cast.alice, hall.pk, Draft("Good morning to everybody", "1")).message.pk,
        "bobs_words": message_post(cast.bob, hall.pk, Draft("What a quiet market today", "1")).message.pk,
        "secret_words": message_post(cast.bob, direct.pk, Draft("between the two of us", "2")).message.pk,
        "sanction": sanction_impose(
            cast.moderator, cast.alice.pk, "warn", channel_id=hall.pk, reason="Be kind."
        ).pk,
    }  # fmt: skip


def _cases(world: World) -> None:
    report = message_report(world.alice, world.ids["hall"], world.ids["bobs_words"], reason="spam")
    suspicion = IntegrityCase.objects.create(
        kind="referral_ring", cause="ring", people=[world.cast.bob.pk], summary="A ring of referrals"
    )
    world.ids |= {"report_case": report.case_id, "integrity_case": suspicion.pk}


def _challenges(world: World) -> None:
    cast = world.cast
    wanted = Wanted(
        stake_cents=0, stake_tokens=100, starting_balance_cents=100_000_00, pairs=("EUR/USD",), duration_s=1_800,
        starts_at=None, rake_bps=500, drawdown_rule="none", drawdown_limit_bps=0,
    )  # fmt: skip

    def dare(challenger: User, invitee: User) -> Challenge:
        return offers.challenge_create(challenger, to=invitee.username, wanted=wanted)

    received, sent, agreed, done = (
        dare(cast.bob, cast.alice), dare(cast.alice, cast.bob), dare(cast.alice, cast.bob), dare(cast.alice, cast.bob),
    )  # fmt: skip
    for one in (agreed, done):
        offers.challenge_answer(cast.bob, one.pk, accept=True, version=1)
    world.ids["duel"] = channels.pvp_channel(agreed.pk, [cast.alice.pk, cast.bob.pk], "alice and bob").pk
    duel = make_competition(title="Duel", kind="pvp", status=Competition.Status.COMPLETED)
    Challenge.objects.filter(pk=done.pk).update(status="completed", outcome="tie", competition=duel)
    world.ids |= {"received": received.pk, "sent": sent.pk, "agreed": agreed.pk, "done": done.pk}


def _belongings(world: World) -> None:
    alice = world.alice
    sold = {"tokens": 1_000, "bonus_tokens": 0, "price_cents": 1_000, "active": True}
    TokenPackage.objects.update_or_create(slug=PACKAGE, defaults=sold)
    payment = Payment.objects.create(
        user=alice, purpose="tokens", reference_id=PACKAGE, description="A package", amount_cents=1_000,
        tokens=1_000, status="paid", paid_at=timezone.now(), site_url="http://testserver",
    )  # fmt: skip
    token, _ = tokens.token_create(alice.pk, name="to revoke", scopes=["read"])
    notices.tell("challenge_received", [alice.pk], cause=uuid4(), values=KINDS["challenge_received"].sample)
    world.ids |= {"payment": payment.pk, "token": token.pk, "alice": "alice", "bob": "bob", "tara": "tara"}
    assert ApiToken.objects.filter(user=alice).count() == 1
    people.profile_update(alice.pk, people.Profile(country="FR"))
    make_market()
    assert alice.role == roles.USER
