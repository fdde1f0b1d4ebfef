"""How often somebody may write, and what counts as saying the same again. Pure; the figures are those of docs/rules/chat.md#pace."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from chat.rules.letters import plain

BURST, BURST_S = 5, 10
STEADY, STEADY_S = 20, 60
SAME_S = 30
NEARLY_FROM = 9  # longer than 8 characters
REFUSALS, REFUSALS_S = 3, 60
AUTOMATIC_MUTE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said lately, and when. Shapes: at is aware UTC, on the database's clock."""

    text: str
    at: datetime


def flood_wait_s(now: datetime, said: Sequence[Said]) -> int:
    """Tell how long somebody must wait before the next message. Units: whole seconds, 0: not at all.

    Shapes: said in any order; older ones than a minute do not count.
    Formula: fewer than 5 within the last 10 s and fewer than 20 within the last 60 s. Source: docs/rules/chat.md#pace.
    """
    ages = sorted((now - one.at).total_seconds() for one in said)
    wait = 0.0
    for most, window_s in ((BURST, BURST_S), (STEADY, STEADY_S)):
        recent = [age for age in ages if age < window_s]
        if len(recent) >= most:
            wait = max(wait, window_s - recent[most - 1])
    return ceil(wait)


def repeat_wait_s(now: datetime, text: str, said: Sequence[Said]) -> int:
    """Tell how long a text must wait because its author has just said it. Units: whole seconds, 0: not at all.

    Formula: the same within 30 s once case, look-alikes, spaces and signs are out, or within one edit of it when longer than 8
        characters. A text of signs alone is compared as it is. Source: docs/rules/chat.md#pace.
    """
    wanted = core(text)
    wait = 0.0
    for one in said:
        age = (now - one.at).total_seconds()
        if age < SAME_S and _nearly(wanted, core(one.text)):
            wait = max(wait, SAME_S - age)
    return ceil(wait)


def core(text: str) -> str:
    """Reduce a text to what makes it the same text.

    Example:
        >>> core("Go  LONG!!") == core("go long")
        True
    """
    looks = plain(text)
    return re.sub(r"[\W_]+", "", looks) or looks.strip()


def mutes_itself(now: datetime, refused_at: Sequence[datetime]) -> bool:
    """Tell whether so many refusals within a minute, this one included, mute their author."""
    return sum((now - at).total_seconds() < REFUSALS_S for at in refused_at) >= REFUSALS


def _nearly(one: str, other: str) -> bool:
    if one == other:
        return True
    if min(len(one), len(other)) < NEARLY_FROM or abs(len(one) - len(other)) > 1:
        return False
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rests = one[start:], other[start:]
    if len(one) == len(other):
        return rests[0][1:] == rests[1][1:]
    longer, shorter = sorted(rests, key=len, reverse=True)
    return longer[1:] == shorter
