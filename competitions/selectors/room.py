"""The snapshot of an arena: everything a page shows at once, with how far its rooms had come before it was read.

A reader that applies every later fact to this has what a fresh snapshot would say. Rules: docs/realtime.md#snapshots.
"""

from typing import Any

from django.utils import timezone

from competitions import messages
from competitions.messages import BoardRow, HeldBy
from competitions.models import Competition, Entry
from competitions.selectors import hindsight, standings, trading, viewers, watching
from competitions.selectors.competitions import entry_of
from competitions.selectors.newest import newest
from competitions.selectors.visibility import Sight, Viewer, require_watching, sight_of
from tradingarena.core import realtime
from tradingarena.core.clock import to_ms


def rooms_of(competition: Competition, entry: Entry | None) -> list[str]:
    """Name the rooms with facts that somebody may hear in a contest, the arena's first: entrants hear the closed trades of rivals
    and their own account, spectators the tape."""
    arena = messages.arena_room(competition.pk)
    if entry is None:
        return [arena, messages.tape_room(competition.pk)]
    return [arena, messages.closed_room(competition.pk), messages.account_room(entry.pk)]


def snapshot(viewer: Viewer, competition: Competition) -> dict[str, Any]:
    """Give what somebody sees of an arena now.

    Shapes: {rooms: {room: {epoch, seq}}, as_of, rankings, quotes: {pair: …}, deals (newest first), positions (of those on the board
        who hold something), delay_s, viewers, own}.
    Guarantees: the rooms' heads are read before the rows, so that a fact after them can only repeat what is shown.
    Raises: Unavailable: Redis does not answer. DomainError: they may not watch.
    """
    entry = entry_of(viewer, competition)
    if entry is None:
        require_watching(viewer, competition)
    quotes = _quotes(competition)  # first: without Redis there is no snapshot, and this says so at once
    heads = {room: realtime.current_seq(room) for room in rooms_of(competition, entry)}
    seen = sight_of(competition, entry)  # after the heads: what they count has been released by then
    board = standings.live_board(competition)
    return {
        "rooms": heads,
        "as_of": board["as_of"],
        "rankings": board["rankings"],
        "quotes": quotes,
        "deals": [
            messages.public_deal(deal, user_id=deal.entry.user_id, username=deal.entry.user.username)
            for deal in trading.latest_deals(competition.pk, seen)
        ],
        "positions": _positions(board["rankings"], seen),
        "delay_s": watching.delay_s(competition),
        "viewers": viewers.count(competition.pk),
        "own": _own(competition, entry) if entry is not None else None,
    }


def _positions(rankings: list[BoardRow], seen: Sight) -> list[HeldBy]:
    if not seen.open_trades:
        return []
    held = {
        str(key): rows
        for key, rows in hindsight.positions_at([row["entry_id"] for row in rankings], seen.until).items()
    }
    return [
        messages.held_by(row["user_id"], row["entry_id"], held[row["entry_id"]])
        for row in rankings
        if row["entry_id"] in held
    ]


def _quotes(competition: Competition) -> dict[str, dict[str, Any]]:
    quotes, now_ms = newest(), to_ms(timezone.now())
    shown = {}
    for pair in competition.pairs:
        if (quote := quotes.get(pair)) is not None:
            stale = now_ms - quote.received_ms > competition.quote_stale_ms
            row = messages.quote(pair, quote.bid, quote.ask, quote.received_ms, stale=stale)
            shown[pair] = {"bid": row["bid"], "ask": row["ask"], "timestamp": row["timestamp"], "stale": row["stale"]}
    return shown


def _own(competition: Competition, entry: Entry) -> dict[str, Any]:
    entry.competition = competition
    account = standings.account(entry)
    return {
        "entry_id": str(entry.pk),
        "account": account,
        "orders": [messages.order(row) for row in trading.orders(entry, open_only=True)[:500]],
        "positions": account["positions"],
    }
