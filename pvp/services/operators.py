"""What operators do to challenges. Rules: docs/rules/pvp.md#operators."""

from uuid import UUID

from accounts.models import User
from competitions.services import lifecycle
from competitions.services.steps import ReasonNeeded, require_operator
from pvp.models import Challenge
from pvp.rules import states
from pvp.services import life
from pvp.services.life import ChallengeOver, held


def challenge_call_off(actor: User, challenge_id: UUID, reason: str) -> Challenge:
    """Call a challenge off that is not over, also while it is played: its contest does not count, and both stakes go back.

    Locks / Effects: the challenge, its contest; stakes, wallets, refunds; audit rows; tells both.
    Raises: OperatorsOnly, ReasonNeeded, NoSuchChallenge, ChallengeOver.
    """
    require_operator(actor)
    if not reason.strip():
        raise ReasonNeeded
    with held(challenge_id) as challenge:
        if challenge.status in states.OVER:
            raise ChallengeOver(f"This challenge is {challenge.status} already.")
        if challenge.competition_id is not None:
            lifecycle.cancel(actor, challenge.competition_id, reason.strip())
        life.close(actor, challenge, states.CANCELLED, reason.strip())
    return challenge
