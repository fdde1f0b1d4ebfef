"""What contests have to tell people: that theirs starts or has finished, and what the traders do whom they follow.

How people hear of it is their own choice (`accounts.services.notices`). Events call these at once, a sweep finds what they missed.
Rules: docs/rules/notices.md#kinds.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError

from accounts.models import User
from accounts.selectors.social import followers_of
from accounts.services import notices
from competitions.models import Competition, Entry, Payout
from competitions.selectors.standings import live_board
from competitions.services import awards
from tradingarena.core.clock import database_now

log = logging.getLogger(__name__)

SOON = timedelta(minutes=15)
LOOK_BACK = timedelta(hours=6)
TOP, TOP_FIELD = 3, 4
Status, Kind = Competition.Status, Competition.Kind


def joined(competition_id: UUID, entry_id: UUID, user_id: UUID) -> int:
    """Tell the followers of somebody who has joined a public contest."""
    contest = Competition.objects.get(pk=competition_id)
    followers = followers_of([user_id]).get(user_id, [])
    if contest.kind != Kind.PUBLIC or not followers:
        return 0
    values = {"trader": User.objects.values_list("username", flat=True).get(pk=user_id), "title": contest.title}
    return notices.tell(
        "followed_joined", followers, cause=entry_id, url=f"/competitions/{contest.slug}", values=values
    )


def starting(contest: Competition) -> int:
    """Tell everybody in a contest that it is about to start."""
    people = contest.entries.filter(status=Entry.Status.ACTIVE).values_list("user_id", flat=True)
    values = {"title": contest.title, "when": _when(contest.starts_at)}
    url = f"/competitions/{contest.slug}/trade"
    return notices.tell("competition_starting", people, cause=contest.pk, url=url, values=values)


def finished(competition_id: UUID) -> int:
    """Tell everybody in a contest how they finished, and the followers of who was ranked in a public one."""
    contest = Competition.objects.get(pk=competition_id)
    if contest.status != Status.COMPLETED:
        return 0
    entries = list(contest.entries.exclude(status=Entry.Status.WITHDRAWN).select_related("user"))
    paid = {row.user_id: row for row in Payout.objects.filter(competition=contest)}
    url = f"/competitions/{contest.slug}/results"
    told = 0
    if contest.kind != Kind.PVP:  # a challenge has words of its own
        own = {one.user_id: {"place": _place(one), "prize": _prize(paid.get(one.user_id))} for one in entries}
        values = {"title": contest.title}
        told = notices.tell("competition_finished", own, cause=contest.pk, url=url, values=values, own_values=own)
    if contest.kind == Kind.PUBLIC:
        followers = followers_of([one.user_id for one in entries if one.rank is not None])
        for one in entries:
            if one.user_id in followers:
                values = {"trader": one.user.username, "title": contest.title, "place": one.rank}
                told += notices.tell("followed_result", followers[one.user_id], cause=one.pk, url=url, values=values)
    return told


def leading(contest: Competition) -> int:
    """Tell the followers of who is among the first three of a public contest with at least four on the board, once a contest."""
    if contest.kind != Kind.PUBLIC:
        return 0
    rows = [row for row in live_board(contest)["rankings"] if row["rank"] is not None]
    if len(rows) < TOP_FIELD:
        return 0
    top = {UUID(row["user_id"]): row for row in rows if row["rank"] is not None and row["rank"] <= TOP}
    told = 0
    for user_id, followers in followers_of(list(top)).items():
        values = {"trader": top[user_id]["username"], "title": contest.title, "place": top[user_id]["rank"]}
        cause = f"{contest.pk}:{user_id}"
        told += notices.tell("followed_top3", followers, cause=cause, url=f"/arena/{contest.slug}", values=values)
    return told


def payout_paid(payout: Payout) -> None:
    """Tell somebody that money of theirs has been paid."""
    contest = payout.competition
    values = {"title": contest.title, "amount": _money(payout.amount_cents), "note": payout.note}
    url = f"/competitions/{contest.slug}/results"
    notices.tell("payout", [payout.user_id], cause=payout.pk, url=url, values=values)


def sweep() -> dict[str, int]:
    """Tell what is due: contests that start within 15 minutes, who leads, what has finished without its event being heard.

    Guarantees: safe in parallel and again: nothing is told twice. One contest that fails holds up no other.
    """
    now = database_now()
    soon = Competition.objects.filter(status=Status.OPEN, starts_at__lte=now + SOON).exclude(kind=Kind.PVP)
    running = Competition.objects.filter(status=Status.RUNNING, kind=Kind.PUBLIC)
    over = Competition.objects.filter(status=Status.COMPLETED, completed_at__gt=now - LOOK_BACK)
    return {
        "starting": sum(_safely(starting, one) for one in soon if not notices.was_told("competition_starting", one.pk)),
        "leading": sum(_safely(leading, one) for one in running),
        "finished": sum(_safely(_finish, one) for one in over if not notices.was_told("competition_finished", one.pk)),
    }


def _finish(contest: Competition) -> int:
    return awards.award(contest.pk) + finished(contest.pk)


def _safely(tell: Callable[[Competition], int], contest: Competition) -> int:
    try:
        return tell(contest)
    except DatabaseError:
        log.exception("contest_not_told", extra={"competition": str(contest.pk), "what": tell.__name__})
        return 0


def _place(entry: Entry) -> str:
    if entry.status == Entry.Status.DISQUALIFIED:
        return "disqualified"
    return str(entry.rank) if entry.rank is not None else "unranked"


def _prize(payout: Payout | None) -> str:
    if payout is None:
        return ""
    parts: list[Any] = []
    if payout.amount_cents:
        parts.append(_money(payout.amount_cents))
    if payout.amount_tokens + payout.reward_tokens:
        parts.append(f"{payout.amount_tokens + payout.reward_tokens:,} tokens")
    return f"You receive {' and '.join(parts)}." if parts else ""


def _money(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02d}"


def _when(moment: datetime) -> str:
    return f"{moment:%d %B, %H:%M} UTC"
