"""A country that is blocked for an action is refused it by every door, and by none of the others: REST, page, and the socket in
tradingarena/tests/realtime/test_chat.py."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from betting.tests.stage import set_up
from chat.services import channels
from competitions.tests.factories import make_open_competition
from tokens.models import TokenPackage
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "Not licensed there."
FROM, PACKAGE = {"X-Country": "FR"}, "tokens-1000"


@pytest.fixture
def cast(settings: Any) -> Cast:
    cast = Cast.assemble()
    settings.COUNTRY_SOURCE, settings.TRUSTED_PROXIES = "header:X-Country", 1
    TokenPackage.objects.get_or_create(slug=PACKAGE, defaults={"tokens": 1_000, "price_cents": 1_000})
    return cast


def body_of(action: str, cast: Cast) -> tuple[str, dict[str, Any]]:
    """Give path and body of a request that is only refused because of the country."""
    match action:
        case "purchase":
            return "/api/tokens/checkout", {"package": PACKAGE}
        case "bet":
            market = set_up().market()
            bet = {"id": str(uuid4()), "market_id": str(market.pk), "outcome": "positive", "stake_tokens": 10}
            return "/api/betting/bets", bet
        case "chat":
            return f"/api/chat/{channels.global_channel().pk}/messages", {"text": "hello all", "client_id": "1"}
        case "stake":
            terms = {"stake_tokens": 10, "pairs": ["EUR/USD"], "duration_s": 600}
            return "/api/pvp/challenges", {"invitee": "bob", "terms": terms}
        case _:
            return f"/api/competitions/{make_open_competition().pk}/join", {}


@pytest.mark.parametrize("action", ["purchase", "bet", "chat", "stake", "enter_free"])
def test_a_blocked_country_is_refused_over_rest_with_its_reason(cast: Cast, settings: Any, action: str) -> None:
    path, body = body_of(action, cast)
    settings.COUNTRY_BLOCKS = {action: {"FR": WHY}}
    headers = FROM | {"Idempotency-Key": uuid4().hex}
    refused = by_token(cast.carol).post(path, body, format="json", headers=headers)
    assert WHY in problem_of(refused, 451, "country_refused")["detail"]
    elsewhere = headers | {"X-Country": "DE", "Idempotency-Key": uuid4().hex}
    assert by_token(cast.carol).post(path, body, format="json", headers=elsewhere).status_code != 451


@pytest.mark.parametrize("action", ["purchase", "enter_free"])
def test_a_blocked_country_is_refused_by_the_page_that_says_why(cast: Cast, settings: Any, action: str) -> None:
    settings.COUNTRY_BLOCKS = {action: {"FR": WHY}}
    client = Client()
    client.force_login(cast.carol)
    path = "/wallet/buy" if action == "purchase" else f"/competitions/{make_open_competition().slug}/join"
    data = {"package": PACKAGE, "key": uuid4().hex} if action == "purchase" else {}
    answer = client.post(path, data, headers=FROM)
    assert answer.status_code == 451, (answer.status_code, answer.content[:300])
    assert WHY in answer.content.decode()
