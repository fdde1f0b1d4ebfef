"""Everything that challenges tell over the socket, a function per message. Each party's own room `user.<id>` hears it."""

from uuid import UUID

from pvp.models import Challenge
from tradingarena.core import realtime
from tradingarena.core.realtime import Latest


def challenge_changed(challenge: Challenge) -> None:
    """Tell both parties where their challenge stands, once it has committed; a page that shows it fetches it anew."""
    parties = [challenge.challenger_id, *([challenge.invitee_id] if challenge.invitee_id else [])]
    realtime.publish_on_commit(*(challenge_update(user_id, challenge) for user_id in parties))


def challenge_update(user_id: UUID, challenge: Challenge) -> Latest:
    """Where a challenge stands; the next one about the same challenge replaces it."""
    data = {"challenge_id": str(challenge.pk), "status": str(challenge.status), "version": challenge.version}
    return Latest(f"user.{user_id}", "challenge_update", data, key=str(challenge.pk), keep_s=0)
