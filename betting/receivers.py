"""What betting does when something has happened in a contest or here, a line per fact. What an event missed, `tasks.settle_due` finds.

Rules: docs/rules/bet-behind.md#markets.
"""

from uuid import UUID

from django.db import connection

from accounts.models import User
from accounts.selectors import profiles
from accounts.services import deletion, exports, usernames
from betting.events import BetPlaced, MarketsOpened
from betting.selectors import bets, markets, records
from betting.services import markets as opening
from betting.services import notes, own_data, settlement
from betting.services.refusals import NotYourBet
from betting.services.telling import TELLER
from competitions.events import (
    CompetitionCancelled,
    CompetitionClosing,
    CompetitionCompleted,
    CompetitionEnded,
    EntryDisqualified,
    EntryJoined,
    EntryWithdrawn,
)
from competitions.models import Competition
from competitions.services import entries
from tokens.selectors import references
from tradingarena.core import events
from tradingarena.core.errors import DomainError
from tradingarena.core.locks import queue_for


def connect() -> None:
    """Listen: a line for each."""
    events.on(EntryJoined, lambda event: opening.markets_open(event.competition_id))
    events.on(CompetitionClosing, lambda event: opening.lock_what_is_due())
    events.on(CompetitionEnded, lambda event: opening.await_final_standings())
    events.on(CompetitionCompleted, lambda event: settlement.settle_contest(event.competition_id))
    events.on(CompetitionCancelled, lambda event: settlement.settle_contest(event.competition_id))
    events.on(EntryWithdrawn, lambda event: settlement.settle_contest(event.competition_id))
    events.on(EntryDisqualified, lambda event: settlement.settle_contest(event.competition_id))
    events.on(BetPlaced, TELLER.note)
    events.on(MarketsOpened, lambda event: notes.opened(event.market_ids))
    entries.add_condition(who_has_bet_does_not_compete)
    usernames.add_blocker(open_market_shows_the_name)
    references.register("market", markets.links)
    exports.register("bets", own_data.bets_of)
    deletion.add_blocker(own_data.open_bets)
    profiles.add_section("betting/_profile.html", records.profile, place=30)


def who_has_bet_does_not_compete(user: User, competition: Competition) -> DomainError | None:
    """Say why somebody with bets on a contest cannot join it; of a bet and an entry at the same time one is refused."""
    if connection.in_atomic_block:  # a page that lists reasons holds nothing
        queue_for("bets", user.pk)  # the turn that `betting_stand` takes
    if bets.has_bet(user.pk, competition.pk):
        return NotYourBet(
            "You have bet on this contest: who bets on it does not compete in it.", code="entry_by_bettor"
        )
    return None


def open_market_shows_the_name(user_id: UUID) -> str | None:
    """Say why a name cannot change while others bet on it."""
    if markets.is_on(user_id):
        return "There are open bets on you under this name. Change it when they are settled."
    return None
