"""Bots that are challenged: they accept, pay and find their contest, through the public API alone."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from competitions.models import Competition
from competitions.services import lifecycle
from competitions.tests.lifecycle.world import make_due
from pvp.models import Challenge
from pvp.tests.scene import TERMS, balance, dare, pay, state
from tradingarena.bots import duels
from tradingarena.bots.client import ApiError
from tradingarena.tests.callers import by_token

pytestmark = pytest.mark.django_db(transaction=True)


class Speaker:
    """A bot's client, without the network between."""

    def __init__(self, user: User) -> None:
        self.api = by_token(user, "read", "trade", "bet")

    def _said(self, answer: Any) -> Any:
        if answer.status_code >= 400:
            raise ApiError(answer.status_code, answer.json()["code"], answer.json()["detail"], 0)
        return answer.json()

    def challenges(self, box: str) -> list[dict[str, Any]]:
        return list(self._said(self.api.get(f"/api/pvp/challenges?box={box}&limit=50"))["results"])

    def contest(self, contest_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._said(self.api.get(f"/api/competitions/{contest_id}"))
        return found

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._said(self.api.post(path, body, format="json", headers={"Idempotency-Key": uuid4().hex}))


def test_a_bot_takes_what_it_can_afford(ann: User, ben: User) -> None:
    fair, dear = dare(ann, ben), dare(ann, ben, replace(TERMS, stake_tokens=201))
    bot = Speaker(ben)
    assert duels.answer(bot) == 3
    assert (state(fair), state(dear)) == ("funding", "declined")
    assert Challenge.objects.get(pk=dear.pk).reason == "I play for at most 200 tokens and 4 hours."
    assert (duels.answer(bot), balance(ben.pk)) == (0, 900)
    pay(ann, fair)
    assert duels.running(bot) == {}
    contest = make_due(Competition.objects.get())
    lifecycle.advance()
    assert list(duels.running(bot)) == [str(contest.pk)]
