"""The tables of contests, trading and candles."""

from competitions.models.awards import Award
from competitions.models.competition import Competition, EngineState, Entry, EquitySnapshot
from competitions.models.market import Candle
from competitions.models.payouts import BuyIn, Payout
from competitions.models.schedules import Schedule, ScheduledContest
from competitions.models.trading import Amendment, Deal, Fill, Order, Position, Trade

__all__ = [
    "Amendment",
    "Award",
    "BuyIn",
    "Candle",
    "Competition",
    "Deal",
    "EngineState",
    "Entry",
    "EquitySnapshot",
    "Fill",
    "Order",
    "Payout",
    "Position",
    "Schedule",
    "ScheduledContest",
    "Trade",
]
