"""One good request for every operation of the API, as Alice makes it: the reviewed part of the access matrix.

A path's ids are names of things in `world.World.ids`. An operation that is not here fails `test_access.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tradingarena.tests.attacks.world import PACKAGE, TERMS, World

Body = Callable[[World], dict[str, Any]]
Operation = tuple[str, str]


@dataclass(frozen=True)
class Good:
    """A request that is good, the status that its rightful sender gets, and whose the things are that it names.

    Shapes: `ids` fills the path; `query` and `body` are made of the world. `whose`: "public" things are anybody's, "owned" ones are
        not there for others (404), "entrant" ones need an entry of one's own (404 `no_entry`).
    """

    status: int = 200
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    query: str = ""
    key: bool = False
    whose: str = "public"
    sender: str = "owner"


def _order(world: World) -> dict[str, Any]:
    return {"id": str(uuid4()), "pair": "EUR/USD", "side": "buy", "type": "market", "units": 1_000}


def _contest(world: World) -> dict[str, Any]:
    times = {"starts_at": "2199-01-01T00:00:00Z", "ends_at": "2199-01-01T01:00:00Z"}
    return {"title": "Evening cup", "pairs": ["EUR/USD"]} | times


def _bet(world: World) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "market_id": str(world.ids["cup_market"]),
        "outcome": "positive",
        "stake_tokens": 10,
    }


def fixed(**fields: Any) -> Body:
    """Make the same body for everybody."""
    return lambda world: fields


NOTHING = fixed()
SPRINT, COMING, FREE, OVER = ({"competition_id": name} for name in ("sprint", "coming", "free", "over"))
HALL, DIRECT = {"channel_id": "hall"}, {"channel_id": "direct"}
ORDER = {**SPRINT, "order_id": "order"}
POSITION = {**SPRINT, "position_id": "position"}
LISTING, BOB = {"listing_id": "listing"}, {"username": "bob"}
OWNED, ENTRANT = "owned", "entrant"
ONE = "/api/competitions/{competition_id}"
CHAT, SAID = "/api/chat/{channel_id}", "/api/chat/{channel_id}/messages/{message_id}"
CHALLENGE = "/api/pvp/challenges/{challenge_id}"
ALICES = "entry_id={alices_entry}"


def _challenge(name: str) -> dict[str, str]:
    return {"challenge_id": name}


MARKET_AND_CONTESTS: dict[Operation, Good] = {
    ("get", "/api/instruments"): Good(),
    ("get", "/api/quotes"): Good(),
    ("get", "/api/candles"): Good(query="pair=EUR/USD"),
    ("get", "/api/competitions"): Good(),
    ("post", "/api/competitions"): Good(201, body=_contest, sender="admin"),
    ("get", ONE): Good(ids=SPRINT),
    ("patch", ONE): Good(ids=FREE, body=fixed(title="Renamed"), sender="admin"),
    ("post", f"{ONE}/transition"): Good(ids=FREE, body=fixed(to="cancelled", reason="Rain"), sender="admin"),
    ("post", f"{ONE}/join"): Good(201, ids=FREE, body=NOTHING, key=True),
    ("post", f"{ONE}/withdraw"): Good(ids=COMING, body=NOTHING, key=True, whose=ENTRANT),
    ("get", f"{ONE}/entries"): Good(ids=SPRINT),
    ("get", f"{ONE}/leaderboard"): Good(ids=SPRINT),
    ("get", f"{ONE}/results"): Good(ids=OVER),
    ("get", f"{ONE}/results.csv"): Good(ids=OVER),
    ("get", f"{ONE}/room"): Good(ids=SPRINT),
    ("get", f"{ONE}/orders"): Good(ids=SPRINT, whose=ENTRANT),
    ("post", f"{ONE}/orders"): Good(201, ids=SPRINT, body=_order, whose=ENTRANT),
    ("get", f"{ONE}/orders/{{order_id}}"): Good(ids=ORDER, whose=OWNED),
    ("patch", f"{ONE}/orders/{{order_id}}"): Good(202, ids=ORDER, body=fixed(price="1.01000"), whose=OWNED),
    ("delete", f"{ONE}/orders/{{order_id}}"): Good(202, ids=ORDER, whose=OWNED),
    ("patch", f"{ONE}/positions/{{position_id}}"): Good(
        202, ids=POSITION, body=fixed(stop_loss="1.00000"), whose=OWNED
    ),
    ("post", f"{ONE}/positions/{{position_id}}/close"): Good(
        201, ids=POSITION, body=lambda world: {"id": str(uuid4())}, key=True, whose=OWNED
    ),
    **{
        ("get", f"{ONE}/{tail}"): Good(ids=SPRINT, query=ALICES)
        for tail in ("positions", "fills", "deals", "trades", "trades.csv", "equity", "statistics")
    },
}

PEOPLE: dict[Operation, Good] = {
    ("get", "/api/me"): Good(),
    ("patch", "/api/me"): Good(body=fixed(timezone="Europe/Paris")),
    ("post", "/api/me/username"): Good(body=lambda world: {"username": f"n{uuid4().hex[:10]}"}),
    ("post", "/api/me/bot"): Good(),
    ("get", "/api/me/api-tokens"): Good(),
    ("post", "/api/me/api-tokens"): Good(201, body=fixed(name="bot", scopes=["read"])),
    ("delete", "/api/me/api-tokens"): Good(204),
    ("delete", "/api/me/api-tokens/{token_id}"): Good(204, ids={"token_id": "token"}, whose=OWNED),
    ("get", "/api/me/exports"): Good(),
    ("post", "/api/me/exports"): Good(202),
    ("get", "/api/me/limits"): Good(),
    ("put", "/api/me/limits"): Good(body=fixed(daily_cap_tokens=500)),
    ("get", "/api/me/notifications"): Good(),
    ("post", "/api/me/notifications/read"): Good(body=NOTHING),
    ("get", "/api/me/notice-choices"): Good(),
    ("put", "/api/me/notice-choices"): Good(body=fixed(choices=[])),
    ("get", "/api/me/follows"): Good(),
    ("get", "/api/me/blocks"): Good(),
    ("get", "/api/users/{username}"): Good(ids=BOB),
    ("put", "/api/users/{username}/follow"): Good(ids=BOB),
    ("delete", "/api/users/{username}/follow"): Good(ids=BOB),
    ("put", "/api/users/{username}/block"): Good(ids=BOB),
    ("delete", "/api/users/{username}/block"): Good(ids=BOB),
    ("post", "/api/ws-ticket"): Good(201),
}

TOKENS: dict[Operation, Good] = {
    ("get", "/api/tokens/wallet"): Good(),
    ("get", "/api/tokens/history"): Good(),
    ("get", "/api/tokens/packages"): Good(),
    ("get", "/api/tokens/leaderboard"): Good(),
    ("get", "/api/tokens/referral"): Good(),
    ("get", "/api/tokens/referrals"): Good(),
    ("get", "/api/tokens/daily-bonus"): Good(),
    ("post", "/api/tokens/daily-bonus"): Good(201, key=True),
    ("get", "/api/tokens/payments"): Good(),
    ("get", "/api/tokens/payments/{payment_id}"): Good(ids={"payment_id": "payment"}, whose=OWNED),
    # no provider is set up here: the last door answers that payments are off, and only who may pay comes so far
    ("post", "/api/tokens/checkout"): Good(422, body=fixed(package=PACKAGE), key=True),
    ("post", "/api/tokens/confirm"): Good(body=lambda world: {"payment_id": str(world.ids["payment"])}, whose=OWNED),
    ("post", "/api/stripe/webhook"): Good(422, body=fixed(id="evt_1")),
}

BETS: dict[Operation, Good] = {
    ("get", "/api/betting/bets"): Good(),
    ("post", "/api/betting/bets"): Good(201, body=_bet),
    ("get", "/api/betting/bets/{bet_id}"): Good(ids={"bet_id": "cup_bet"}, whose=OWNED),
    ("get", "/api/betting/record"): Good(),
    ("get", "/api/betting/history/{competition_id}"): Good(ids={"competition_id": "cup"}),
    ("get", "/api/betting/markets/{competition_id}"): Good(ids={"competition_id": "cup"}),
    ("get", "/api/betting/settlements/{market_id}"): Good(ids={"market_id": "played_market"}),
    ("get", "/api/betting/traders/{username}"): Good(ids={"username": "tara"}),
}

ARENA: dict[Operation, Good] = {
    ("get", "/api/arena/listings"): Good(),
    ("get", "/api/arena/{listing_id}"): Good(ids=LISTING),
    ("post", "/api/arena/{listing_id}/join"): Good(ids=LISTING, body=NOTHING),
    ("post", "/api/arena/{listing_id}/leave"): Good(ids=LISTING, body=NOTHING),
    ("get", "/api/arena/{listing_id}/replay"): Good(ids={"listing_id": "over_listing"}),
}

TALK: dict[Operation, Good] = {
    ("get", "/api/chat/channels"): Good(),
    ("post", "/api/chat/direct"): Good(body=fixed(username="tara")),
    ("get", f"{CHAT}/messages"): Good(ids=DIRECT, whose=OWNED),
    ("post", f"{CHAT}/messages"): Good(
        201, ids=DIRECT, body=fixed(text="And how are you?", client_id="7"), whose=OWNED
    ),
    ("get", SAID): Good(ids={**DIRECT, "message_id": "secret_words"}, whose=OWNED),
    ("delete", SAID): Good(ids={**HALL, "message_id": "alices_words"}, whose=OWNED),
    ("post", f"{SAID}/report"): Good(
        201, ids={**DIRECT, "message_id": "secret_words"}, body=fixed(reason="spam"), whose=OWNED
    ),
    ("post", f"{CHAT}/moderate"): Good(
        201,
        ids=HALL,
        body=lambda world: {"user_id": str(world.cast.bob.pk), "action": "warn", "reason": "Be kind."},
        sender="moderator",
    ),  # fmt: skip
    ("put", f"{CHAT}/read"): Good(ids=DIRECT, body=fixed(number=1), whose=OWNED),
    ("post", f"{CHAT}/tips"): Good(
        201,
        ids=DIRECT,
        whose=OWNED,
        body=lambda world: {"to_user_id": str(world.cast.bob.pk), "amount_tokens": 5, "client_id": "tip"},
    ),  # fmt: skip
    ("get", "/api/chat/standing"): Good(),
    ("post", "/api/chat/standing/{sanction_id}/appeal"): Good(
        201, ids={"sanction_id": "sanction"}, body=fixed(text="I was kind."), whose=OWNED
    ),
}

CHALLENGES: dict[Operation, Good] = {
    ("get", "/api/pvp/challenges"): Good(),
    ("post", "/api/pvp/challenges"): Good(201, body=fixed(invitee="tara", terms=TERMS), key=True),
    ("get", CHALLENGE): Good(ids=_challenge("received"), whose=OWNED),
    ("put", CHALLENGE): Good(ids=_challenge("received"), body=fixed(version=1, terms=TERMS), whose=OWNED),
    ("post", f"{CHALLENGE}/accept"): Good(ids=_challenge("received"), body=fixed(accept=True, version=1), whose=OWNED),
    ("post", f"{CHALLENGE}/cancel"): Good(ids=_challenge("sent"), body=NOTHING, whose=OWNED),
    ("post", f"{CHALLENGE}/checkout"): Good(201, ids=_challenge("agreed"), body=NOTHING, key=True, whose=OWNED),
    ("post", f"{CHALLENGE}/confirm-payment"): Good(ids=_challenge("agreed"), body=NOTHING, whose=OWNED),
    ("post", f"{CHALLENGE}/rematch"): Good(201, ids=_challenge("done"), body=NOTHING, key=True, whose=OWNED),
}

REQUESTS: dict[Operation, Good] = MARKET_AND_CONTESTS | PEOPLE | TOKENS | BETS | ARENA | TALK | CHALLENGES
