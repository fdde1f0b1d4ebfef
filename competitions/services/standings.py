"""The live board: who is ahead, once a second from the engine's arrays, shown only when something shown has changed.

The final order is `engine/ranking.py`; this one uses the same merit on the arrays. Rules: docs/rules/ranking.md.
"""

import logging

import numpy as np
import orjson

from competitions import broadcast, messages
from competitions.engine.marks import NEVER_ABOVE
from competitions.messages import BoardRow, LeaderboardUpdate
from competitions.models import Position
from competitions.selectors.accounts import account_of
from competitions.selectors.standings import board_key
from competitions.services.desk import Desk
from tradingarena.core import realtime, redis_client
from tradingarena.core.money import BPS
from tradingarena.core.realtime import Fact, Latest

log = logging.getLogger(__name__)

SHOWN = 100
KEEP_S = 86_400


class Standings:
    """One contest's board as last shown."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ranks: dict[int, int | None] = {}  # as last shown
        self.shown: list[BoardRow] = []

    def show(self, *, final: bool = False) -> None:
        """Compute the board and tell the rooms what has changed; tell listening entrants their account."""
        order, ranks = self.rank()
        rows = [self._row(place, ranks[place]) for place in order[:SHOWN]]
        update: LeaderboardUpdate = {"as_of": messages.when_ms(self.desk.book.last_ms), "rankings": rows}
        out: list[Fact | Latest] = []
        if final or _without_change(rows) != _without_change(self.shown):
            out.append(broadcast.board(self.desk.competition.pk, update))
            self.shown = rows
        self.ranks = ranks
        out += self._accounts(ranks)
        realtime.publish_many(out)
        try:
            redis_client.client().set(board_key(self.desk.competition.pk), orjson.dumps(update), ex=KEEP_S)
        except redis_client.DOWN as error:
            log.warning("board_not_kept", extra={"reason": repr(error)})

    def rank(self) -> tuple[list[int], dict[int, int | None]]:
        """Order all places as a final ranking would, with the rank each has (None: no fill, or out)."""
        accounts, marks = self.desk.book.accounts, self.desk.book.marks
        size = len(accounts)
        equity, drawdown = marks.equity[:size], marks.drawdown_bps[:size]
        last_fill = np.array([account.last_fill_ms or NEVER_ABOVE for account in accounts], dtype=np.int64)
        eligible = np.array([account.active and account.fills > 0 for account in accounts], dtype=np.bool_)
        out = np.array([not account.active for account in accounts], dtype=np.bool_)
        order = np.lexsort((np.arange(size), last_fill, drawdown, -equity, ~eligible, out)).tolist()
        ranks: dict[int, int | None] = {}
        before: tuple[int, ...] | None = None
        current = 0
        for position, place in enumerate(order, start=1):
            if not eligible[place]:
                ranks[place] = None
                continue
            merit = (int(equity[place]), int(drawdown[place]), int(last_fill[place]))
            if merit != before:
                current, before = position, merit
            ranks[place] = current
        return order, ranks

    def _row(self, place: int, rank: int | None) -> BoardRow:
        entry, account, marks = self.desk.entries[place], self.desk.book.accounts[place], self.desk.book.marks
        equity = int(marks.equity[place])
        start = self.desk.competition.starting_balance_cents
        return {
            "rank": rank,
            "previous_rank": self.ranks.get(place),
            "entry_id": str(entry.pk),
            "user_id": str(entry.user_id),
            "username": entry.user.username,
            "country": entry.user.country,
            "equity_cents": equity,
            "return_bps": (equity - start) * BPS // start,
            "max_drawdown_bps": int(marks.drawdown_bps[place]),
            "fills": account.fills,
            "status": entry.status,
        }

    def _accounts(self, ranks: dict[int, int | None]) -> list[Fact | Latest]:
        """Describe the accounts of entrants who listen."""
        desk = self.desk
        rooms = [messages.account_room(entry.pk) for entry in desk.entries]
        heard = realtime.heard(rooms)
        places = [place for place, room in enumerate(rooms) if room in heard]
        if not places:
            return []
        held: dict[object, list[Position]] = {}
        for row in Position.objects.filter(entry__in=[desk.entries[place].pk for place in places]).exclude(units=0):
            held.setdefault(row.entry_id, []).append(row)
        return [
            broadcast.account(
                desk.entries[place].pk,
                account_of(desk.book, place, desk.entries[place], held.get(desk.entries[place].pk, []), ranks[place]),
            )
            for place in places
        ]


def _without_change(rows: list[BoardRow]) -> list[dict[str, object]]:
    """What a reader sees of a board apart from the arrows."""
    return [{name: value for name, value in row.items() if name != "previous_rank"} for row in rows]
