"""Markets as they are shown: with pools and prices, for one contest, and why somebody cannot bet there.

Who may know of a contest and watch it is decided in `competitions` and `arena`. Rules: docs/rules/bet-behind.md.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from accounts import policy
from accounts.models import User
from arena.models import Listing
from betting.models import Bet, Line, Market, Pause
from betting.rules.odds import Pools
from betting.selectors import pools
from competitions.models import BuyIn, Competition
from competitions.selectors import competitions, visibility
from tokens.selectors.references import Link
from tradingarena.core.errors import DomainError, NotFound

Viewer = User | AnonymousUser
UNSETTLED = (Market.Status.OPEN, Market.Status.LOCKED, Market.Status.SETTLING)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody cannot bet on a contest: a stable code and a sentence with the way on."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A market with its lines, their pools, and the viewer's own bets in it."""

    market: Market
    lines: list[tuple[Line, Pools]]
    own: list[Bet]

    def pools_of(self, line_id: UUID) -> Pools:
        """Give the pools of one of its lines."""
        return next(found for line, found in self.lines if line.pk == line_id)

    def own_with_lines(self) -> list[Bet]:
        """Give the viewer's bets, each with its market and line at hand."""
        known = {line.pk: line for line, _ in self.lines}
        for bet in self.own:
            bet.market, bet.line = self.market, known[bet.line_id]
        return self.own


def contest_of(viewer: Viewer, key: UUID | str) -> Competition:
    """Find the contest whose markets somebody would see.

    Raises: NotFound. DomainError: they may not watch it.
    """
    competition = competitions.find(viewer, key)
    visibility.require_watching(viewer, competition)
    return competition


def market_of(viewer: Viewer, market_id: UUID) -> Market:
    """Find a market that somebody may see, with its contest and trader.

    Raises: NotFound. DomainError: they may not watch its contest.
    """
    found = Market.objects.select_related("competition", "trader").filter(pk=market_id).first()
    if found is None:
        raise NotFound("There is no such market.")
    try:
        contest_of(viewer, found.competition_id)
    except NotFound:
        raise NotFound("There is no such market.") from None
    return found


def of_contest(viewer: Viewer, competition: Competition) -> list[Shown]:
    """Show every market of a contest, in the traders' order of joining, with a fixed number of queries.

    Shapes: of a trader who came back only the market that lives; one that was void because they withdrew is left out.
    """
    found = Market.objects.filter(competition=competition).exclude(status=Market.Status.VOID, void_reason="withdrawn")
    return shown(viewer, list(found.select_related("trader", "entry").order_by("entry__number")))


def shown(viewer: Viewer, markets: Collection[Market]) -> list[Shown]:
    """Add pools and own bets to markets."""
    lines: dict[UUID, list[Line]] = defaultdict(list)
    ids = [market.pk for market in markets]
    for line in Line.objects.filter(market__in=ids).order_by("threshold_bps"):
        lines[line.market_id].append(line)
    summed = pools.of_lines([line.pk for of_market in lines.values() for line in of_market])
    own: dict[UUID, list[Bet]] = defaultdict(list)
    if isinstance(viewer, User):
        for bet in (
            Bet.objects.filter(market__in=ids, user=viewer).select_related("result__settlement").order_by("placed_at")
        ):
            own[bet.market_id].append(bet)
    return [Shown(market, [(line, summed[line.pk]) for line in lines[market.pk]], own[market.pk]) for market in markets]


def reasons(viewer: Viewer, competition: Competition, country: str = "") -> list[Reason]:
    """List why somebody cannot bet on a contest at all; the door judges again under its locks.

    Shapes: empty when nothing but a market's own lock or a stake's size stands in the way.
    """
    found = list(_of_contest(competition))
    if isinstance(viewer, User):
        found += _of_person(viewer, competition)
    try:
        policy.require(viewer, policy.Action.BET, country)  # type: ignore[arg-type]  # it refuses strangers
    except DomainError as refusal:
        found.append(Reason(refusal.code, refusal.message))
    return found


def _of_contest(competition: Competition) -> list[Reason]:
    listing = Listing.objects.filter(competition=competition).first()
    if listing is None or not listing.bets_allowed:
        return [Reason("bets_not_allowed", "This session takes no bets.")]
    pause = Pause.objects.filter(Q(competition=competition) | Q(competition=None), ended_at=None).first()
    return [Reason("betting_paused", f"Betting is paused: {pause.reason}")] if pause else []


def _of_person(user: User, competition: Competition) -> list[Reason]:
    holds_seat = competition.buy_ins.filter(user=user, status=BuyIn.Status.HELD).exists()
    if competitions.entry_of(user, competition) is not None or holds_seat:
        return [Reason("bet_by_entrant", "You are in this contest: its traders do not bet on it.")]
    if competition.host_id == user.pk:
        return [Reason("bet_by_host", "You host this contest: its host does not bet on it.")]
    if user.is_staff:
        words = "Moderators and operators watch over contests: they do not bet on them."
        return [Reason("bet_by_staff", words)]
    return []


def is_on(user_id: UUID) -> bool:
    """Tell whether there are bets on a trader that are not settled."""
    return Market.objects.filter(trader=user_id, status__in=UNSETTLED, bets__isnull=False).exists()


def links(pks: Collection[str]) -> dict[str, Link]:
    """Say where markets lead on a wallet's statement."""
    found = Market.objects.filter(pk__in=pks).select_related("trader", "competition")
    return {
        str(one.pk): Link(f"{one.trader.username} in {one.competition.title}", f"/settlements/{one.pk}")
        for one in found
    }
