"""Reading the leaderboards: which there are, who leads them, and where somebody stands.

How they grow is in `services/boards.py`. Rules: docs/rules/economy.md#leaderboards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict
from uuid import UUID

from django.db import connection

from tokens.models import BoardRow
from tokens.rules.economy import Period, shared_places, starts_on
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound

LONGEST = 1_000  # places that a board shows; everybody's own place is told however far down


@dataclass(frozen=True, slots=True)
class Board:
    """One leaderboard in words. `unit` is what the score counts, `items` what `items` counts, `wins` what `wins` does."""

    name: str
    title: str
    rule: str
    unit: str
    items: str
    wins: str = ""


BOARDS = {
    board.name: board
    for board in (
        Board("earned", "Most earned", "Tokens received as rewards, payouts and tips.", "tokens", "credits"),
        Board("wagered", "Most wagered", "Tokens staked on traders and in challenges, less what was given back.", "tokens", "stakes"),
        Board("bettors", "Best bettors", "What settled bets paid, less their stakes.", "tokens", "settled bets", "right"),
        Board("traders", "Best traders", "Rivals beaten in public contests that are completed.", "points", "contests", "won"),
        Board("bots", "Best bots", "Rivals beaten in contests for bots alone.", "points", "contests", "won"),
    )
}  # fmt: skip


class BoardLine(TypedDict):
    """One line of a board. Units: tokens or points."""

    place: int
    user_id: str
    username: str
    country: str
    is_bot: bool
    score: int
    items: int
    wins: int


@dataclass(frozen=True, slots=True)
class BoardView:
    """A page of a board. Shapes: lines from the place asked for on, `own` whoever asks (None: not on it); total at most 1,000."""

    board: Board
    period: Period
    starts_on: date
    total: int
    lines: list[BoardLine]
    own: BoardLine | None


# The names of accounts that are shut are on no board; the index gives the order, so the first page costs as much as its lines.
_LINES = """
    SELECT line.user_id, person.username, person.country, person.is_bot, line.score, line.items, line.wins
    FROM tokens_boardrow AS line JOIN accounts_user AS person ON person.id = line.user_id AND person.is_active
    WHERE line.board = %s AND line.period = %s AND line.starts_on = %s AND line.score > 0
    ORDER BY line.score DESC, line.user_id OFFSET %s LIMIT %s
"""
_ABOVE = """
    SELECT count(*) FROM tokens_boardrow AS line JOIN accounts_user AS person ON person.id = line.user_id AND person.is_active
    WHERE line.board = %s AND line.period = %s AND line.starts_on = %s AND line.score > %s
"""
_TOTAL = """
    SELECT count(*) FROM (SELECT FROM tokens_boardrow AS line
        JOIN accounts_user AS person ON person.id = line.user_id AND person.is_active
        WHERE line.board = %s AND line.period = %s AND line.starts_on = %s AND line.score > 0 LIMIT %s) AS shown
"""


def board_page(
    name: str, period: Period, *, place: int = 1, limit: int = 100, viewer_id: UUID | None = None
) -> BoardView:
    """Read a page of a board as it stands.

    Shapes: place counts from 1; no lines when the board is shorter, or beyond place 1,000. Equal scores share a place, and the person
        with the lower id stands first.
    Raises: NotFound: there is no such board.
    """
    board = BOARDS.get(name)
    if board is None:
        raise NotFound("There is no such leaderboard.")
    first_day = starts_on(period, database_now().date())
    which = (name, period.value, first_day)
    shown = max(0, min(limit, LONGEST - place + 1))
    rows = _fetch(_LINES, (*which, place - 1, shown)) if shown else []
    lines: list[BoardLine] = []
    if rows:
        first = 1 + int(_fetch(_ABOVE, (*which, rows[0][4]))[0][0])
        # a page that begins within a tie begins with the tie's place, and goes on counting from its own
        places = shared_places([row[4] for row in rows], place)
        lines = [
            _line(first if row[4] == rows[0][4] else at, row) for at, row in zip(places, rows, strict=True)
        ]  # fmt: skip
    total = int(_fetch(_TOTAL, (*which, LONGEST))[0][0])
    own = _own(viewer_id, which) if viewer_id else None
    return BoardView(board, period, first_day, total, lines, own)


def standing_of(name: str, user_id: UUID) -> tuple[int, int]:
    """Read a person's score and number of items on the board of all time."""
    found = BoardRow.objects.filter(
        user=user_id, board=name, period=Period.ALL, starts_on=starts_on(Period.ALL, date.today())
    ).first()
    return (found.score, found.items) if found else (0, 0)


def _own(viewer_id: UUID, which: tuple[str, str, date]) -> BoardLine | None:
    board, period, first_day = which
    found = BoardRow.objects.filter(user=viewer_id, board=board, period=period, starts_on=first_day, score__gt=0)
    row = found.values_list("user", "user__username", "user__country", "user__is_bot", "score", "items", "wins").first()
    if row is None:
        return None
    return _line(1 + int(_fetch(_ABOVE, (*which, row[4]))[0][0]), row)


def _line(place: int, row: Sequence[Any]) -> BoardLine:
    user_id, username, country, is_bot, score, items, wins = row
    return {
        "place": place,
        "user_id": str(user_id),
        "username": username,
        "country": country,
        "is_bot": is_bot,
        "score": score,
        "items": items,
        "wins": wins,
    }


def _fetch(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()
