"""What of a contest is worth a line, and how it is put. Pure. Rules: docs/rules/chat.md#lines-of-the-arena."""

BIG_TRADE_BPS = 100  # of the starting balance
QUIET_S = 20  # between two changes of the lead


def lead_text(username: str, return_bps: int, *, first_ever: bool) -> str:
    """Say who leads.

    Example:
        >>> lead_text("alice", -1234, first_ever=True)
        'alice leads at −12.34%.'
    """
    verb = "leads" if first_ever else "takes the lead"
    return f"{username} {verb} at {_percent(return_bps)}."


def trade_text(username: str, pair: str, pnl_cents: int) -> str:
    """Say what somebody made or lost with a trade.

    Example:
        >>> trade_text("bob", "EUR/USD", 123456)
        'bob closed EUR/USD with +$1,234.56.'
    """
    sign = "−" if pnl_cents < 0 else "+"
    return f"{username} closed {pair} with {sign}${abs(pnl_cents) // 100:,}.{abs(pnl_cents) % 100:02d}."


def _percent(bps: int) -> str:
    sign = "−" if bps < 0 else "+"
    return f"{sign}{abs(bps) // 100}.{abs(bps) % 100:02d}%"
