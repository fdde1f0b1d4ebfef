"""A demo world: people to sign in as, bots to trade against, contests that run, start soon, and have ended.

Everything goes through the same doors as in production; results of ended contests are the engine's, never made up. Only for
local settings. What bots do is in `bots/`.
"""

import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import User
from accounts.rules import roles
from accounts.selectors import api_tokens
from accounts.services import people, tokens
from competitions.models import Competition
from competitions.services import steps
from competitions.services.drafts import competition_create
from competitions.services.entries import entry_join
from tokens.selectors import wallet
from tokens.services import desk
from tradingarena.bots.hosting import FLOOR, MAJORS, SANDBOX, SERIES, Series, tradable
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError

LOCAL_SETTINGS = {"tradingarena.settings.local", "tradingarena.settings.test"}
BOT_SCOPES = (roles.READ, roles.TRADE, roles.BET, roles.CHAT)
TOKEN_NAME = "demo bots"  # noqa: S105  a label
HOST_NAME, HOST_ADDRESS = "Timekeeper", "timekeeper@demo.local"
PEOPLE = (
    ("operator@demo.local", "Olivia", roles.ADMIN, "IE"),
    ("moderator@demo.local", "Marek", roles.MODERATOR, "PL"),
    ("demo@demo.local", "Dana", roles.USER, "PT"),
)
BOTS = (
    ("Tidewater", "trend", "NO"),
    ("Backbeat", "reversion", "DE"),
    ("Gatecrasher", "breakout", "US"),
    ("Hummingbird", "scalper", "BR"),
    ("Slowburn", "patient", "JP"),
    ("Handrail", "careful", "CH"),
    ("Longshore", "trend", "GB"),
    ("Pendulum", "reversion", "FR"),
    ("Firecracker", "breakout", "ZA"),
    ("Quicksilver", "scalper", "KR"),
    ("Nightjar", "patient", "AU"),
    ("Ballast", "careful", "NL"),
)
# They trade in no contest, so that they may bet on those who do.
BACKERS = (("Longodds", "IT"), ("Sideline", "CA"), ("Totefan", "SE"))
OPENING = "Opening Bell"
FIRST_TOKENS = 1_000


class NotHere(Exception):
    """Raised when a demo world is asked for where real people may be."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What there is now. The password is the same for the three people."""

    password: str
    contests_made: list[str]
    bots: int


def seed(state: Path) -> Seeded:
    """Make the demo world, or complete what of it is missing.

    Shapes: state is the directory of this installation, where the password and the bots' tokens are kept (mode 0600).
    Guarantees: a second time changes nothing but the contests that are over.
    Raises: NotHere: the settings are not those of one's own machine.
    """
    if settings.SETTINGS_MODULE not in LOCAL_SETTINGS:
        raise NotHere("A demo world, with accounts whose password is printed, is only made under the local settings.")
    state.mkdir(parents=True, exist_ok=True)
    password = _password(state / "demo.json")
    for address, name, role, country in PEOPLE:
        _person(address, name, role=role, country=country, password=password)
    bots = _bots(state / "bots.json")
    for user in [*User.objects.filter(email__in=[address for address, *_ in PEOPLE]), *bots]:
        _give_tokens(user)
    return Seeded(password, _contests(bots), len(bots))


def _password(path: Path) -> str:
    """Keep one password for this installation."""
    kept = _read(path)
    if isinstance(kept.get("password"), str):
        return str(kept["password"])
    password = f"arena-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    write_private(path, {"password": password})
    return password


def _person(address: str, name: str, *, role: str = roles.USER, country: str = "", password: str | None = None) -> User:
    user = User.objects.filter(email=address).first()
    if user is None:
        is_bot = password is None
        user = people.person_add(
            address, name, role=role, country=country, password=password, confirmed=True, is_bot=is_bot
        )
    elif password is not None and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


def _give_tokens(user: User) -> None:
    """Let everybody begin with some tokens; who has had any gets no more."""
    if not wallet.statement(user.pk).exists():
        desk.tokens_grant(user.pk, FIRST_TOKENS, reason="Welcome to the demo")


