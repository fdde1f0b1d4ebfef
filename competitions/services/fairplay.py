"""Looking at a contest that is over for orders that look like one person's, and putting them before the moderators.

When they do is in `engine/mirrors.py`. Nobody is punished here. Rules: docs/rules/fair-play.md#mirrored-orders.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import CharField, Exists, OuterRef
from django.db.models.functions import Cast

from accounts.models import IntegrityLook, User
from accounts.selectors.links import pair
from accounts.services.integrity import case_open, looked
from competitions.engine.mirrors import is_hedged, is_mirrored
from competitions.models import Competition
from competitions.selectors import mirrors
from tokens.selectors.evidence import links_among
from tradingarena.core.clock import database_now

log = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=7)
A_ROUND = 500
KIND = "contest_orders"


def look_at_what_is_over() -> int:
    """Look at every contest of the last week that is over and was not looked at; say how many cases were opened.

    Guarantees: a contest is noted when it has been looked at; one contest's failure holds up no other.
    """
    seen = IntegrityLook.objects.filter(kind=KIND, cause=Cast(OuterRef("pk"), CharField()))
    over = Competition.objects.filter(
        ~Exists(seen),
        status__in=[Competition.Status.SETTLING, Competition.Status.COMPLETED],
        ends_at__gt=database_now() - LOOK_BACK,
    )
    opened = 0
    for contest in over.order_by("ends_at")[:A_ROUND]:
        try:
            opened += look_at(contest)
            looked(KIND, str(contest.pk))
        except Exception:  # it is found again
            log.exception("fair_play_look_failed", extra={"competition": str(contest.pk)})
    return opened


def look_at(contest: Competition) -> int:
    """Open the cases that a contest's orders give rise to; say how many were new.

    Guarantees: doing it again opens nothing more.
    Locks / Effects: a few queries whatever the number of orders; a row for each case.
    """
    found: dict[tuple[UUID, UUID], tuple[str, mirrors.Together]] = {}
    for one in mirrors.mirrored(contest.pk):
        if is_mirrored(one.orders, one.fewer_orders):
            found[one.one_id, one.other_id] = ("orders_mirrored", one)
    links = links_among(list(contest.entries.values_list("user", flat=True)))
    for one in mirrors.opposite(contest.pk, {person for both in links for person in both}):
        both = pair(one.one_id, one.other_id)
        if both in links and not one.same_side and is_hedged(one.orders, one.fewer_orders):
            found.setdefault(both, ("orders_opposite", one))
    names = dict(
        User.objects.filter(pk__in={person for both in found for person in both}).values_list("pk", "username")
    )
    return sum(
        case_open(
            kind,
            f"{both[0]}:{both[1]}:{contest.pk}",
            list(both),
            summary=f"{names[both[0]]} and {names[both[1]]} {_words(kind, one)} in {contest.title}",
            evidence={
                "competition_id": str(contest.pk),
                "orders_alike": one.orders,
                "of_orders": one.fewer_orders,
                "side": "same" if one.same_side else "opposite",
                "shared": sorted(links.get(both, ())),
            },
            url=f"/competitions/{contest.slug}/results",
        )
        for both, (kind, one) in found.items()
    )


def _words(kind: str, one: mirrors.Together) -> str:
    if kind == "orders_opposite":
        return "are linked and trade against each other"
    return "place the same orders" if one.same_side else "place opposite orders"
