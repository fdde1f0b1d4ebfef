"""How traders and bettors have done: a trader's bet-behind record, a bettor's own record with hit rate, return and calibration.

Rules: docs/rules/bet-behind.md#records.
"""

from typing import Any, TypedDict
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import User
from betting.models import Bet, Market, Settlement
from tradingarena.core.money import BPS

BANDS = 5  # of the estimated chance, a fifth each
SETTLED = Q(status=Market.Status.SETTLED)


class LineRecord(TypedDict):
    """How often a trader was above a line and below it."""

    threshold_bps: int
    above: int
    below: int


class TraderRecord(TypedDict):
    """Units: tokens; backers counts people, once each."""

    markets: int
    settled: int
    void: int
    staked_tokens: int
    backers: int
    lines: list[LineRecord]


class Band(TypedDict):
    """Bets whose side had from `from_bps` to `to_bps` of its line's stakes when they were placed, and how many were right."""

    from_bps: int
    to_bps: int
    bets: int
    expected_bps: int
    hit_bps: int


class BettorRecord(TypedDict):
    """A person's bets that are over. Units: tokens; the return in bps of what was staked and not given back; rates null without a bet."""

    bets: int
    open: int
    won: int
    lost: int
    refunded: int
    staked_tokens: int
    paid_tokens: int
    net_tokens: int
    hit_rate_bps: int | None
    return_bps: int | None
    calibration: list[Band]


def trader_record(user_id: UUID) -> TraderRecord:
    """Sum up the markets on a trader."""
    public = markets_on(user_id)
    counts = public.aggregate(
        n=Count("pk"), settled=Count("pk", filter=SETTLED), void=Count("pk", filter=Q(status="void"))
    )
    staked = Bet.objects.filter(market__in=public).aggregate(
        tokens=Sum("stake_tokens"), people=Count("user", distinct=True)
    )
    judged = Settlement.objects.filter(market__in=public).exclude(right_side="").values_list("line__threshold_bps")
    lines = judged.annotate(
        above=Count("pk", filter=Q(right_side="above")), below=Count("pk", filter=Q(right_side="below"))
    ).order_by("line__threshold_bps")
    return {
        "markets": counts["n"],
        "settled": counts["settled"],
        "void": counts["void"],
        "staked_tokens": staked["tokens"] or 0,
        "backers": staked["people"],
        "lines": [{"threshold_bps": bps, "above": above, "below": below} for bps, above, below in lines],
    }


def profile(viewer: object, trader: User) -> dict[str, Any] | None:
    """Give the trader's page its part about bets; nothing where nobody could bet on them."""
    record = trader_record(trader.pk)
    if not record["markets"]:
        return None
    judged = sum(line["above"] + line["below"] for line in record["lines"] if not line["threshold_bps"])
    return {"trader": trader, "record": record, "judged": judged}


def markets_on(user_id: UUID) -> QuerySet[Market]:
    """List the markets on a trader in public contests, the latest first."""
    found = Market.objects.filter(trader=user_id, competition__kind="public")
    return found.exclude(void_reason="withdrawn").select_related("competition", "entry", "trader").order_by("-id")


def bettor_record(user_id: UUID) -> BettorRecord:
    """Sum up a person's own bets."""
    rows = _judged(user_id)
    counted = [row for row in rows if row[0] is not None]
    won = [row for row in counted if row[0]]
    staked, paid = sum(row[1] for row in counted), sum(row[2] for row in counted)
    return {
        "bets": len(rows),
        "open": Bet.objects.filter(user=user_id, result__isnull=True).count(),
        "won": len(won),
        "lost": len(counted) - len(won),
        "refunded": len(rows) - len(counted),
        "staked_tokens": staked,
        "paid_tokens": paid,
        "net_tokens": paid - staked,
        "hit_rate_bps": len(won) * BPS // len(counted) if counted else None,
        "return_bps": (paid - staked) * BPS // staked if staked else None,
        "calibration": _bands([(row[3], bool(row[0])) for row in counted]),
    }


def _judged(user_id: UUID) -> list[tuple[bool | None, int, int, int]]:
    """Read a person's bets that are over: right (None: refunded), stake, pay, and the share of the line's stakes that stood on the
    bet's side right after it was placed, in bps."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH seen AS (
                SELECT bet.id, sum(bet.stake_tokens) OVER so_far AS total,
                    sum(bet.stake_tokens) OVER (PARTITION BY bet.line_id, bet.side ORDER BY bet.placed_at, bet.id) AS own
                FROM betting_bet AS bet
                WHERE bet.line_id IN (SELECT line_id FROM betting_bet WHERE user_id = %s)
                WINDOW so_far AS (PARTITION BY bet.line_id ORDER BY bet.placed_at, bet.id)
            )
            SELECT CASE s.right_side WHEN '' THEN NULL ELSE s.right_side = bet.side END, bet.stake_tokens, result.pay_tokens,
                (seen.own * 10000 / seen.total)::integer
            FROM betting_bet AS bet JOIN seen ON seen.id = bet.id
            JOIN betting_result AS result ON result.bet_id = bet.id
            JOIN betting_settlement AS s ON s.id = result.settlement_id
            WHERE bet.user_id = %s ORDER BY bet.placed_at
            """,
            [user_id, user_id],
        )
        return cursor.fetchall()


def _bands(bets: list[tuple[int, bool]]) -> list[Band]:
    """Compare what the pools expected with what came true, a band of the estimated chance each; empty ones are left out."""
    width = BPS // BANDS
    bands: list[Band] = []
    for first in range(0, BPS, width):
        inside = [(share, right) for share, right in bets if min(share, BPS - 1) // width == first // width]
        if inside:
            bands.append(
                {
                    "from_bps": first,
                    "to_bps": first + width,
                    "bets": len(inside),
                    "expected_bps": sum(share for share, _ in inside) // len(inside),
                    "hit_bps": sum(right for _, right in inside) * BPS // len(inside),
                }
            )
    return bands
