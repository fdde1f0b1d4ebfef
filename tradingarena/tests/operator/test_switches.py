"""What operators switch off: each switch tried over its doors, seen by other processes, and said on the pages."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import AuditLog, Halt, User
from accounts.rules.switches import Part
from accounts.selectors import switches
from accounts.services.switches import SwitchedAlready, SwitchesForOperators, SwitchReasonNeeded, switch_off, switch_on
from betting.tests.stage import set_up
from chat.models import Message
from chat.services import channels
from chat.services.posting import Draft, message_post
from chat.services.tips import tip
from competitions.models import Order
from competitions.services.seats import seat_take
from competitions.tests.factories import make_order_body
from competitions.tests.lifecycle.world import contest
from tokens.models import Payment, TokenPackage
from tokens.tests.ledger.book import give
from tradingarena.tests.callers import by_token, problem_of
from tradingarena.tests.cast import Cast
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "We look into something"


@pytest.fixture
def cast() -> Cast:
    return Cast.assemble()


@pytest.fixture
def off(cast: Cast) -> Callable[[Part], None]:
    """Switch something off as an operator does."""
    return lambda part: switch_off(cast.operator, part, WHY) and None


def test_trading_takes_and_changes_no_orders_and_lets_people_out(cast: Cast, off: Callable[[Part], None]) -> None:
    client = by_token(cast.alice)
    body = make_order_body(type="limit", price="1.00000")
    assert client.post(cast.path("/orders"), body, format="json").status_code == 201
    off(Part.TRADING)
    told = problem_of(client.post(cast.path("/orders"), make_order_body(), format="json"), 409, "trading_off")
    assert told["detail"] == f"Trading is switched off: {WHY}"
    one = cast.path(f"/orders/{body['id']}")
    problem_of(client.patch(one, {"price": "1.00100"}, format="json"), 409, "trading_off")
    assert (
        client.post(cast.path("/orders"), body, format="json").status_code == 201
    )  # what was accepted is still answered
    assert client.delete(one).status_code in {200, 202}
    assert Order.objects.count() == 1
    switch_on(cast.operator, Part.TRADING, "It was nothing")
    assert client.post(cast.path("/orders"), make_order_body(), format="json").status_code == 201


def test_betting_takes_no_bets(off: Callable[[Part], None]) -> None:
    stage = set_up()
    client = by_token(stage.bettors["ben"])
    body = {"id": str(uuid4()), "market_id": str(stage.market().pk), "outcome": "positive", "stake_tokens": 100}
    off(Part.BETTING)
    problem_of(client.post("/api/betting/bets", body, format="json"), 409, "betting_off")
    seen = client.get(f"/api/betting/markets/{stage.contest.pk}").json()
    assert {"code": "betting_off", "detail": f"Betting is switched off: {WHY}"} in seen["reasons"]
    switch_on(stage.operator, Part.BETTING, "Over")
    assert client.post("/api/betting/bets", body, format="json").status_code == 201


def test_no_payment_begins_for_tokens_or_for_a_seat(cast: Cast, off: Callable[[Part], None]) -> None:
    values = {"tokens": 1_000, "bonus_tokens": 0, "price_cents": 1_000, "active": True}
    TokenPackage.objects.update_or_create(slug="tokens-1000", defaults=values)
    cup = contest(buy_in_cents=1_000, rake_bps=0, prize_split_bps=[10_000], min_entries=2)
    off(Part.PURCHASES)
    with override_settings(STRIPE_SECRET_KEY="sk_test_switches"):
        answer = by_token(cast.carol).post(
            "/api/tokens/checkout", {"package": "tokens-1000"}, format="json", HTTP_IDEMPOTENCY_KEY=uuid4().hex
        )
        problem_of(answer, 409, "purchases_off")
        with pytest.raises(switches.PurchasesOff):
            seat_take(cast.carol, cup.pk, key=uuid4().hex, site_url="http://testserver")
        client = Client()
        client.force_login(cast.carol)
        page = client.get(reverse("tokens:buy")).content.decode()
    assert f"Card payments are switched off: {WHY}" in page
    assert 'type="submit" disabled' in page
    assert not Payment.objects.exists()


def test_nothing_is_said_in_the_chat_by_people(cast: Cast, off: Callable[[Part], None]) -> None:
    hall = channels.global_channel()
    path = f"/api/chat/{hall.pk}/messages"
    off(Part.CHAT)
    client = by_token(cast.alice)
    problem_of(client.post(path, {"text": "hello", "client_id": "one"}, format="json"), 409, "chat_off")
    assert client.get(path).status_code == 200
    give(cast.alice.pk, 100)
    with pytest.raises(switches.ChatOff):
        tip(cast.alice, hall.pk, to_user_id=cast.bob.pk, amount_tokens=5, client_id="two")
    with pytest.raises(switches.ChatOff):
        message_post(cast.alice, hall.pk, Draft("hello", "three"))  # the door that sockets come through, too
    assert not Message.objects.filter(author=cast.alice).exists()


def test_nobody_signs_up_on_the_page_or_as_json_and_people_sign_in(cast: Cast, off: Callable[[Part], None]) -> None:
    off(Part.SIGN_UP)
    wish = {
        "email": "new@example.com", "username": "newcomer", "password": "correct horse battery 9",
        "password1": "correct horse battery 9", "password2": "correct horse battery 9", "of_age": True, "terms": True,
    }  # fmt: skip
    client = Client()
    for answer in (client.get(reverse("account_signup")), client.post(reverse("account_signup"), wish)):
        assert f"Sign-up is switched off: {WHY}" in answer.content.decode()
    json = client.post("/_allauth/browser/v1/auth/signup", wish, content_type="application/json")
    assert json.status_code == 403
    assert not User.objects.filter(username="newcomer").exists()
    assert client.get(reverse("account_login")).status_code == 200


def test_only_operators_switch_and_they_say_why(cast: Cast) -> None:
    for person in (cast.alice, cast.moderator):
        with pytest.raises(SwitchesForOperators):
            switch_off(person, Part.CHAT, WHY)
    with pytest.raises(SwitchReasonNeeded):
        switch_off(cast.operator, Part.CHAT, "  ")
    with pytest.raises(SwitchedAlready):
        switch_on(cast.operator, Part.CHAT, WHY)
    client = Client()
    client.force_login(cast.operator)
    client.post("/admin/accounts/halt/add/", {"part": "chat", "reason": WHY})
    halt = Halt.objects.get(ended_at=None)
    assert (halt.part, halt.reason, halt.began_by) == ("chat", WHY, cast.operator)
    fields = {"action": "switch_on", "_selected_action": str(halt.pk), "reason": "Quiet again"}
    client.post("/admin/accounts/halt/", fields)
    assert switches.switched_off() == {}
    rows = AuditLog.objects.filter(object_type="accounts.switch").order_by("id")
    assert [(row.action, row.object_id, row.reason) for row in rows] == [
        ("switch.off", "chat", WHY), ("switch.on", "chat", "Quiet again"),
    ]  # fmt: skip


def test_of_many_who_switch_one_does(cast: Cast) -> None:
    done = race([lambda: switch_off(cast.operator, Part.BETTING, WHY)] * 8)
    assert sum(isinstance(one, Halt) for one in done) == 1
    done = race([lambda: switch_on(cast.operator, Part.BETTING, WHY)] * 8)
    assert sum(isinstance(one, Halt) for one in done) == 1
    assert Halt.objects.count() == 1


def test_another_process_sees_it_when_its_two_seconds_are_over(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    assert switches.switched_off() == {}
    Halt.objects.create(part="chat", reason=WHY, began_by=cast.operator)  # as if another process had
    assert switches.switched_off() == {}
    later = time.monotonic() + switches.HELD_S
    monkeypatch.setattr(switches.time, "monotonic", lambda: later)
    assert switches.switched_off() == {Part.CHAT: WHY}
