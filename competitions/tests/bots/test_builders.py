"""The client and the bot template of docs/api/python, run as a builder runs them: against a real server, with an engine that decides."""

import importlib
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from accounts.models import User
from accounts.services import bots, tokens
from competitions.models import Fill
from competitions.tests.factories import Desk, make_competition, make_market, make_user
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.described import check
from tradingarena.tests.fresh import fresh_redis
from tradingarena.tests.live import Web, web

__all__ = ["web"]
FILES = Path(__file__).parents[3] / "docs/api/python"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, ModuleType]:
    """The two files, imported as they stand."""
    monkeypatch.syspath_prepend(str(FILES))
    for name in ("arena_client", "bot_template"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    client, template = (importlib.import_module(name) for name in ("arena_client", "bot_template"))
    monkeypatch.setattr(template, "LOOK_EVERY_S", 0.05)
    return client, template


@pytest.fixture
def robot(transactional_db: None) -> tuple[User, str]:
    user = make_user("robot")
    bots.bot_declare(user.pk)
    return user, tokens.token_create(user.pk, name="bot", scopes=["read", "trade"], by_operator=True)[1]


def test_the_template_finds_the_sandbox_enters_it_and_trades(
    files: tuple[ModuleType, ModuleType], robot: tuple[User, str], web: Web
) -> None:
    client, template = files
    fresh_redis()
    make_market()
    make_competition(title="For people")
    sandbox = make_competition(title="Sandbox", bots_only=True, late_join_bps=9_000, pairs=["EUR/USD"])
    arena = client.Arena(web.url, robot[1])
    found: dict[str, Any] = {}
    looking = threading.Thread(target=lambda: found.update(template.run(arena, looks=40)))
    desk, price = Desk(), 108_500
    looking.start()
    while looking.is_alive():
        price += 7
        desk.decide(bid=f"{price / 100_000:.5f}", ask=f"{price / 100_000 + 0.0001:.5f}")
        looking.join(0.05)
    assert found["id"] == str(sandbox.pk)
    filled = Fill.objects.filter(competition=sandbox, entry__user=robot[0])
    assert filled.filter(side="buy").exists(), "prices rose all the time"
    assert [row["username"] for row in arena.board(sandbox.pk)] == ["robot"]
    assert arena.join(sandbox.pk) is None
    assert arena.left > 0
    with pytest.raises(client.Refused) as no:
        arena.order(sandbox.pk, "EUR/USD", "buy", 1)
    assert (no.value.status, bool(no.value.detail)) == (422, True)


@pytest.mark.django_db
def test_people_are_not_let_into_a_contest_for_bots_and_find_it_by_a_filter() -> None:
    fresh_redis()
    ada, made = make_user("ada"), make_competition(title="Sandbox", bots_only=True, late_join_bps=9_000)
    make_competition(title="For people")
    join = f"/api/competitions/{made.pk}/join"
    problem_of(by_token(ada).post(join, {}, format="json", headers={"Idempotency-Key": "a"}), 422, "bots_only")
    listed = by_token(ada).get("/api/competitions?bots_only=true").json()["results"]
    assert [row["title"] for row in listed] == ["Sandbox"]
    assert check(by_token(ada), "post", "/api/me/bot").json()["is_bot"] is True
    operator = make_user("olga", role="admin")
    problem_of(check(by_token(operator), "post", "/api/me/bot"), 422, "staff_are_no_bots")
    answer = by_token(ada).post(join, {}, format="json", headers={"Idempotency-Key": "b"})
    assert answer.status_code in {200, 201}


@pytest.mark.django_db
def test_every_answer_says_how_the_nearest_limit_stands(settings: Any) -> None:
    fresh_redis()
    settings.API_LIMITS = {
        "read": {"account": (10, 60), "address": (1_000, 60)},
        "write": {"account": (600, 60), "address": (6_000, 60)},
    }
    ada = by_token(make_user("ada"))
    for left in (9, 8, 7):
        answer = ada.get("/api/me")
        assert answer["RateLimit-Policy"] == '"read-account";q=10;w=60'
        assert answer["RateLimit"].startswith(f'"read-account";r={left};t=')
    missing = ada.get("/api/competitions/00000000-0000-7000-8000-000000000000")
    assert (missing.status_code, missing["RateLimit"].split(";")[1]) == (404, "r=6")
