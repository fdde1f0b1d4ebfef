"""A message as text: tidied, measured, its links and mentions found, and how much a newcomer's looks like spam. Pure.

Rules: docs/rules/chat.md#messages.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from chat.rules.letters import plain

LONGEST = 300
MOST_MENTIONS = 5
LINKS_FROM = timedelta(hours=24)
NEWCOMER = timedelta(hours=24)
HELD_FROM = 5
TRUSTED_AFTER = 10  # messages

_ENDINGS = (
    "com|net|org|io|co|me|gg|tv|info|biz|xyz|app|dev|ly|ru|cn|de|uk|eu|us|link|site|online|shop|club|live|pro|finance"
    "|trade|money|bet"
)
_LINK = re.compile(
    rf"(?:https?|hxxps?|ftp)\s*:?/{{1,2}}|\bwww\s*[.,]|\b\w\.(?:me|co|gg|ly|tv)/|[\w-]{{2,}}\s?(?:\.|\(\s*dot\s*\)|\[\s*dot\s*\]|\sdot\s)\s?(?:{_ENDINGS})\b(?!\.\d)",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![\w@])@([A-Za-z0-9_-]{3,20})")
_CONTACT = re.compile(r"telegram|whats\s?app|discord|signal group|d\s?m me|inbox me|contact me|t\.me", re.IGNORECASE)
_LURE = re.compile(
    r"guarante|double your|100% (?:win|profit|accura)|free (?:money|tokens|signals)|giveaway|airdrop|account manager|invest with|join my"
    r"|copy my|profit daily|promo",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What is known of an author who is new here."""

    age: timedelta
    messages: int


def tidy(text: str) -> str:
    """Write a text the one way it is stored: composed, on one line, without control or direction characters, without outer space.

    Guarantees: joiners within emoji stay; at most two marks on a letter.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(" " if char in "\n\r\t\v\f\u2028\u2029" else char for char in composed if _may_stay(char))
    calm = re.sub(
        r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{2})[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+",
        r"\1",
        kept,
    )
    return re.sub(r" {2,}", " ", calm).strip()


def _may_stay(char: str) -> bool:
    if char in "\n\r\t\v\f\u2028\u2029":
        return True
    if char in "\u200d\ufe0f":  # they join emoji
        return True
    return (
        unicodedata.category(char) not in {"Cc", "Cs", "Co", "Cn"}
        and not "\u202a" <= char <= "\u202e"
        and not "\u2066" <= char <= "\u2069"
    )


def says_something(text: str) -> bool:
    """Tell whether there is anything to see in a text."""
    return any(unicodedata.category(char)[0] not in "ZCM" for char in text)


def has_link(text: str) -> bool:
    """Tell whether a text leads somewhere else, also when it is written so as not to look like it.

    Example:
        >>> [has_link(one) for one in ("see https://a.example", "evil dot com", "EUR/USD at 1.0850.", "e.g. this")]
        [True, True, False, False]
    """
    return _LINK.search(plain(text)) is not None


def mentioned(text: str) -> list[str]:
    """Give the names that a text calls, each once, in lower case and order."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))


def spam_score(text: str, author: Newcomer) -> int:
    """Score how much a newcomer's message looks like advertising; `HELD_FROM` and above waits for a moderator.

    Formula: 3 for a promise of profit, 3 for a way to contact elsewhere, 2 for a number as long as a telephone's, 1 for mostly capitals, 1
        for five signs in a row, 2 for the first message ever; 0 for who has been here for a day and has written ten messages.
        Source: docs/rules/chat.md#newcomers.
    """
    if author.age >= NEWCOMER and author.messages >= TRUSTED_AFTER:
        return 0
    looks = plain(text)
    letters = [char for char in text if char.isalpha()]
    loud = len(letters) >= 12 and sum(char.isupper() for char in letters) > 0.7 * len(letters)
    return sum(
        (
            3 if _LURE.search(looks) else 0,
            3 if _CONTACT.search(looks) else 0,
            2 if re.search(r"\+?\d[\d ()-]{8,}\d", text) else 0,
            1 if loud else 0,
            1 if re.search(r"[!?$€£]{5,}", text) else 0,
            2 if author.messages == 0 else 0,
        )
    )
