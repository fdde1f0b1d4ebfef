"""The states of a challenge and which may follow which, as one table. Who takes a step, and when, is decided in `services`.

Rules: docs/rules/pvp.md#states.
"""

PROPOSED, COUNTERED, ACCEPTED, FUNDING = "proposed", "countered", "accepted", "funding"
ACTIVE, COMPLETED = "active", "completed"
DECLINED, CANCELLED, EXPIRED = "declined", "cancelled", "expired"

STATES = (PROPOSED, COUNTERED, ACCEPTED, FUNDING, ACTIVE, COMPLETED, DECLINED, CANCELLED, EXPIRED)
OFFERED = frozenset({PROPOSED, COUNTERED})  # the terms are being talked about
PAYABLE = frozenset({ACCEPTED, FUNDING})  # the terms stand, stakes are awaited
OPEN = OFFERED | PAYABLE  # what counts towards a person's open challenges
AGREED = PAYABLE | {ACTIVE, COMPLETED}  # both have accepted the same version
OVER = frozenset({COMPLETED, DECLINED, CANCELLED, EXPIRED})

TRANSITIONS: dict[str, frozenset[str]] = {
    PROPOSED: frozenset({PROPOSED, COUNTERED, ACCEPTED, DECLINED, CANCELLED, EXPIRED}),
    COUNTERED: frozenset({PROPOSED, COUNTERED, ACCEPTED, DECLINED, CANCELLED, EXPIRED}),
    ACCEPTED: frozenset({FUNDING, CANCELLED, EXPIRED}),
    FUNDING: frozenset({ACTIVE, CANCELLED, EXPIRED}),
    ACTIVE: frozenset({COMPLETED, CANCELLED}),
    COMPLETED: frozenset(),
    DECLINED: frozenset(),
    CANCELLED: frozenset(),
    EXPIRED: frozenset(),
}


def may_follow(state: str, following: str) -> bool:
    """Tell whether a challenge may go from one state to another.

    Source: docs/rules/pvp.md#states.
    Example:
        >>> may_follow("accepted", "proposed"), may_follow("funding", "expired")
        (False, True)
    """
    return following in TRANSITIONS[state]
