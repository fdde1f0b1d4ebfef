"""Facts about bets for whoever listens: ids and primitives, published when they have been committed.

Who received what of a market is `selectors.bets.outcomes`. Rules: docs/rules/bet-behind.md.
"""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class MarketsOpened:
    """Markets on traders of a contest take bets. The two lists are in step."""

    competition_id: UUID
    market_ids: tuple[UUID, ...]
    trader_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class BetPlaced:
    """Somebody has bet."""

    bet_id: UUID
    market_id: UUID
    competition_id: UUID
    user_id: UUID
    stake_tokens: int


@dataclass(frozen=True, slots=True)
class MarketSettled:
    """Every bet on a trader has its result, and what it pays is in the wallets."""

    market_id: UUID
    competition_id: UUID
    trader_id: UUID


@dataclass(frozen=True, slots=True)
class MarketVoided:
    """Every bet on a trader has been given back; `reason` is one of docs/rules/bet-behind.md#refunds, `note` an operator's own words."""

    market_id: UUID
    competition_id: UUID
    trader_id: UUID
    reason: str
    note: str
