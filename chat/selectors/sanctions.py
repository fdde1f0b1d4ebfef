"""What holds against somebody now, judged by the database's clock at the moment of asking: no worker ends a sanction.

Rules: docs/rules/chat.md#sanctions.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from accounts.models import User
from chat.messages import HOUSE
from chat.messages import sanction as sanction_row
from chat.models import Sanction
from chat.rules import authority
from competitions.messages import when
from tradingarena.core.clock import ClockTimestamp, database_now
from tradingarena.core.errors import Forbidden
from tradingarena.core.statements import fetch

Action = Sanction.Action
MOST_SHOWN = 100


_KINDS = (Action.MUTE.value, Action.BAN.value)
# `in_force` as one statement that is prepared once
_HOLDING = """
    SELECT s.user_id, s.channel_id FROM chat_sanction AS s
    WHERE s.user_id = ANY(%s) AND s.action = ANY(%s) AND (s.until IS NULL OR s.until > clock_timestamp())
        AND (s.channel_id IS NULL OR s.channel_id = ANY(%s))
        AND NOT EXISTS (
            SELECT FROM chat_sanction AS l WHERE l.user_id = s.user_id AND l.action = 'un' || s.action AND l.at > s.at
                AND (l.channel_id IS NULL OR l.channel_id = s.channel_id))
"""


class Silenced(Forbidden):
    """Raised when somebody may not write: who decided it, why, and until when are said and are in the data."""

    code, message = "chat_muted", "You are muted."


class Banned(Forbidden):
    """Raised when somebody may not be in a channel at all."""

    code, message = "chat_banned", "You are banned from this chat."


def in_force() -> QuerySet[Sanction]:
    """Select the mutes and bans that hold at this moment: not over, and not lifted where they apply or everywhere."""
    lifted = Sanction.objects.filter(
        Q(channel=None) | Q(channel=OuterRef("channel")),
        user=OuterRef("user"),
        action=Concat(Value("un"), OuterRef("action")),
        at__gt=OuterRef("at"),
    )
    holding = Sanction.objects.filter(
        Q(until=None) | Q(until__gt=ClockTimestamp()), action__in=[Action.MUTE, Action.BAN]
    )
    return holding.filter(~Exists(lifted))


def against(user_id: UUID, channel_id: UUID | None) -> list[Sanction]:
    """List what holds against somebody in a channel (None: only what holds everywhere): bans first, then what ends last."""
    here = Q(channel=None) if channel_id is None else Q(channel=None) | Q(channel=channel_id)
    found = in_force().filter(here, user=user_id).select_related("actor", "channel")
    return list(found.order_by("action", F("until").desc(nulls_first=True)))


def refusal(found: Collection[Sanction]) -> Forbidden | None:
    """Say the worst of what holds as a refusal to write; None when nothing does."""
    worst = next(iter(found), None)
    if worst is None:
        return None
    kind = Banned if worst.action == Action.BAN else Silenced
    verb = "banned" if worst.action == Action.BAN else "muted"
    where = f"in {worst.channel.title}" if worst.channel else "in every chat"
    by = worst.actor.username if worst.actor else HOUSE
    ends = f"until {worst.until:%d %B %Y, %H:%M} UTC" if worst.until else "until it is lifted"
    return kind(
        f"You are {verb} {where} {ends}, by {by}: {worst.reason} You can read it again, and appeal once, under “Chat standing”.",
        sanction_id=str(worst.pk),
        until=when(worst.until),
    )


def any_against(user_id: UUID, channel_id: UUID) -> bool:
    """Tell with one quick statement whether anything holds against somebody in a channel: it stands before every message."""
    return bool(fetch(f"SELECT EXISTS ({_HOLDING})", [[user_id], list(_KINDS), [channel_id]])[0][0])


def banned(user_ids: Collection[UUID], channel_ids: Collection[UUID]) -> set[tuple[UUID, UUID | None]]:
    """Tell who is banned where, with one query: pairs of a person and a channel, or None for everywhere."""
    rows = fetch(_HOLDING, [list(user_ids), [Action.BAN.value], list(channel_ids)])
    return {(user_id, channel_id) for user_id, channel_id in rows}


def record_of(user: User) -> QuerySet[Sanction]:
    """List everything that was ever decided about somebody in the chat, the newest first."""
    return (
        Sanction.objects.filter(user=user).select_related("actor", "channel", "message", "appeal__case").order_by("-at")
    )


def standing_of(user: User) -> list[dict[str, Any]]:
    """Tell somebody what was decided about them: each decision with whether it holds and what became of the appeal, the newest first."""
    holding = set(in_force().filter(user=user).values_list("pk", flat=True))
    found = []
    for row in record_of(user)[:MOST_SHOWN]:
        appealed = getattr(row, "appeal", None)
        outcome = (appealed.case.outcome or "open") if appealed else ""
        found.append({**sanction_row(row), "holds": row.pk in holding, "appeal": outcome})
    return found


def advice(user: User) -> dict[str, Any]:
    """Warn a moderator of what is already there: what holds now, how many mutes in 30 days, and what that suggests."""
    since = database_now() - authority.REPEATED_WITHIN
    mutes = Sanction.objects.filter(user=user, action=Action.MUTE, at__gt=since).count()
    holding = list(in_force().filter(user=user).select_related("actor", "channel").order_by("-at"))
    return {"holding": holding, "mutes_lately": mutes, "suggested": authority.suggested(mutes)}
