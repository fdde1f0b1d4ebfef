"""What bots say: rarely, over the public API, in the chat of the contest in which they trade."""

import random

import pytest

from accounts.models import User
from accounts.rules import roles
from accounts.services import tokens
from chat.models import Message
from chat.selectors.channels import of_competition
from chat.services import channels
from chat.services.sanctions import sanction_impose
from competitions.tests.bots.arena import StraightClient
from competitions.tests.factories import make_competition, make_entry
from tradingarena.bots import talk
from tradingarena.bots.strategies import Close

pytestmark = pytest.mark.django_db
CLOSE = Close("01890000-0000-7000-8000-000000000000")


def test_a_bot_says_what_it_has_done_and_then_is_quiet(ann: User, mona: User) -> None:
    contest = make_competition()
    channels.competition_channel(contest)
    make_entry(contest, ann)
    secret = tokens.token_create(ann.pk, name="bot", scopes=[roles.READ, roles.TRADE, roles.CHAT], by_operator=True)[1]
    voice, contest_id = talk.Voice(StraightClient("http://arena.test", secret)), str(contest.pk)
    assert voice.say(contest_id, "flat again, waiting", 100.0)
    assert not voice.say(contest_id, "closed it", 101.0)
    assert not voice.say(contest_id, "", 1_000.0)
    assert [line.text for line in Message.objects.all()] == ["flat again, waiting"]
    sanction_impose(mona, ann.pk, "mute", channel_id=of_competition(contest.pk), reason="Noise.", preset="10m")
    assert not voice.say(contest_id, "closed it", 1_000.0)
    assert not voice.say(contest_id, "still here", 1_500.0)  # it does not knock at a closed door again at once
    assert Message.objects.count() == 1


def test_a_bot_speaks_of_few_of_its_deals() -> None:
    dice = random.Random(7)
    said = [line for line in (talk.line_about([CLOSE], dice) for _ in range(1_000)) if line]
    assert 20 <= len(said) <= 120
    assert set(said) <= set(talk._CLOSED)
    assert talk.line_about([], dice) == ""
