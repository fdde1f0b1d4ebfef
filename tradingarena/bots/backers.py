"""Bots that watch and bet: they back traders of contests that they are not in, with small stakes, over REST like everybody.

What bots trade is in `strategies.py`, who keeps them at work in `runner.py`. How: docs/bots.md#backers.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from tradingarena.bots.client import ApiError, ArenaClient

log = logging.getLogger(__name__)

BETS_OF_100 = 30  # how many of a hundred looks end in a bet
STAKES = (10, 10, 15, 20, 25, 40)
RESERVE_TOKENS = 50  # what a backer keeps


class Backer:
    """One bot that bets: its connection and its dice."""

    def __init__(self, name: str, client: ArenaClient, dice: random.Random) -> None:
        self.name, self.client, self.dice = name, client, dice

    def look(self, contests: Iterable[str]) -> bool:
        """Look at one of these contests, and bet on one of its traders or not; tell whether.

        Raises: ApiError: the arena refused for another reason than a rule of bets. Unreachable.
        """
        choices = sorted(contests)
        if not choices or self.dice.randrange(100) >= BETS_OF_100:
            return False
        board = self.client.get(f"/api/betting/markets/{self.dice.choice(choices)}")
        stake = self.dice.choice(STAKES)
        open_ones = [one for one in board["markets"] if one["status"] == "open" and one["locks_at"] > board["now"]]
        if board["reasons"] or not open_ones or (board["balance_tokens"] or 0) < stake + RESERVE_TOKENS:
            return False
        market = self.dice.choice(open_ones)
        stake = max(stake, board["min_stake_tokens"])
        terms = {"market_id": market["market_id"], "outcome": self._outcome(market), "stake_tokens": stake}
        try:
            self.client.post("/api/betting/bets", {"id": str(uuid4()), **terms})
        except ApiError as refusal:
            if refusal.status not in {409, 422, 429}:
                raise
            log.info("%s does not bet: %s", self.name, refusal.detail)
            return False
        return True

    def _outcome(self, market: dict[str, Any]) -> str:
        """Choose a claim: mostly the sign, and sooner the side that pays more."""
        line = market["lines"][0] if self.dice.random() < 0.7 else self.dice.choice(market["lines"])
        worth = [outcome["price_milli"] or 5_000 for outcome in line["outcomes"]]
        return str(self.dice.choices([outcome["outcome"] for outcome in line["outcomes"]], weights=worth)[0])


class Backers:
    """All of them: each looks around whenever the runner does."""

    def __init__(self, backers: list[Backer]) -> None:
        self.backers = backers
        self.done: defaultdict[str, int] = defaultdict(int)

    def look_around(self, contests: Iterable[str]) -> None:
        """Let everybody look once.

        Raises: ApiError, Unreachable.
        """
        known = list(contests)
        for backer in self.backers:
            self.done["bets"] += backer.look(known)

    def hang_up(self) -> None:
        """Close the kept connections."""
        for backer in self.backers:
            backer.client.hang_up()
