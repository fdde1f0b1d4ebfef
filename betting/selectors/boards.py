"""Everything that the bet panel needs of a contest, read in the order that loses no message: the room first, then the rows.

Rules: docs/realtime.md#snapshots.
"""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from arena.models import Listing
from betting.messages import bets_room
from betting.selectors import markets
from betting.selectors.markets import Reason, Shown, Viewer
from competitions.models import Competition
from tokens.selectors import wallet
from tradingarena.core import realtime
from tradingarena.core.clock import database_now


@dataclass(frozen=True, slots=True)
class Board:
    """A contest's markets for one viewer. Units: tokens; balance None: nobody is signed in."""

    competition: Competition
    head: dict[str, str | int]
    now: datetime
    listing: Listing | None
    balance_tokens: int | None
    reasons: list[Reason]
    markets: list[Shown]


def board(viewer: Viewer, competition: Competition, country: str = "") -> Board:
    """Read a contest's markets for somebody who may watch it."""
    head = realtime.current_seq(bets_room(competition.pk))
    return Board(
        competition=competition,
        head=head,
        now=database_now(),
        listing=Listing.objects.filter(competition=competition).first(),
        balance_tokens=wallet.balance_of(viewer.pk) if isinstance(viewer, User) else None,
        reasons=markets.reasons(viewer, competition, country),
        markets=markets.of_contest(viewer, competition),
    )
