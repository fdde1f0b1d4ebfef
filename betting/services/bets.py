"""Placing a bet: one door, one transaction, the stake in escrow before anybody hears of it.

What a person may do anywhere is `accounts.policy`'s, what moves the ledger's, what is judged first `0002_placing.sql` reads under its
locks. Rules: docs/rules/bet-behind.md#placing.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from accounts import policy
from accounts.models import User
from betting.events import BetPlaced
from betting.models import Market
from betting.rules import odds
from betting.rules.lines import Side, claim
from betting.rules.weights import weight_bps
from betting.selectors import pools
from betting.services.refusals import (
    BetIdReused,
    ClaimUnknown,
    MarketClosed,
    NotYourBet,
    OddsChanged,
    StakeRefused,
)
from competitions.models import Competition
from competitions.selectors import visibility
from tokens import ledger
from tokens.ledger import Kind
from tokens.services import spending
from tradingarena.core import events, statements
from tradingarena.core.errors import NotFound, NotSignedIn, TooFast
from tradingarena.core.ids import derived_id

UNDER_WAY = frozenset({Competition.Status.OPEN, Competition.Status.RUNNING})


@dataclass(frozen=True, slots=True)
class Placed:
    """A bet as it stands. Units: tokens, bps. `replayed`: it was there before."""

    id: UUID
    market_id: UUID
    threshold_bps: int
    side: Side
    stake_tokens: int
    weight_bps: int
    placed_at: datetime
    replayed: bool


class Stand(NamedTuple):
    """What `betting_stand` gives, in its order."""

    known_user: UUID | None
    known_line: UUID | None
    known_side: str | None
    known_stake: int | None
    known_weight: int | None
    known_placed_at: datetime | None
    line: UUID | None
    market_status: str
    void_reason: str
    starts_at: datetime
    locks_at: datetime
    rake_bps: int
    trader_name: str
    contest: UUID
    contest_title: str
    contest_status: str
    is_host: bool
    is_entrant: bool
    bets_allowed: bool
    is_gated: bool
    min_stake: int
    max_stake: int
    paused_for: str | None
    staked: int
    wait_s: float
    moment: datetime


_STAND = "SELECT * FROM betting_stand(%s, %s, %s, %s, %s, %s)"
_INSERT = """
    INSERT INTO betting_bet (id, market_id, line_id, user_id, side, stake_tokens, weight_bps, placed_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id
"""


def pot(market_id: UUID) -> ledger.AccountRef:
    """Name the escrow in which a market's stakes wait."""
    return ledger.escrow(market_id, "bets")


def bet_place(
    user: User | AnonymousUser,
    *,
    id: UUID,
    market_id: UUID,
    outcome: str,
    stake_tokens: int,
    country: str = "",
    least_pay_tokens: int | None = None,
) -> Placed:
    """Stake tokens on a claim about a trader.

    Shapes: id is the client's; outcome as `rules.lines.outcome` names it; country as `accounts.countries.country_of` finds it;
        least_pay_tokens: what the bettor was shown to receive if right, and accepts nothing below (None: whatever it is).
    Units: tokens > 0.
    Guarantees: the same id again is the same bet and takes nothing. The lock is judged by the database's clock after the market is
        held. Of raced bets no more pass than wallet, cap, largest stake and limits allow.
    Locks / Effects: the market shared, the person's turn with bets, the wallet; a transfer to the market's escrow;
        publishes BetPlaced.
    Raises: NotSignedIn, NotFound, BetIdReused, MarketClosed, NotYourBet, ClaimUnknown, StakeRefused, OddsChanged, TooFast, what the
        arena's gate says, what `spending.spend` raises: nothing was written.
    """
    if not isinstance(user, User):
        raise NotSignedIn("Sign in to bet.")
    threshold_bps, side = _claim(outcome)
    with transaction.atomic():
        stand = _stand(id, market_id, threshold_bps, user.pk)
        if stand.known_user is not None:
            return _again(stand, id, market_id, (user.pk, stand.line, side, stake_tokens), threshold_bps)
        _judge(user, stand, stake_tokens)
        weight = weight_bps(stand.moment, stand.starts_at, stand.locks_at)
        if least_pay_tokens is not None:
            _judge_odds(stand, side, stake_tokens, weight, least_pay_tokens)
        values = (id, market_id, stand.line, user.pk, side.value, stake_tokens, weight, stand.moment)
        try:
            spending.spend(
                user,
                stake_tokens,
                kind=Kind.BET,
                target=pot(market_id),
                cause=derived_id(id, "stake"),
                reason=f"{outcome} of {stand.trader_name} in {stand.contest_title}"[:200],
                reference=("market", market_id),
                action=policy.Action.BET,
                country=country,
            )
            statements.fetch(_INSERT, values)
        except (IntegrityError, ledger.TransferReused):  # another person's bet of the same id, at the same time
            raise BetIdReused from None
        events.publish(BetPlaced(id, market_id, stand.contest, user.pk, stake_tokens))
    return Placed(id, market_id, threshold_bps, side, stake_tokens, weight, stand.moment, replayed=False)


def _claim(outcome: str) -> tuple[int, Side]:
    try:
        return claim(outcome)
    except ValueError:
        raise ClaimUnknown from None


def _stand(bet_id: UUID, market_id: UUID, threshold_bps: int, user_id: UUID) -> Stand:
    limits = (settings.BETS_PER_MINUTE, settings.BETS_PER_HOUR)
    found = statements.fetch(_STAND, (bet_id, market_id, threshold_bps, user_id, *limits))
    if not found:
        raise NotFound("There is no such market.")
    return Stand(*found[0])


def _again(stand: Stand, id: UUID, market_id: UUID, wanted: tuple[object, ...], threshold_bps: int) -> Placed:
    if (stand.known_user, stand.known_line, stand.known_side, stand.known_stake) != wanted:
        raise BetIdReused
    assert stand.known_weight is not None
    assert stand.known_placed_at is not None
    assert stand.known_stake is not None
    known = (Side(stand.known_side), stand.known_stake, stand.known_weight, stand.known_placed_at)
    return Placed(id, market_id, threshold_bps, *known, replayed=True)


def _judge(user: User, stand: Stand, stake_tokens: int) -> None:
    """Refuse what the contest, the market or the person's part in it forbids."""
    if stand.contest_status == Competition.Status.DRAFT:
        raise NotFound("There is no such market.")
    if stand.is_gated:
        visibility.require_watching(user, Competition.objects.get(pk=stand.contest))
    if stand.is_entrant:
        raise NotYourBet("You are in this contest: its traders do not bet on it.", code="bet_by_entrant")
    if stand.is_host:
        raise NotYourBet("You host this contest: its host does not bet on it.", code="bet_by_host")
    if user.is_staff:
        raise NotYourBet("Moderators and operators watch over contests: they do not bet on them.", code="bet_by_staff")
    if stand.market_status == Market.Status.VOID:
        raise MarketClosed("This market is void: its bets were given back.", code="market_void")
    if stand.market_status != Market.Status.OPEN or stand.moment >= stand.locks_at:
        raise MarketClosed("Bets on this trader are locked.", code="market_locked")
    if stand.contest_status not in UNDER_WAY:
        raise MarketClosed(f"This contest is {stand.contest_status}.")
    if not stand.bets_allowed:
        raise MarketClosed("This session takes no bets.", code="bets_not_allowed")
    if stand.paused_for is not None:
        raise MarketClosed(f"Betting is paused: {stand.paused_for}", code="betting_paused")
    if stand.line is None:
        raise ClaimUnknown
    if stake_tokens < stand.min_stake:
        raise StakeRefused(f"The least stake is {stand.min_stake:,} tokens.", code="stake_too_small")
    left = max(0, stand.max_stake - stand.staked)
    if stake_tokens > left:
        raise StakeRefused(
            f"At most {stand.max_stake:,} tokens of one person are taken on a trader; {left:,} are left to you.",
            code="stake_too_large",
            left_tokens=left,
        )
    if stand.wait_s > 0:
        wait = math.ceil(stand.wait_s)
        raise TooFast(f"You bet too fast. Try again in {wait} s.", retry_after_s=wait)


def _judge_odds(stand: Stand, side: Side, stake_tokens: int, weight: int, least_pay_tokens: int) -> None:
    assert stand.line is not None  # judged before
    line = pools.of_line(stand.line)
    now = odds.pay_if_right(line, side, stake_tokens, weight_bps=weight, rake_bps=stand.rake_bps)
    if now < least_pay_tokens:
        raise OddsChanged(
            f"The odds have changed: if right, this bet would now receive {now:,} tokens.", pay_tokens=now
        )
