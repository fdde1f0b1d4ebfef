"""Keeping bots at work: who joins what, who looks when, and what becomes of what they decide.

One thread does everything but listen to quotes, so that a dozen bots cost next to nothing. How: docs/bots.md.
"""

import heapq
import json
import logging
import random
import threading
import time
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradingarena.bots import duels
from tradingarena.bots.backers import Backer, Backers
from tradingarena.bots.client import ApiError, ArenaClient, Unreachable
from tradingarena.bots.hosting import host
from tradingarena.bots.market import Market
from tradingarena.bots.strategies import STRATEGIES, Action, Cancel, Close, Enter, Strategy, View
from tradingarena.bots.stream import Stream
from tradingarena.bots.talk import Voice, line_about

log = logging.getLogger(__name__)

LOOK_AROUND_S = 10.0
JOINS_OF_100 = 80  # how many of a hundred bots are drawn to a contest
MOST_CONTESTS = 4  # at once, of one bot
GIVEN_UP = {"competition_not_running", "entry_not_active", "competition_not_open", "no_entry", "not_active"}


class Misconfigured(Exception):
    """Raised when the file of bots cannot be used; says what to do."""


@dataclass(frozen=True, slots=True)
class BotAccount:
    """One line of the file of bots."""

    username: str
    strategy: str
    token: str


@dataclass(slots=True)
class Bot:
    """A bot at work: its connection, its dice, and one strategy for each contest it is in."""

    account: BotAccount
    client: ArenaClient
    dice: random.Random
    seats: dict[str, Strategy] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    voice: Voice = field(init=False)

    def __post_init__(self) -> None:
        self.voice = Voice(self.client)

    def is_drawn_to(self, contest_id: str) -> bool:
        """Tell whether this contest is one that this bot likes; always the same answer."""
        return zlib.crc32(f"{self.account.username}:{contest_id}".encode()) % 100 < JOINS_OF_100


def read_accounts(path: Path) -> tuple[list[BotAccount], str | None]:
    """Read the file that `manage.py seed_demo` writes.

    Shapes: (bots, the host's token or None).
    Raises: Misconfigured.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        bots = [BotAccount(str(row["username"]), str(row["strategy"]), str(row["token"])) for row in found["bots"]]
        token = found.get("host", {}).get("token")
    except FileNotFoundError:
        raise Misconfigured(
            f"There is no {path}. `manage.py seed_demo` makes it, with accounts for the bots."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Misconfigured(f"{path} cannot be read ({error}). `manage.py seed_demo` writes it anew.") from None
    if unknown := sorted({bot.strategy for bot in bots} - set(STRATEGIES)):
        raise Misconfigured(f"{path} names strategies that do not exist: {', '.join(unknown)}.")
    if not bots:
        raise Misconfigured(f"{path} lists no bots.")
    return bots, token


def read_backers(path: Path) -> list[tuple[str, str]]:
    """Read from the same file who bets: (name, token) each; none in a file of one's own that names nobody."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get("backers", [])
        return [(str(row["username"]), str(row["token"])) for row in found]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


