"""Keeping the leaderboards: sums per person and period, grown by what the ledger and the contests have added since.

What a board shows is in `selectors/boards.py`. Rules: docs/rules/economy.md#leaderboards.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from tokens.models import BoardCause
from tradingarena.core.locks import queue_for, take_turn

WALLETS_A_STEP = 1_000
LEGS_A_STEP = 2_000  # of one wallet

# The rules of the two boards that are the ledger's. `invariants.BOARDS` says them again, over everything there is.
SCORED = """
    SELECT owner_id AS user_id, day, 'earned' AS board, sum(amount_tokens) AS score, count(*) AS items
    FROM moved WHERE amount_tokens > 0 AND kind IN ('reward', 'payout', 'chat_tip') GROUP BY owner_id, day
    UNION ALL
    SELECT owner_id, day, 'wagered', -sum(amount_tokens), sum(CASE WHEN amount_tokens < 0 THEN 1 ELSE -1 END)
    FROM moved WHERE kind IN ('bet', 'pvp_stake') AND amount_tokens < 0
        OR kind = 'refund' AND amount_tokens > 0 AND reference_type IN ('market', 'challenge')
    GROUP BY owner_id, day
"""
SPREAD = """
    CROSS JOIN LATERAL (VALUES ('day', day), ('week', date_trunc('week', day)::date),
        ('month', date_trunc('month', day)::date), ('all', DATE '1970-01-01')) AS within (period, starts_on)
"""
_GROW = """
    INSERT INTO tokens_boardrow (board, period, starts_on, user_id, score, items, wins)
    SELECT board, period, starts_on, user_id, score, items, wins FROM summed
    ORDER BY board, period, starts_on, user_id
    ON CONFLICT (user_id, board, period, starts_on) DO UPDATE SET score = tokens_boardrow.score + excluded.score,
        items = tokens_boardrow.items + excluded.items, wins = tokens_boardrow.wins + excluded.wins
"""
# One statement, so that what it takes for the end of a wallet and the legs up to there are of one moment.
_COUNT_LEDGER = f"""
    WITH due AS MATERIALIZED (
        SELECT wallet.id, wallet.owner_id, coalesce(seen.counted_legs, 0) AS counted,
            least(wallet.legs_count, coalesce(seen.counted_legs, 0) + %(legs)s) AS upto
        FROM tokens_account AS wallet LEFT JOIN tokens_boardcursor AS seen ON seen.account_id = wallet.id
        WHERE wallet.kind = 'wallet' AND wallet.legs_count > coalesce(seen.counted_legs, 0)
        LIMIT %(wallets)s
    ), moved AS (
        SELECT due.owner_id, leg.amount_tokens, whole.kind, whole.reference_type,
            (whole.created_at AT TIME ZONE 'UTC')::date AS day
        FROM due JOIN tokens_leg AS leg ON leg.account_id = due.id AND leg.number > due.counted AND leg.number <= due.upto
        JOIN tokens_transfer AS whole ON whole.id = leg.transfer_id
    ), scored AS ({SCORED}), summed AS (
        SELECT board, period, starts_on, user_id, sum(score) AS score, sum(items) AS items, 0 AS wins
        FROM scored {SPREAD} GROUP BY board, period, starts_on, user_id
    ), grown AS ({_GROW}), marked AS (
        INSERT INTO tokens_boardcursor (account_id, counted_legs) SELECT id, upto FROM due
        ON CONFLICT (account_id) DO UPDATE SET counted_legs = excluded.counted_legs RETURNING 1
    )
    SELECT (SELECT count(*) FROM marked), (SELECT coalesce(sum(upto - counted), 0) FROM due)
"""  # noqa: S608  written in this program
_COUNT_OTHERS = f"""
    WITH scored AS (
        SELECT %(board)s::text AS board, %(day)s::date AS day, given.* FROM unnest(
            %(users)s::uuid[], %(scores)s::bigint[], %(items)s::bigint[], %(wins)s::bigint[]
        ) AS given (user_id, score, items, wins)
    ), summed AS (
        SELECT board, period, starts_on, user_id, sum(score) AS score, sum(items) AS items, sum(wins) AS wins
        FROM scored {SPREAD} GROUP BY board, period, starts_on, user_id
    )
    {_GROW}
"""  # noqa: S608  written in this program


class Gain(NamedTuple):
    """What one person gains on a board."""

    user_id: UUID
    score: int
    items: int = 1
    wins: int = 0


def ledger_count() -> int:
    """Count everything that the ledger has written since the last time; give the number of legs.

    Guarantees: each numbered leg of each wallet is counted once, in the wallet's own order, whatever is written meanwhile and
        however many do this at once: one works, the others return 0. A kill loses nothing but the step under way.
    Locks / Effects: a transaction for each step of up to 1,000 wallets: the turn of the boards, rows of boards and cursors.
    """
    counted = 0
    while True:
        with transaction.atomic():
            if not take_turn("boards", "ledger"):
                return counted
            with connection.cursor() as cursor:
                cursor.execute(_COUNT_LEDGER, {"legs": LEGS_A_STEP, "wallets": WALLETS_A_STEP})
                wallets, legs = cursor.fetchone() or (0, 0)
        counted += int(legs)
        if not wallets:
            return counted


def gains_add(board: str, cause: UUID, day: date, gains: Sequence[Gain]) -> bool:
    """Add to a board what people gained by something outside the ledger, such as a contest; False when it was added before.

    Shapes: cause is the id of what is counted; day the UTC day it counts for.
    Guarantees: a cause is counted once, however often and by however many it is told.
    Locks / Effects: in a transaction of its own or the caller's: the board's turn; an insert, rows of the board.
    """
    with transaction.atomic():
        queue_for("boards", board)
        _, new = BoardCause.objects.get_or_create(pk=cause, defaults={"board": board, "day": day})
        if new and gains:
            columns = list(zip(*gains, strict=True))
            names = ("users", "scores", "items", "wins")
            values = dict(zip(names, map(list, columns), strict=True)) | {"board": board, "day": day}
            with connection.cursor() as cursor:
                cursor.execute(_COUNT_OTHERS, values)
    return new


def uncounted(causes: Iterable[UUID]) -> list[UUID]:
    """Tell which of these have not been added to a board yet, in the order given; for the sweeps of those who add."""
    listed = list(causes)
    known = set(BoardCause.objects.filter(pk__in=listed).values_list("pk", flat=True))
    return [cause for cause in listed if cause not in known]
