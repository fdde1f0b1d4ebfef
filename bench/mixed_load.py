"""People who use a whole arena at once over REST, and who remember what they were answered: done, refused, or nothing.

Used by `bench.faults`, which breaks things under them, and by `bench.load`, which adds more and more of them.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

from tradingarena.tests.flows.arena import Arena, Person, Unanswered
from tradingarena.tests.flows.beside import database

PAIRS = ("EUR/USD", "GBP/USD", "USD/JPY")
ASKED_AGAIN_S = 90.0
WORDS = (
    "spread", "pip", "euro", "cable", "yen", "long", "short", "target", "level", "break", "range", "trend",
    "quiet", "news", "close", "open", "above", "below", "hold", "wait", "add", "half", "out", "again", "slow",
    "fast", "early", "late", "nice", "clean", "tight", "wide", "strong", "weak", "turn", "back", "up", "down",
)  # fmt: skip


class Outcome(StrEnum):
    """What a client knows of what it asked for. An answer of 500 or more says nothing about whether it was done."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Deed:
    """One thing that changes something, under a key of its own, and what became of it."""

    kind: str
    person: Person
    path: str
    body: dict[str, Any]
    key: str
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0
    answer: Any = None
    began_s: float = 0.0
    took_s: float = 0.0
    ended_unknown: bool = False

    def attempt(self, arena: Arena, *, timeout_s: float = 10.0) -> Outcome:
        """Ask once and note the answer."""
        headers = {"Authorization": f"Bearer {self.person.token}", "Idempotency-Key": self.key}
        self.began_s = time.monotonic()
        try:
            self.status, self.answer = arena.call("POST", self.path, self.body, headers=headers, timeout_s=timeout_s)
        except Unanswered as silence:
            self.status, self.answer = 0, str(silence)
        self.took_s = time.monotonic() - self.began_s
        if self.status in {200, 201, 202}:
            self.outcome = Outcome.DONE
        elif 400 <= self.status < 500 and self.status != 429:
            self.outcome = Outcome.REFUSED
        else:
            self.outcome = Outcome.UNKNOWN
        return self.outcome

    @property
    def code(self) -> str:
        """Give the stable code of a refusal."""
        return str(self.answer.get("code", "")) if isinstance(self.answer, dict) else ""


Maker = Callable[[Person, random.Random], Deed]


def order(contest_id: str) -> Maker:
    """Make market orders, and now and then one that rests."""

    def make(person: Person, dice: random.Random) -> Deed:
        key = str(uuid4())
        body: dict[str, Any] = {
            "id": key, "pair": dice.choice(PAIRS), "side": dice.choice(["buy", "sell"]), "type": "market", "units": 1000,
        }  # fmt: skip
        return Deed("order", person, f"/api/competitions/{contest_id}/orders", body, key)

    return make


def purchase(package: str) -> Maker:
    """Begin to buy tokens; `Crowd.pay` then pays at the stand-in."""

    def make(person: Person, dice: random.Random) -> Deed:
        return Deed("purchase", person, "/api/tokens/checkout", {"package": package}, str(uuid4()))

    return make


def bet(markets: Sequence[str]) -> Maker:
    """Make small bets on any trader."""

    def make(person: Person, dice: random.Random) -> Deed:
        key = str(uuid4())
        body = {
            "id": key, "market_id": dice.choice(markets), "outcome": dice.choice(["positive", "negative"]), "stake_tokens": 10,
        }  # fmt: skip
        return Deed("bet", person, "/api/betting/bets", body, key)

    return make


def message(channel_id: str) -> Maker:
    """Say something new in a channel."""

    def make(person: Person, dice: random.Random) -> Deed:
        key = str(uuid4())
        said = " ".join(dice.sample(WORDS, 5))
        return Deed("message", person, f"/api/chat/{channel_id}/messages", {"text": said, "client_id": key}, key)

    return make


def market_ids(arena: Arena, contest_id: str) -> list[str]:
    """Give the markets of a contest."""
    return [each["market_id"] for each in arena.call("GET", f"/api/betting/markets/{contest_id}")[1]["markets"]]


