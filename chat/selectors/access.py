"""Who may be in which channel, and with what standing: the one judge for pages, REST and sockets.

Whether somebody may write there now is `services/posting.py`'s. Rules: docs/rules/chat.md#channels.
"""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import DEFAULT_DB_ALIAS

from accounts.models import User
from accounts.rules import roles
from accounts.selectors import acts_as_staff
from chat.models import Channel, Membership
from chat.rules import authority
from chat.rules.authority import Rank
from chat.selectors import sanctions
from competitions.models import Competition
from competitions.selectors.competitions import may_know
from competitions.selectors.visibility import watching_refusals
from tradingarena.core.errors import DomainError, NotFound
from tradingarena.core.statements import fetch

Viewer = User | AnonymousUser
Kind = Channel.Kind
_UNKNOWN = "There is no such channel."


def channel_for(viewer: Viewer, channel_id: UUID) -> Channel:
    """Find a channel that somebody may read, with its contest.

    Raises: NotFound: there is none, or none that they may know of. DomainError: they may not watch the contest, or are banned.
    """
    channel = _find(channel_id)
    if channel is None:
        raise NotFound(_UNKNOWN)
    refusal = reading_refusals([(viewer, channel)])[0]
    if refusal is not None:
        raise refusal
    return channel


_OF_CHANNEL = tuple(field.attname for field in Channel._meta.concrete_fields)
_NEEDED = {
    "id",
    "kind",
    "status",
    "host_id",
    "title",
    "slug",
}  # of its contest; the rest is read when somebody asks for it
_OF_CONTEST = tuple(field.attname for field in Competition._meta.concrete_fields if field.attname in _NEEDED)
_FIND = f"""
    SELECT {", ".join(f"c.{name}" for name in _OF_CHANNEL)}, {", ".join(f"k.{name}" for name in _OF_CONTEST)}
    FROM chat_channel AS c LEFT JOIN competitions_competition AS k ON k.id = c.competition_id WHERE c.id = %s
"""  # noqa: S608  names from the models


def _find(channel_id: UUID) -> Channel | None:
    """Read a channel with its contest, in one statement that is prepared once: it stands before every message."""
    rows = fetch(_FIND, [channel_id])
    if not rows:
        return None
    row, size = rows[0], len(_OF_CHANNEL)
    channel = Channel.from_db(DEFAULT_DB_ALIAS, _OF_CHANNEL, row[:size])
    if channel.competition_id is not None:
        channel.competition = Competition.from_db(DEFAULT_DB_ALIAS, _OF_CONTEST, row[size:])
    return channel


def reading_refusals(asked: Sequence[tuple[Viewer, Channel]]) -> list[DomainError | None]:
    """Answer many times, with few queries, why somebody may not read a channel; None where they may. Contests are loaded."""
    people = {viewer.pk for viewer, _ in asked if isinstance(viewer, User)}
    channels = {channel.pk for _, channel in asked}
    banned = sanctions.banned(people, channels) if people else set()
    private = {channel.pk for _, channel in asked if channel.kind in {Kind.PVP, Kind.DIRECT}}
    parties = _parties(people, private)
    contests = _contests(asked)
    answers: list[DomainError | None] = []
    for viewer, channel in asked:
        if {(viewer.pk, None), (viewer.pk, channel.pk)} & banned:
            answers.append(sanctions.refusal(sanctions.against(viewer.pk, channel.pk)) or sanctions.Banned())
        elif channel.kind in {Kind.PVP, Kind.DIRECT}:
            let_in = (channel.pk, viewer.pk) in parties or (channel.kind == Kind.PVP and _is_staff(viewer))
            answers.append(None if let_in else NotFound(_UNKNOWN))
        else:
            answers.append(contests.get((viewer.pk, channel.pk)))
    return answers


def rank_in(user: User, channel: Channel | None) -> Rank:
    """Give somebody's rank in a channel (None: everywhere). The powers of staff need what staff needs to sign in with."""
    hosts = channel is not None and channel.competition is not None and channel.competition.host_id == user.pk
    role = user.role if user.role == roles.USER or acts_as_staff(user) else roles.USER
    return authority.rank(role, hosts_here=hosts)


def target_rank(user: User, channel: Channel | None) -> Rank:
    """Give the rank that protects somebody in a channel: their role alone, whether they act as staff at the moment or not."""
    hosts = channel is not None and channel.competition is not None and channel.competition.host_id == user.pk
    return authority.rank(user.role, hosts_here=hosts)


def moderates(user: Viewer, channel: Channel | None) -> bool:
    """Tell whether somebody moderates a channel (None: everywhere)."""
    least = Rank.MODERATOR if channel is None or channel.kind == Kind.DIRECT else Rank.HOST
    return isinstance(user, User) and user.may_sign_in() and rank_in(user, channel) >= least


def _contests(asked: Sequence[tuple[Viewer, Channel]]) -> dict[tuple[object, UUID], DomainError | None]:
    questions = [(viewer, channel) for viewer, channel in asked if channel.competition is not None]
    watched = [(viewer, _contest(channel)) for viewer, channel in questions]
    found: dict[tuple[object, UUID], DomainError | None] = {}
    for (viewer, channel), refusal in zip(questions, watching_refusals(watched) if watched else (), strict=True):
        known = may_know(viewer, _contest(channel))
        found[viewer.pk, channel.pk] = refusal if known else NotFound(_UNKNOWN)
    return found


def _contest(channel: Channel) -> Competition:
    assert channel.competition is not None
    return channel.competition


def _parties(people: set[UUID], channels: set[UUID]) -> set[tuple[UUID, UUID]]:
    if not people or not channels:
        return set()
    found = Membership.objects.filter(user__in=people, channel__in=channels, party=True)
    return set(found.values_list("channel_id", "user_id"))


def _is_staff(viewer: Viewer) -> bool:
    return isinstance(viewer, User) and acts_as_staff(viewer)
