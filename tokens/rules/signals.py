"""When people who brought each other look like one: referral rings. No database here.

Rules: docs/rules/fair-play.md#referral-rings.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tradingarena.core.graphs import groups
from tradingarena.core.money import BPS

FEWEST = 3
FEWEST_BY_ADDRESS = 5
RETURNED_BPS = 5_000

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Ring:
    """People who look like one. `head` has brought most of them."""

    head: UUID
    people: tuple[UUID, ...]
    sign: str  # shared_device, shared_card, shared_address, tokens_returned


def rings(
    referrals: Sequence[Pair], links: Mapping[Pair, Collection[str]], tips: Mapping[Pair, int], *, reward_tokens: int
) -> list[Ring]:
    """Find referral rings.

    Shapes: referrals as (referrer, referee); links by pairs, the smaller id first, to kinds of "device", "address", "card"; tips as
        (giver, taker) -> tokens.
    Formula: linked people who have brought each other: 3 or more when a device or a card is among what links them, 5 or more by an address
        alone; or 3 or more referees of one person who have each tipped that person half of the reward or more.
        Source: docs/rules/fair-play.md#referral-rings.
    """
    found: dict[UUID, Ring] = {}
    for group in groups(links):
        inside = [(one, other) for one, other in referrals if one in group and other in group]
        kinds = {kind for pair, some in links.items() if pair[0] in group for kind in some}
        enough = FEWEST if kinds & {"device", "card"} else FEWEST_BY_ADDRESS
        if len(group) >= enough and len(inside) >= enough - 1:
            head = _head(inside)
            sign = next(f"shared_{kind}" for kind in ("device", "card", "address") if kind in kinds)
            found[head] = Ring(head, tuple(sorted(group)), sign)
    payers: dict[UUID, list[UUID]] = {}
    for referrer, referee in referrals:
        if tips.get((referee, referrer), 0) * BPS >= reward_tokens * RETURNED_BPS > 0:
            payers.setdefault(referrer, []).append(referee)
    for referrer, people in payers.items():
        if len(people) >= FEWEST:
            found.setdefault(referrer, Ring(referrer, (referrer, *sorted(people)), "tokens_returned"))
    return list(found.values())


def _head(referrals: Sequence[Pair]) -> UUID:
    counts: dict[UUID, int] = {}
    for referrer, _ in referrals:
        counts[referrer] = counts.get(referrer, 0) + 1
    return max(counts, key=lambda one: (counts[one], one))
