"""Everything that contest rooms can hear, a function per message. Who may be in a room is decided in `routing.py`.

arena.<competition>    the board and the contest's status: for everybody who watches
tape.<competition>     deals and positions as they happen: for spectators
closed.<competition>   deals of trades that are over: for entrants, who must not see a rival's open positions
account.<entry>        orders and account: for the entrant alone
quotes.<pair>          the newest quote of a pair
"""

from collections.abc import Iterable, Sequence
from typing import Any

from competitions import messages
from competitions.engine.quotes import Quote
from competitions.messages import AccountUpdate, Id, LeaderboardUpdate, PositionRow
from tradingarena.core import realtime
from tradingarena.core.realtime import Fact, Latest


def quotes(shown: Iterable[Quote]) -> None:
    """Show the newest quotes; the feed calls this at most four times a second and pair."""
    realtime.publish_many(
        [
            Latest(
                messages.quotes_room(one.pair),
                "quote_update",
                messages.quote(one.pair, one.bid, one.ask, one.received_ms),
            )
            for one in shown
        ]
    )


def board(competition_id: Id, update: LeaderboardUpdate) -> Fact:
    """The standings, when something shown has changed."""
    return Fact(messages.arena_room(competition_id), "leaderboard_update", update)


def competition(competition_id: Id, update: dict[str, Any]) -> Fact:
    """Where the contest stands, when that changes."""
    return Fact(messages.arena_room(competition_id), "competition_update", update)


def viewers(competition_id: Id, count: int) -> Latest:
    """How many watch."""
    return Latest(messages.arena_room(competition_id), "viewers_update", {"count": count})


def order(entry_id: Id, shown: dict[str, Any], fill: dict[str, Any] | None) -> Fact:
    """What became of the entrant's own order."""
    return Fact(messages.account_room(entry_id), "order_update", {"order": shown, "fill": fill})


def account(entry_id: Id, update: AccountUpdate) -> Latest:
    """The entrant's own account; the next one replaces it."""
    return Latest(messages.account_room(entry_id), "account_update", update)


def deal_on_tape(competition_id: Id, shown: dict[str, Any]) -> Fact:
    """A deal, for spectators."""
    return Fact(messages.tape_room(competition_id), "deal_executed", shown)


def deals_of_closed_trade(competition_id: Id, shown: Sequence[dict[str, Any]]) -> list[Fact]:
    """The deals of a trade that is over, for rivals."""
    return [Fact(messages.closed_room(competition_id), "deal_executed", one) for one in shown]


def positions_on_tape(competition_id: Id, user_id: Id, entry_id: Id, positions: list[PositionRow]) -> Fact:
    """What somebody holds now, for spectators."""
    held = messages.held_by(user_id, entry_id, positions)
    return Fact(messages.tape_room(competition_id), "position_update", held)
