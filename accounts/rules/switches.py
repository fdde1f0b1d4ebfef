"""What an operator can switch off everywhere, and how that is said. Rules: docs/rules/accounts.md#switches."""

from enum import StrEnum


class Part(StrEnum):
    """A part of the site that can be switched off by itself."""

    TRADING = "trading"
    BETTING = "betting"
    PURCHASES = "purchases"
    CHAT = "chat"
    SIGN_UP = "sign_up"


LABELS = {
    Part.TRADING: "Trading",
    Part.BETTING: "Betting",
    Part.PURCHASES: "Card payments",
    Part.CHAT: "Chat",
    Part.SIGN_UP: "Sign-up",
}

# What stays possible is said as well: people have orders, bets and payments under way.
CONSEQUENCES = {
    Part.TRADING: "No orders are taken or changed. They can be cancelled; accepted orders, stops and limits are carried out.",
    Part.BETTING: "No bets are taken. Bets that were placed are settled as always.",
    Part.PURCHASES: "No card payments begin. Payments under way are finished.",
    Part.CHAT: "Nothing can be written. Everything can be read.",
    Part.SIGN_UP: "No accounts are made. Whoever has one signs in as always.",
}


def sentence(part: Part, reason: str) -> str:
    """Say that a part is switched off, and why.

    Example:
        >>> sentence(Part.CHAT, "A flood of spam")
        'Chat is switched off: A flood of spam'
    """
    verb = "are" if part == Part.PURCHASES else "is"
    return f"{LABELS[part]} {verb} switched off: {reason}"
