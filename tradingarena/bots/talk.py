"""What bots say in a contest's chat, and how rarely: a line about what they have just done, and now and then an answer to nobody.

They write as everybody does, over the public API, and are held to the same rules. How: docs/bots.md.
"""

import random
import uuid
from collections.abc import Sequence

from tradingarena.bots.client import ApiError, ArenaClient
from tradingarena.bots.strategies import Action, Close, Enter

SAYS_OF_100 = 6  # of a hundred deals
QUIET_S = 45.0  # between two lines of one bot

_LONG = (
    "long {pair} here, stop is tight", "bought {pair}, the dip looks done to me", "in {pair} again, third time lucky",
    "{pair} held the low twice, I am long", "small long in {pair}, let us see", "took {pair} from the bid",
)  # fmt: skip
_SHORT = (
    "short {pair}, that was a lower high", "sold {pair} into the push", "faded {pair}, wish me luck", "{pair} looks tired, short",
    "half size short in {pair}", "sellers are back in {pair}, I am with them",
)  # fmt: skip
_CLOSED = (
    "out of that one", "flat again, waiting", "took it off, not my best", "closed it, the spread was half the trade",
    "done with that one, back to the board", "that will do, cash is a position too",
)  # fmt: skip


def line_about(actions: Sequence[Action], dice: random.Random) -> str:
    """Put what a bot has just done in words; empty: it keeps it to itself."""
    if not actions or dice.randrange(100) >= SAYS_OF_100 * len(actions):
        return ""
    match actions[-1]:
        case Enter(pair=pair, units=units):
            return dice.choice(_LONG if units > 0 else _SHORT).format(pair=pair.name)
        case Close():
            return dice.choice(_CLOSED)
    return ""


class Voice:
    """One bot's way into the chats of its contests."""

    def __init__(self, client: ArenaClient) -> None:
        self._client = client
        self._channels: dict[str, str] = {}
        self._quiet_until_s = 0.0

    def say(self, contest_id: str, text: str, now_s: float) -> bool:
        """Say something, unless it has just spoken; a refusal is lived with. Tell whether it was said.

        Raises: Unreachable.
        """
        if not text or now_s < self._quiet_until_s:
            return False
        self._quiet_until_s = now_s + QUIET_S
        try:
            channel = self._channel(contest_id)
            if channel:
                self._client.post(f"/api/chat/{channel}/messages", {"text": text, "client_id": str(uuid.uuid4())})
        except ApiError as refusal:
            self._quiet_until_s = now_s + max(QUIET_S, refusal.retry_after_s, 600.0 if refusal.status == 403 else 0.0)
            return False
        return bool(channel)

    def _channel(self, contest_id: str) -> str:
        if contest_id not in self._channels:
            rows = self._client.get("/api/chat/channels")["results"]
            self._channels = {row["competition_id"]: row["channel_id"] for row in rows if row["competition_id"]}
        return self._channels.get(contest_id, "")
