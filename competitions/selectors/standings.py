"""The board and an entrant's account, for whoever asks from outside the engine's process."""

from typing import Any, cast

import orjson
from django.utils import timezone

from competitions import messages
from competitions.engine.ranking import Standing, rank
from competitions.messages import AccountUpdate, BoardRow, LeaderboardUpdate
from competitions.models import Competition, Entry, Position
from competitions.selectors.accounts import account_of, book_of
from competitions.selectors.newest import newest
from tradingarena.core import redis_client
from tradingarena.core.clock import to_ms
from tradingarena.core.money import BPS

LIVE_PLACES = 100  # as many as the engine shows live


def board_key(competition_id: object) -> str:
    """Name the newest live board in Redis, where the engine leaves it every second."""
    return redis_client.key("board", str(competition_id))


def live_board(competition: Competition) -> LeaderboardUpdate:
    """Give the standings as they are now: the engine's newest board, else what the rows say.

    Shapes: at most 100 rows in board order.
    """
    if competition.status == Competition.Status.RUNNING:
        try:
            kept = redis_client.client().get(board_key(competition.pk))
        except redis_client.DOWN:
            kept = None
        if kept:
            return cast(LeaderboardUpdate, orjson.loads(cast(bytes, kept)))
    return stored_board(competition)


def board_page(competition: Competition, *, place: int, limit: int) -> tuple[LeaderboardUpdate, int]:
    """Give a part of the standings from a place (counted from 1) on, and how many places there are.

    Shapes: of a running contest the first 100 places are live, a part that reaches beyond them is as last stored.
    """
    total = competition.entries.exclude(status=Entry.Status.WITHDRAWN).count()
    first, last = place - 1, min(total, place - 1 + limit)
    board = live_board(competition) if last <= LIVE_PLACES else None
    if board is None or len(board["rankings"]) < last:  # somebody has joined whom the live board does not know yet
        return stored_board(competition, first=first, limit=limit), total
    return {**board, "rankings": board["rankings"][first:last]}, total


def stored_board(competition: Competition, *, first: int = 0, limit: int = LIVE_PLACES) -> LeaderboardUpdate:
    """Give the standings from the rows: final ones when there are, else as last stored."""
    present = competition.entries.exclude(status=Entry.Status.WITHDRAWN).select_related("user")
    entries = list(present)
    by_number = {entry.number: entry for entry in entries}
    board = rank(
        Standing(
            number=entry.number,
            final_equity_cents=equity_of(entry),
            max_drawdown_bps=entry.max_drawdown_bps,
            last_fill_ms=to_ms(entry.last_fill_at) if entry.last_fill_at else None,
            fills=entry.fills_count,
            disqualified=entry.status == Entry.Status.DISQUALIFIED,
        )
        for entry in entries
    )
    as_of = max((entry.finalized_at for entry in entries if entry.finalized_at), default=None)
    rows = [_row(competition, by_number[line.number], line.rank) for line in board[first : first + limit]]
    return {"as_of": messages.when(as_of or timezone.now()) or "", "rankings": rows}


def equity_of(entry: Entry) -> int:
    """Give an entry's final equity, or the one last stored. Units: cents."""
    return entry.last_equity_cents if entry.final_equity_cents is None else entry.final_equity_cents


def standing_of(competition: Competition, entry: Entry) -> tuple[int, int | None]:
    """Give an entry's equity and rank as they are now: final ones when there are, else those of the live board.

    Units: cents.
    """
    if entry.final_equity_cents is not None:
        return entry.final_equity_cents, entry.rank
    rows = live_board(competition)["rankings"]
    row = next((row for row in rows if row["entry_id"] == str(entry.pk)), None)
    return (row["equity_cents"], row["rank"]) if row else (equity_of(entry), None)


def _row(competition: Competition, entry: Any, its_rank: int | None) -> BoardRow:
    equity, start = equity_of(entry), competition.starting_balance_cents
    return {
        "rank": its_rank,
        "previous_rank": its_rank,
        "entry_id": str(entry.pk),
        "user_id": str(entry.user_id),
        "username": entry.user.username,
        "country": entry.user.country,
        "equity_cents": equity,
        "return_bps": (equity - start) * BPS // start,
        "max_drawdown_bps": entry.max_drawdown_bps,
        "fills": entry.fills_count,
        "status": entry.status,
    }


def account(entry: Entry) -> AccountUpdate:
    """Give an entrant's account at the newest quotes.

    Raises: Unavailable: quotes cannot be read.
    """
    competition = entry.competition
    positions = list(Position.objects.filter(entry=entry).exclude(units=0))
    book = book_of(competition, entry, positions, newest().values())
    _, its_rank = standing_of(competition, entry)
    return account_of(book, 0, entry, positions, its_rank)