def channel_of(person: Person, contest_id: str) -> str:
    """Give the channel of a contest as one of its entrants finds it."""
    channels = person.ask("GET", "/api/chat/channels")[1]["results"]
    return str(next(each["channel_id"] for each in channels if each["competition_id"] == contest_id))


@dataclass
class Crowd:
    """Everybody at once, each in a thread, until told to stop."""

    arena: Arena
    deeds: list[Deed] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self, person: Person, makers: Sequence[Maker], *, every_s: float, then: Callable[[Deed], None] | None = None
    ) -> None:
        """Let somebody do one thing after another, `every_s` apart on the average; `then` follows what was done."""
        dice = random.Random(f"{person.name}:{len(self._threads)}")

        def live() -> None:
            while not self.over.wait(dice.uniform(0.5, 1.5) * every_s):
                deed = dice.choice(makers)(person, dice)
                with self._lock:
                    self.deeds.append(deed)
                if deed.attempt(self.arena) is Outcome.DONE and then:
                    then(deed)

        self._threads.append(threading.Thread(target=live, daemon=True))
        self._threads[-1].start()

    def stop(self) -> None:
        """Let everybody finish what they are at."""
        self.over.set()
        for thread in self._threads:
            thread.join(30)

    def resolve(self) -> tuple[int, int]:
        """Ask again for what got no answer, with the same key, until there is one; give how many there were and are left."""
        unknown = [deed for deed in self.deeds if deed.outcome is Outcome.UNKNOWN]
        deadline = time.monotonic() + ASKED_AGAIN_S
        for deed in unknown:
            deed.ended_unknown = True
            while deed.attempt(self.arena) is Outcome.UNKNOWN and time.monotonic() < deadline:
                time.sleep(min(5.0, 1.0 if deed.status == 429 else 0.3))
        return len(unknown), sum(deed.outcome is Outcome.UNKNOWN for deed in unknown)

    def of(self, kind: str, outcome: Outcome) -> list[Deed]:
        """Select."""
        return [deed for deed in self.deeds if deed.kind == kind and deed.outcome is outcome]


# What the database holds of each kind, by the key under which a client asked, and whose it is.
STORED = {
    "order": "SELECT o.id::text FROM competitions_order o JOIN competitions_entry e ON e.id = o.entry_id WHERE e.user_id = ANY(%s)",
    "purchase": "SELECT id::text FROM tokens_payment WHERE user_id = ANY(%s)",
    "bet": "SELECT id::text FROM betting_bet WHERE user_id = ANY(%s)",
    "message": "SELECT id::text FROM chat_message WHERE author_id = ANY(%s)",
}


def stored_name(deed: Deed) -> str:
    """Give the name under which the database has what was done."""
    return str(deed.answer[{"purchase": "payment_id", "message": "message_id"}.get(deed.kind, "id")])


@dataclass(frozen=True, slots=True)
class Compared:
    """Acknowledged writes of a kind, held against the rows."""

    kind: str
    done: int
    refused: int
    lost: int
    doubled: int

    def plus(self, other: "Compared | None") -> "Compared":
        """Add what was found of the same kind elsewhere."""
        if other is None:
            return self
        return Compared(
            self.kind, self.done + other.done, self.refused + other.refused, self.lost + other.lost,
            self.doubled + other.doubled,
        )  # fmt: skip


def compare(crowd: Crowd, people: Iterable[Person], kinds: Sequence[str]) -> list[Compared]:
    """Find acknowledged writes that are not there (lost), and rows that nobody was acknowledged (doubled)."""
    found = []
    with database(crowd.arena) as db:
        ids = [
            row[0]
            for row in db.execute(
                "SELECT id FROM accounts_user WHERE username = ANY(%s)", [[person.name for person in people]]
            )
        ]
        for kind in kinds:
            rows = {row[0] for row in db.execute(STORED[kind], [ids])}
            done = crowd.of(kind, Outcome.DONE)
            names = {stored_name(deed) for deed in done}
            found.append(
                Compared(kind, len(done), len(crowd.of(kind, Outcome.REFUSED)), len(names - rows), len(rows - names))
            )
    return found