class Runner:
    """Runs bots against one arena until it is told to stop; outlives the arena's restarts."""

    def __init__(
        self,
        url: str,
        accounts: list[BotAccount],
        *,
        host_token: str | None = None,
        backers: list[tuple[str, str]] | None = None,
        seed: int | None = None,
    ) -> None:
        self.bots = [Bot(one, ArenaClient(url, one.token), _dice(seed, one.username)) for one in accounts]
        self.backers = Backers(
            [Backer(name, ArenaClient(url, token), _dice(seed, name)) for name, token in backers or []]
        )
        self.market = Market()
        self.contests: dict[str, dict[str, Any]] = {}
        self.done: defaultdict[str, int] = defaultdict(int)
        self._host = ArenaClient(url, host_token) if host_token else None
        self._scout = ArenaClient(url, accounts[0].token)
        self._stream = Stream(ArenaClient(url, accounts[0].token), self._on_frame, self.market.silence)
        self._turns: list[tuple[float, int, Bot, str]] = []
        self._turn_number = 0
        self._stop = threading.Event()
        self._pause_s = 0.0

    def stop(self) -> None:
        """End `run` soon."""
        self._stop.set()

    def run(self) -> None:
        """Work until stopped. Whatever the arena answers, or that it does not, is logged and lived with."""
        self._stream.start()
        next_look_s = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() >= next_look_s:
                    self.look_around()
                    next_look_s = time.monotonic() + LOOK_AROUND_S
                self._due_turn()
                if self._pause_s:
                    log.info("the arena answers again")
                self._pause_s = 0.0
            except Unreachable as error:
                if not self._pause_s:
                    log.warning("%s Trying again until it does.", error)
                self._pause_s = min(max(1.0, self._pause_s * 1.7), 20.0)
            except ApiError as refusal:
                log.warning("the bots were refused: %s", refusal)
                self._pause_s = max(refusal.retry_after_s, 5.0)
            self._stop.wait(self._pause_s or self._until_next(next_look_s))
        self._stream.end()
        for client in (self._scout, self._host, *(bot.client for bot in self.bots)):
            if client is not None:
                client.hang_up()
        self.backers.hang_up()

    def _until_next(self, next_look_s: float) -> float:
        due_s = min(next_look_s, self._turns[0][0] if self._turns else next_look_s)
        return min(max(due_s - time.monotonic(), 0.0), 1.0)

    def _on_frame(self, frame: dict[str, Any]) -> None:
        if frame.get("type") == "quote_update":
            self.market.quote(frame["data"], time.monotonic())

    # -- joining --------------------------------------------------------------------------------------------------------
    def look_around(self) -> None:
        """Host, join what can be joined, sit down in what runs, leave what is over.

        Raises: ApiError, Unreachable.
        """
        if not self.market.pairs:
            self.market.know(self._scout.instruments())
        if self._host is not None:
            for title in host(self._host, datetime.now(UTC)):
                log.info("the host opened %s", title)
        running = {row["id"]: row for row in self._scout.contests("running")}
        waiting = self._scout.contests("open")
        for row in [*running.values(), *waiting]:
            if not row["buy_in_cents"] and row["kind"] == "public":  # bots have tokens, and no cards
                self._send_bots_to(row)
        self.backers.look_around(row["id"] for row in [*running.values(), *waiting] if row["kind"] == "public")
        for bot in self.bots:
            running |= self._duel(bot)
        self.contests = running
        for bot in self.bots:
            self._sit_down(bot)
        busy = {contest_id for bot in self.bots for contest_id in bot.seats}
        self._stream.follow(busy)
        for pair in {pair for contest_id in busy for pair in running[contest_id]["pairs"]}:
            if pair in self.market.pairs and not self.market.pairs[pair].mids:
                self.market.remember(pair, self._scout.candles(pair))

    def _send_bots_to(self, row: dict[str, Any]) -> None:
        for bot in self.bots:
            if row["id"] in bot.refused or not bot.is_drawn_to(row["id"]):
                continue
            bot.refused.add(row["id"])  # asked once, whatever the answer
            try:
                bot.client.join(row["id"])
                self.done["joined"] += 1
            except ApiError as refusal:
                if refusal.status == 429:
                    bot.refused.discard(row["id"])
                    raise
                if refusal.code != "already_joined":
                    log.info("%s does not join %s: %s", bot.account.username, row["title"], refusal.detail)

    def _duel(self, bot: Bot) -> dict[str, dict[str, Any]]:
        """Answer who challenges a bot, and find the contests that came of it. A token that may not stake duels nobody."""
        if "duels" in bot.refused:
            return {}
        try:
            self.done["duels"] += duels.answer(bot.client)
            return duels.running(bot.client)
        except ApiError as refusal:
            if refusal.status != 403:
                raise
            bot.refused.add("duels")
            return {}

    def _sit_down(self, bot: Bot) -> None:
        """Take part in running contests that this bot is in, up to as many as it can follow."""
        bot.seats = {contest_id: seat for contest_id, seat in bot.seats.items() if contest_id in self.contests}
        if len(bot.seats) >= MOST_CONTESTS or not set(self.contests) - set(bot.seats):
            return
        for row in bot.client.contests("running", mine="true"):
            if row["id"] not in bot.seats and row["id"] in self.contests and len(bot.seats) < MOST_CONTESTS:
                strategy = STRATEGIES[bot.account.strategy]()
                bot.seats[row["id"]] = strategy
                self._book_turn(bot, row["id"], bot.dice.uniform(0.5, strategy.pace_s[0]))

    # -- trading --------------------------------------------------------------------------------------------------------
    def _book_turn(self, bot: Bot, contest_id: str, in_s: float) -> None:
        self._turn_number += 1
        heapq.heappush(self._turns, (time.monotonic() + in_s, self._turn_number, bot, contest_id))

    def _due_turn(self) -> None:
        """Let the bot whose turn it is look and act; then it thinks for a while."""
        if not self._turns or self._turns[0][0] > time.monotonic():
            return
        _, _, bot, contest_id = heapq.heappop(self._turns)
        strategy = bot.seats.get(contest_id)
        if strategy is None:
            return
        try:
            self._act(bot, contest_id, strategy)
        except ApiError as refusal:
            self.done["refused"] += 1
            log.debug("%s was refused: %s", bot.account.username, refusal)
            if refusal.code in GIVEN_UP or refusal.status in {401, 403, 404}:
                bot.seats.pop(contest_id, None)
                return
            if refusal.status == 429:
                raise
        finally:
            if contest_id in bot.seats:
                self._book_turn(bot, contest_id, bot.dice.uniform(*strategy.pace_s))

    def _act(self, bot: Bot, contest_id: str, strategy: Strategy) -> None:
        contest = self.contests[contest_id]
        pairs = [self.market.pairs[pair] for pair in contest["pairs"] if pair in self.market.pairs]
        fresh = [pair for pair in pairs if not pair.stale and pair.bid]
        if not fresh:
            return
        own = bot.client.account(contest_id)
        if own is None or own["account"]["status"] != "active":
            bot.seats.pop(contest_id, None)
            return
        view = View(
            pairs=fresh,
            positions=own["positions"],
            orders=own["orders"],
            equity_cents=own["account"]["equity_cents"],
            start_cents=contest["starting_balance_cents"],
            left_s=_seconds_until(contest["ends_at"]),
            now_s=time.monotonic(),
            dice=bot.dice,
        )
        actions = list(self._allowed(list(strategy.decide(view)), view))
        for action in actions:
            self._send(bot.client, contest_id, action)
            self.done[type(action).__name__.lower()] += 1
        self.done["said"] += bot.voice.say(contest_id, line_about(actions, bot.dice), time.monotonic())

    def _allowed(self, actions: list[Action], view: View) -> Iterator[Action]:
        """Leave out entries in the last seconds: they would only be closed again."""
        for action in actions:
            if not isinstance(action, Enter) or view.left_s > 5:
                yield action

    def _send(self, client: ArenaClient, contest_id: str, action: Action) -> None:
        match action:
            case Close(position_id):
                client.close(contest_id, position_id)
            case Cancel(order_id):
                client.cancel(contest_id, order_id)
            case Enter(pair, units, kind, price, stop_loss, take_profit):
                prices = {"price": price, "stop_loss": stop_loss, "take_profit": take_profit}
                client.order(
                    contest_id,
                    pair=pair.name,
                    side="buy" if units > 0 else "sell",
                    type=kind,
                    units=abs(units),
                    **{name: pair.text(points) for name, points in prices.items() if points is not None},
                )


def _dice(seed: int | None, name: str) -> random.Random:
    return random.Random() if seed is None else random.Random(f"{seed}:{name}")  # noqa: S311  play, no secret


def _seconds_until(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()
