"""Finding contests and who is in them. What of somebody's trading may be seen is decided in `visibility.py`.

Rules: docs/rules/competitions.md#who-sees-what.
"""

from collections.abc import Collection
from typing import TypedDict
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from accounts.models import User
from accounts.rules import roles
from competitions.engine.prizes import pool
from competitions.models import BuyIn, Competition, Entry
from tokens.selectors.references import Link
from tradingarena.core.errors import NotFound
from tradingarena.core.money import BPS

Person = User | AnonymousUser
Status = Competition.Status
ON_BOARD = ~Q(entries__status=Entry.Status.WITHDRAWN)


class PrizeRow(TypedDict):
    """One place of the prize table. Units: bps of the pool, US cents of today's pool, tokens."""

    place: int
    share_bps: int
    amount_cents: int
    amount_tokens: int
    reward_tokens: int


def find(user: Person, key: UUID | str) -> Competition:
    """Find a contest by its id or slug, with its number of entrants as `entrants`.

    Raises: NotFound: there is none, or the asker may not know of it (a draft; a challenge is known to its parties).
    """
    found = _annotated().filter(_by_key(key)).first()
    if found is None or not may_know(user, found):
        raise NotFound("There is no such contest.")
    return found


def may_know(user: Person, competition: Competition) -> bool:
    """Tell whether somebody may know that a contest exists: drafts are for operators, the rest for who has its link."""
    return competition.status != Status.DRAFT or _is_operator(user)


def listing(
    user: Person,
    *,
    status: str | None = None,
    q: str = "",
    free: bool | None = None,
    bots_only: bool | None = None,
    mine: bool = False,
) -> QuerySet[Competition]:
    """List the contests that somebody may find: public ones, and those one is in or hosts; operators find all.

    Shapes: with `entrants` and `joined` (is the asker in it); the latest start first. q looks in titles.
    """
    contests = _annotated()
    own = Entry.objects.filter(competition=OuterRef("pk"), user_id=user.pk).exclude(status=Entry.Status.WITHDRAWN)
    contests = contests.annotate(joined=Exists(own))
    if not _is_operator(user):
        mine_or_public = Q(kind=Competition.Kind.PUBLIC) | Q(joined=True) | Q(host_id=user.pk, host__isnull=False)
        contests = contests.exclude(status=Status.DRAFT).filter(mine_or_public)
    if status:
        contests = contests.filter(status=status)
    if q:
        contests = contests.filter(title__icontains=q)
    if free is not None:
        contests = (
            contests.filter(buy_in_cents=0, entry_tokens=0)
            if free
            else contests.exclude(buy_in_cents=0, entry_tokens=0)
        )
    if bots_only is not None:
        contests = contests.filter(bots_only=bots_only)
    if mine:
        contests = contests.filter(Q(joined=True) | Q(host_id=user.pk, host__isnull=False))
    return contests.order_by("-starts_at", "-id")


def live(user: Person) -> QuerySet[Competition]:
    """List what runs now, what ends first in front."""
    return listing(user, status=Status.RUNNING).order_by("ends_at", "id")


def upcoming(user: Person) -> QuerySet[Competition]:
    """List what can be joined and has not started, what starts first in front."""
    return listing(user, status=Status.OPEN).order_by("starts_at", "id")


def finished(user: Person) -> QuerySet[Competition]:
    """List what has ended with a result, the latest first."""
    return listing(user).filter(status__in=[Status.SETTLING, Status.COMPLETED]).order_by("-ends_at", "-id")


def entry_of(user: Person, competition: Competition) -> Entry | None:
    """Find somebody's entry in a contest, withdrawn ones left out."""
    if not user.is_authenticated:
        return None
    return competition.entries.filter(user_id=user.pk).exclude(status=Entry.Status.WITHDRAWN).first()


def entrants(competition: Competition) -> QuerySet[Entry]:
    """List who is in a contest, in order of joining, with the people."""
    return competition.entries.exclude(status=Entry.Status.WITHDRAWN).select_related("user").order_by("number")


def entrants_count(competition: Competition) -> int:
    """Count who is in a contest."""
    return entrants(competition).count()


def prize_pool_cents(competition: Competition) -> int:
    """Give the pool of money as it stands: the paid buy-ins less the rake. Units: US cents."""
    return pool(paid_into(competition)[0], competition.rake_bps)


def prize_pool_tokens(competition: Competition) -> int:
    """Give the pool of tokens as it stands: the entries with tokens less the rake. Units: tokens."""
    return pool(paid_into(competition)[1], competition.rake_bps)


def paid_into(competition: Competition) -> tuple[int, int]:
    """Sum up the buy-ins that are paid and have not gone back. Units: US cents, tokens."""
    if not (competition.buy_in_cents or competition.entry_tokens):
        return 0, 0
    found = competition.buy_ins.filter(status=BuyIn.Status.PAID).aggregate(
        cents=Sum("amount_cents"), tokens=Sum("amount_tokens")
    )
    return found["cents"] or 0, found["tokens"] or 0


def prize_table(competition: Competition) -> list[PrizeRow]:
    """Show what each place is worth with today's pool when every place is filled.

    Guarantees: the amounts sum to the pool. Source: docs/rules/prizes.md#places.
    """
    split, rewards = competition.prize_split_bps, competition.reward_tokens
    cents = _shares(prize_pool_cents(competition), split)
    tokens = _shares(prize_pool_tokens(competition), split)
    return [
        {
            "place": row + 1,
            "share_bps": split[row] if row < len(split) else 0,
            "amount_cents": cents[row] if row < len(cents) else 0,
            "amount_tokens": tokens[row] if row < len(tokens) else 0,
            "reward_tokens": rewards[row] if row < len(rewards) else 0,
        }
        for row in range(max(len(split), len(rewards)))
    ]


def _shares(amount: int, split: list[int]) -> list[int]:
    parts = [amount * bps // BPS for bps in split]
    if parts:
        parts[0] += amount - sum(parts)
    return parts


def contest_links(pks: Collection[str]) -> dict[str, Link]:
    """Name contests for statements of tokens."""
    found = Competition.objects.filter(pk__in=pks).values_list("pk", "title", "slug")
    return {str(pk): Link(title, f"/competitions/{slug}") for pk, title, slug in found}


def in_live_contest(user_id: UUID) -> bool:
    """Tell whether somebody is in a contest that runs, where everybody sees the name."""
    return Entry.objects.filter(
        user_id=user_id, status=Entry.Status.ACTIVE, competition__status=Status.RUNNING
    ).exists()


def _annotated() -> QuerySet[Competition]:
    return Competition.objects.annotate(entrants=Count("entries", filter=ON_BOARD)).select_related("host")


def _by_key(key: UUID | str) -> Q:
    if isinstance(key, UUID):
        return Q(pk=key)
    try:
        return Q(pk=UUID(key)) | Q(slug=key)
    except ValueError:
        return Q(slug=key) if "\0" not in key else Q(pk__in=[])


def _is_operator(user: Person) -> bool:
    return user.is_authenticated and user.role == roles.ADMIN and user.may_sign_in()
