"""Bots that are challenged: they take what they can afford in tokens, pay, and sit down in the contest. How: docs/bots.md."""

import logging
from typing import Any, Protocol

from tradingarena.bots.client import ApiError

log = logging.getLogger(__name__)

DEAREST_TOKENS = 200  # of one stake
LONGEST_S = 4 * 3_600


class Speaks(Protocol):
    """What of a client duels need."""

    def challenges(self, box: str) -> list[dict[str, Any]]: ...
    def contest(self, contest_id: str) -> dict[str, Any]: ...
    def post(self, path: str, body: dict[str, Any]) -> Any: ...


def is_affordable(row: dict[str, Any]) -> bool:
    """Tell whether a bot takes these terms: tokens, not many, and not for long."""
    terms = row["terms"]
    return bool(terms["stake_tokens"]) and terms["stake_tokens"] <= DEAREST_TOKENS and terms["duration_s"] <= LONGEST_S


def answer(client: Speaks) -> int:
    """Answer and pay whatever waits for a bot; say how many steps were taken.

    Guarantees: what it cannot afford it declines, with the reason; a refusal of the arena is left for the next look.
    """
    steps = 0
    for row in client.challenges("open"):
        if not row["your_turn"]:
            continue
        path = f"/api/pvp/challenges/{row['id']}"
        try:
            if row["status"] in {"proposed", "countered"}:
                takes = is_affordable(row)
                reason = "" if takes else f"I play for at most {DEAREST_TOKENS} tokens and {LONGEST_S // 3_600} hours."
                client.post(f"{path}/accept", {"accept": takes, "version": row["version"], "reason": reason})
                steps += 1
                if not takes:
                    continue
            client.post(f"{path}/checkout", {})
            steps += 1
        except ApiError as refusal:
            log.info("a challenge is left for later: %s", refusal)
    return steps


def running(client: Speaks) -> dict[str, dict[str, Any]]:
    """Give the contests of a bot's challenges that run, by id."""
    ids = [row["competition_id"] for row in client.challenges("active") if row["competition_id"]]
    found = [client.contest(contest_id) for contest_id in ids]
    return {row["id"]: row for row in found if row["status"] == "running"}
