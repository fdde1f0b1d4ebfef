"""Looking for referral rings and putting them before the moderators. Nobody is punished here.

When a ring is one is in `rules/signals.py`. Rules: docs/rules/fair-play.md#referral-rings.
"""

from datetime import timedelta

from django.conf import settings

from accounts.models import User
from accounts.services.integrity import case_open
from tokens.models import Referral
from tokens.rules import signals
from tokens.selectors.evidence import given_among, links_among
from tradingarena.core.clock import database_now
from tradingarena.core.graphs import groups

LOOK_BACK = timedelta(days=90)  # as long as a referral may wait
MOST = 20_000


def look_for_rings() -> int:
    """Open a case for each referral ring of the last 90 days; say how many were new.

    Guarantees: doing it again opens nothing more.
    Locks / Effects: four queries; a row for each case.
    """
    recent = Referral.objects.filter(created_at__gt=database_now() - LOOK_BACK).order_by("-id")
    pairs = list(recent.values_list("referrer", "referee")[:MOST])
    people = {one for group in groups(pairs) if len(group) >= signals.FEWEST for one in group}
    if not people:
        return 0
    tips = {(one.giver_id, one.taker_id): one.tokens for one in given_among(people)}
    found = signals.rings(pairs, links_among(people), tips, reward_tokens=settings.REFERRAL_TOKENS)
    names = dict(User.objects.filter(pk__in=[ring.head for ring in found]).values_list("pk", "username"))
    return sum(
        case_open(
            "referral_ring",
            str(ring.head),
            [ring.head, *(one for one in ring.people if one != ring.head)],
            summary=f"{names[ring.head]} and {len(ring.people) - 1} people around them look like one person",
            evidence={"sign": ring.sign, "people": len(ring.people)},
            url=f"/traders/{names[ring.head]}",
        )
        for ring in found
    )