def _bots(path: Path) -> list[User]:
    """See to the bots' accounts and tokens, and to the host's, which makes the contests that follow."""
    kept = _read(path)
    known = {str(row.get("username")): str(row.get("token")) for row in kept.get("bots", []) if isinstance(row, dict)}
    host = _person(HOST_ADDRESS, HOST_NAME, role=roles.ADMIN)
    bots = [_person(f"{name.lower()}@demo.local", name, country=country) for name, _, country in BOTS]
    rows = [
        {"username": bot.username, "strategy": strategy, "token": _token(bot, known.get(name, ""))}
        for bot, (name, strategy, _) in zip(bots, BOTS, strict=True)
    ]
    backers = [_person(f"{name.lower()}@demo.local", name, country=country) for name, country in BACKERS]
    kept_backers = {
        str(row.get("username")): str(row.get("token")) for row in kept.get("backers", []) if isinstance(row, dict)
    }
    found = {
        "host": {"token": _token(host, str(kept.get("host", {}).get("token", "")))},
        "bots": rows,
        "backers": [
            {
                "username": one.username,
                "token": _token(one, kept_backers.get(one.username, ""), (roles.READ, roles.BET)),
            }
            for one in backers
        ],
    }
    for backer in backers:
        _give_tokens(backer)
    if found != kept:
        write_private(path, found)
    return bots


def _token(user: User, known: str, scopes: Sequence[str] = BOT_SCOPES) -> str:
    """Give a valid token: the one that is kept, or a new one in the place of those that are lost."""
    found = tokens.token_recognise(known) if known else None
    if found is not None and found.user_id == user.pk and set(scopes) <= set(found.scopes):
        return known
    for lost in api_tokens(user).filter(name=TOKEN_NAME):
        tokens.token_revoke(user.pk, lost.pk)
    return tokens.token_create(user.pk, name=TOKEN_NAME, scopes=scopes, by_operator=True)[1]


def _contests(bots: list[User]) -> list[str]:
    """Make what is missing: one contest that is over in a few minutes, one that runs, the next of every series."""
    now = database_now()
    live = Competition.objects.filter(status__in=[Competition.Status.OPEN, Competition.Status.RUNNING])
    wanted: list[tuple[dict[str, Any], bool]] = []
    if not Competition.objects.filter(title=OPENING).exclude(status=Competition.Status.CANCELLED).exists():
        wanted.append((_opening(now), True))
    for series in (FLOOR, SANDBOX):
        if not live.filter(title__startswith=series.title, starts_at__lt=now + timedelta(minutes=2)).exists():
            wanted.append((_at_once(series, now), True))
    for series in SERIES:
        body = series.wanted(now, lead=timedelta(minutes=1))
        times = {name: datetime.fromisoformat(body[name]) for name in ("starts_at", "ends_at")}
        if not live.filter(title=body["title"]).exists():
            wanted.append(({**body, **times}, False))
    operator = User.objects.get(email=PEOPLE[0][0])
    return [_contest(operator, terms, bots if peopled else []) for terms, peopled in wanted]


def _opening(now: datetime) -> dict[str, Any]:
    start = now + timedelta(seconds=20)
    return {
        "title": OPENING,
        "description": "Three minutes, so that there are results to look at soon.",
        "pairs": MAJORS,
        "starts_at": start,
        "ends_at": start + timedelta(minutes=3),
        "late_join_bps": 5_000,
        "objection_s": 20,
        "open_now": True,
    }


def _at_once(series: Series, now: datetime) -> dict[str, Any]:
    """Begin a series at once, until a regular contest of it begins that is not about to."""
    start = now + timedelta(seconds=15)
    return {
        "title": f"{series.title} {now:%d %b %H:%M}",
        "description": series.description,
        "starts_at": start,
        "ends_at": series.next_start(start + timedelta(minutes=10)),
        "open_now": True,
        **series.terms,
    }


def _contest(operator: User, terms: dict[str, Any], bots: list[User]) -> str:
    fed = steps.fed_pairs()
    pairs = tradable(terms["pairs"], fed) or tradable(sorted(fed), fed)[:4]
    contest = competition_create(operator, **{**terms, "pairs": pairs})
    for bot in bots:
        try:
            entry_join(bot, contest.pk)
        except DomainError:  # a bot that somebody has banned stays away
            continue
    return contest.title


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_private(path: Path, content: dict[str, Any]) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
    draft.replace(path)
