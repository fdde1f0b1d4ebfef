"""What is switched off now: one answer for every door and every page, at most two seconds old in any process.

Rules: docs/rules/accounts.md#switches.
"""

import logging
import time
from typing import NamedTuple

from django.db import DatabaseError

from accounts.models import Halt
from accounts.rules.switches import Part, sentence
from tradingarena.core.errors import Conflict

log = logging.getLogger(__name__)

HELD_S = 2.0


class TradingOff(Conflict):
    """Raised when trading is switched off everywhere; its reason is in the message."""

    code, message = "trading_off", "Trading is switched off."


class BettingOff(Conflict):
    """Raised when betting is switched off everywhere; its reason is in the message."""

    code, message = "betting_off", "Betting is switched off."


class PurchasesOff(Conflict):
    """Raised when card payments are switched off everywhere; the reason is in the message."""

    code, message = "purchases_off", "Card payments are switched off."


class ChatOff(Conflict):
    """Raised when the chat is switched off everywhere; its reason is in the message."""

    code, message = "chat_off", "Chat is switched off."


class SignUpOff(Conflict):
    """Raised when sign-up is switched off; its reason is in the message."""

    code, message = "sign_up_off", "Sign-up is switched off."


REFUSALS: dict[Part, type[Conflict]] = {
    Part.TRADING: TradingOff,
    Part.BETTING: BettingOff,
    Part.PURCHASES: PurchasesOff,
    Part.CHAT: ChatOff,
    Part.SIGN_UP: SignUpOff,
}


class _Known(NamedTuple):
    until: float
    reasons: dict[Part, str]


_known = _Known(0.0, {})


def switched_off() -> dict[Part, str]:
    """Tell what is switched off, each with its reason as an operator has given it.

    Guarantees: at most 2 s old; at most one query in that time and process. Without the database it is what was known last: doors
        find out for themselves that the database is away.
    """
    global _known
    known = _known
    moment = time.monotonic()
    if moment >= known.until:
        reasons = known.reasons
        try:
            reasons = {
                Part(part): reason for part, reason in Halt.objects.filter(ended_at=None).values_list("part", "reason")
            }
        except DatabaseError as error:
            log.warning("switches_not_read", extra={"error": type(error).__name__})
        known = _known = _Known(moment + HELD_S, reasons)
    return known.reasons


def refusal(part: Part) -> Conflict | None:
    """Give the refusal that a part's doors answer with now; None while it is on."""
    reason = switched_off().get(part)
    return None if reason is None else REFUSALS[part](sentence(part, reason))


def require_on(part: Part) -> None:
    """Refuse what belongs to a part that is switched off.

    Raises: TradingOff, BettingOff, PurchasesOff, ChatOff, SignUpOff.
    """
    if (found := refusal(part)) is not None:
        raise found


def look_again() -> None:
    """Let this process ask the database the next time. Called by whoever has thrown a switch; the others look within 2 s."""
    global _known
    _known = _Known(0.0, _known.reasons)
