"""The payloads of bet-behind: what a market looks like outside, the same over REST and in the room.

Who may see it is decided in `selectors/markets.py`. Schemas: docs/asyncapi.yaml and docs/openapi.yaml.
"""

from collections.abc import Iterable
from typing import Any, TypedDict
from uuid import UUID

from django.utils.crypto import salted_hmac

from betting.models import Line, Market
from betting.rules.lines import SIDES, outcome
from betting.rules.odds import Pools, price_milli, share_bps
from competitions.messages import when
from tradingarena.core.money import BPS

Id = UUID | str


class OutcomeRow(TypedDict):
    """One claim. `price_milli` is what a token on it receives if it is right, in thousandths, at full weight; null: the first takes all."""

    outcome: str
    side: str
    stakes_tokens: int
    weighted: int
    bets: int
    share_bps: int
    price_milli: int | None


class LineRow(TypedDict):
    line_id: str
    threshold_bps: int
    total_tokens: int
    outcomes: list[OutcomeRow]


def bets_room(competition_id: Id) -> str:
    """Name the room of a contest's markets."""
    return f"betting.{competition_id}"


def line_row(line: Line, pools: Pools, rake_bps: int) -> LineRow:
    """Show a line with its pools and prices."""
    return {
        "line_id": str(line.pk),
        "threshold_bps": line.threshold_bps,
        "total_tokens": pools.total_tokens,
        "outcomes": [
            {
                "outcome": outcome(line.threshold_bps, side),
                "side": side.value,
                "stakes_tokens": pools.of(side).stakes_tokens,
                "weighted": pools.of(side).weighted,
                "bets": pools.of(side).bets,
                "share_bps": share_bps(pools, side),
                "price_milli": price_milli(pools, side, weight_bps=BPS, rake_bps=rake_bps),
            }
            for side in SIDES
        ],
    }


def odds(market: Market, lines: Iterable[LineRow]) -> dict[str, Any]:
    """Say how a market stands, for the room."""
    return {
        "market_id": str(market.pk),
        "status": market.status,
        "locks_at": when(market.locks_at),
        "lines": list(lines),
    }


def pseudonym(market_id: Id, user_id: Id) -> str:
    """Name a bettor to others: the same within a market, another in the next, and nobody can tell whose it is."""
    return f"Bettor {salted_hmac('betting.pseudonym', f'{market_id}:{user_id}').hexdigest()[:8].upper()}"
