"""Why a bet is refused: one class each, with the sentence that is shown."""

from tradingarena.core.errors import Conflict, Forbidden, RuleRefusal


class MarketClosed(Conflict):
    """Raised when a market takes no bet now: locked, over, void, paused, or not allowed by its listing."""

    code, message = "market_closed", "This market takes no bets now."


class NotYourBet(Forbidden):
    """Raised when somebody may not bet on a contest: they are in it, host it, or watch over it."""

    code, message = "bet_not_allowed", "You may not bet on this contest."


class StakeRefused(RuleRefusal):
    """Raised when a stake is below the least or brings a person's stakes in a market above the largest."""

    code, message = "stake_refused", "This stake is not possible."


class ClaimUnknown(RuleRefusal):
    """Raised when a market has no such claim."""

    code, message = "outcome_unknown", "This market has no such claim."


class BetIdReused(RuleRefusal):
    """Raised when a bet's id comes again with another bet."""

    code, message = "bet_id_reused", "This id belongs to another bet."


class OddsChanged(Conflict):
    """Raised when the bettor has seen better odds than there are now."""

    code, message = "odds_changed", "The odds have changed. Look at them again."


class AlreadyClosed(Conflict):
    """Raised when a market that is settled or void would be ended again."""

    code, message = "market_final", "This market is settled or void already; nothing about it changes any more."
