"""Saying something through the one door: what is stored, in which order, and every refusal with its rule and its wait."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Block, User
from accounts.services.social import Blocked
from chat.events import PersonMentioned
from chat.models import Case, Channel, Message, Refusal, Sanction
from chat.receivers import say_ended
from chat.rules import pace
from chat.selectors import history
from chat.services import channels, lines
from chat.services.posting import (
    ClientIdReused,
    Flood,
    LanguageRefused,
    LinkRefused,
    Repeated,
    TextRefused,
    TooManyMentions,
)
from chat.services.sanctions import message_delete
from chat.tests.conftest import pause
from competitions.events import CompetitionEnded
from competitions.models import Competition
from competitions.tests.factories import make_competition, make_entry, make_open_competition, make_user
from tradingarena.core import events
from tradingarena.core.errors import DomainError, NotFound

Say = Callable[..., Message]
pytestmark = pytest.mark.django_db


def test_messages_are_numbered_in_the_order_in_which_they_were_said(
    ann: User, ben: User, say: Say, hall: Channel
) -> None:
    said = [say(ann, "good morning"), say(ben, "morning ann"), say(ann, "what a day")]
    assert [one.seq for one in said] == [1, 2, 3]
    assert [one.text for one in history.lines(hall).order_by("seq")] == ["good morning", "morning ann", "what a day"]


def test_the_same_client_id_is_the_same_message(ann: User, say: Say, hall: Channel) -> None:
    first = say(ann, "hello", client_id="1")
    assert say(ann, "hello", client_id="1").pk == first.pk
    assert Message.objects.count() == 1
    with pytest.raises(ClientIdReused):
        say(ann, "something else", client_id="1")


def test_a_sixth_message_in_ten_seconds_waits_over_all_channels(ann: User, ben: User, say: Say, hall: Channel) -> None:
    talk = channels.direct_channel(ann, ben)
    for number, place in enumerate([hall, talk, hall, talk, hall]):
        say(ann, f"{number} {number * 'x'} words", channel=place)
    with pytest.raises(Flood) as refusal:
        say(ann, "and one more", channel=talk)
    assert 1 <= refusal.value.retry_after_s <= pace.BURST_S
    assert str(refusal.value.retry_after_s) in refusal.value.message
    say(ben, "others are free")


def test_what_was_just_said_is_not_said_again(ann: User, say: Say) -> None:
    say(ann, "sell the rally now")
    with pytest.raises(Repeated) as refusal:
        say(ann, "SELL the rally  now!")
    assert refusal.value.retry_after_s <= pace.SAME_S
    pause(ann)
    say(ann, "sell the rally now")


def test_words_are_refused_masked_or_put_before_a_moderator(ann: User, say: Say) -> None:
    with pytest.raises(LanguageRefused):
        say(ann, "you n1gg3r")
    masked = say(ann, "what a sh1t fill")
    assert (masked.text, masked.original) == ("what a s*** fill", "what a sh1t fill")
    flagged = say(ann, "he shouted heil at the screen")
    assert Case.objects.get(message=flagged).kind == "report"


@pytest.mark.parametrize(("said", "error"), [("", TextRefused), (" \u200b ", TextRefused), ("x" * 301, TextRefused)])
def test_a_text_has_one_to_three_hundred_characters(ann: User, say: Say, said: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        say(ann, said)
    assert not Refusal.objects.exists()  # a slip is nobody's bad manners


def test_links_are_for_those_who_have_been_here_for_a_day(ann: User, say: Say) -> None:
    ann.date_joined = timezone.now() - timedelta(hours=23)
    with pytest.raises(LinkRefused):
        say(ann, "look at example.com")
    ann.date_joined = timezone.now() - timedelta(hours=25)
    say(ann, "look at example.com")


def test_five_people_may_be_mentioned_and_each_is_told(
    ann: User, ben: User, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(events, "publish", told.append)
    message = say(ann, "hello @Ben and @nobody")
    assert PersonMentioned(message.channel_id, message.pk, ann.pk, ben.pk) in told
    assert message.mentions == [ben.pk]
    with pytest.raises(TooManyMentions):
        say(ann, "@a11 @a22 @a33 @a44 @a55 @a66 look")


def test_three_refusals_in_a_minute_mute_for_five_minutes(ann: User, say: Say) -> None:
    for word in ("kys", "kys again"):
        with pytest.raises(LanguageRefused):
            say(ann, word)
    with pytest.raises(DomainError) as refusal:
        say(ann, "k y s")
    assert refusal.value.code == "chat_muted"
    mute = Sanction.objects.get(user=ann)
    assert (mute.actor, mute.channel) == (None, None)
    assert mute.until is not None
    assert mute.until - mute.at <= pace.AUTOMATIC_MUTE
    with pytest.raises(DomainError) as refusal:
        say(ann, "sorry")
    assert refusal.value.code == "chat_muted"
    assert refusal.value.data["sanction_id"] == str(mute.pk)


def test_a_newcomers_advertisement_waits_for_a_moderator_and_is_nowhere(say: Say, hall: Channel, ben: User) -> None:
    new = make_user("newbie")
    held = say(new, "Guaranteed profit daily, contact me on telegram")
    assert (held.state, held.seq) == ("held", None)
    assert not history.lines(hall).filter(pk=held.pk).exists()
    assert Case.objects.get(message=held).kind == "review"
    assert say(ben, "first").seq == 1


def test_a_reply_answers_something_of_the_same_channel(ann: User, ben: User, say: Say) -> None:
    first = say(ann, "who sells here?")
    answer = say(ben, "me", reply_to_id=first.pk)
    assert answer.reply_to_id == first.pk
    assert answer.mentions == [ann.pk]
    with pytest.raises(NotFound):
        say(ben, "elsewhere", channel=channels.direct_channel(ann, ben), reply_to_id=first.pk)


def test_a_deleted_message_is_a_tombstone_with_a_number_of_its_own(
    ann: User, ben: User, mona: User, say: Say, hall: Channel
) -> None:
    message = say(ann, "my secret")
    with pytest.raises(DomainError) as refusal:
        message_delete(ben, hall.pk, message.pk)
    assert refusal.value.code == "not_your_chat"
    gone = message_delete(mona, hall.pk, message.pk, reason="private data")
    assert (gone.seq, gone.deleted_seq, gone.deleted_by) == (1, 2, mona)
    assert message_delete(ann, hall.pk, message.pk).deleted_seq == 2
    assert say(ben, "next").seq == 3


def test_a_contests_chat_opens_with_it_and_closes_after(ann: User, ben: User, say: Say) -> None:
    contest = make_open_competition(kind=Competition.Kind.PRIVATE)
    channel = channels.competition_channel(contest)
    make_entry(contest, ann)
    say(ann, "hello rivals", channel=channel)
    with pytest.raises(DomainError) as refusal:
        say(ben, "let me in", channel=channel)
    assert refusal.value.code == "invitation_needed"
    Competition.objects.filter(pk=contest.pk).update(status="completed")
    assert channels.tend()["archived"] == 1
    with pytest.raises(DomainError) as refusal:
        say(ann, "too late", channel=channel)
    assert refusal.value.code == "channel_archived"


def test_channels_that_no_event_opened_are_found(db: None) -> None:
    contest = make_competition()
    assert channels.tend()["opened"] == 1
    assert Channel.objects.filter(competition=contest).exists()
    assert channels.tend() == {"opened": 0, "archived": 0}


def test_what_two_say_to_each_other_is_nobody_elses(ann: User, ben: User, mona: User, say: Say) -> None:
    talk = channels.direct_channel(ann, ben)
    assert channels.direct_channel(ben, ann).pk == talk.pk
    say(ann, "psst", channel=talk)
    with pytest.raises(NotFound):
        say(mona, "I am here too", channel=talk)
    with pytest.raises(channels.NotOneself):
        channels.direct_channel(ann, ann)


def test_who_is_blocked_says_nothing_to_the_one_who_blocked(ann: User, ben: User, say: Say) -> None:
    talk = channels.direct_channel(ann, ben)
    say(ben, "hello", channel=talk)
    Block.objects.create(blocker=ann, blocked=ben)
    for attempt in (lambda: say(ben, "why?", channel=talk), lambda: channels.direct_channel(ben, ann)):
        with pytest.raises(Blocked):
            attempt()
    assert say(ben, "hello @ann, over here").mentions == []


def test_the_arena_says_a_fact_once(hall: Channel) -> None:
    first = lines.announce(hall.pk, "started", "It begins.", {"fact": "started"})
    again = lines.announce(hall.pk, "started", "It begins.", {"fact": "started"})
    assert first == again
    assert Message.objects.count() == 1


def test_who_may_not_sign_in_or_has_no_confirmed_address_says_nothing(say: Say) -> None:
    with pytest.raises(DomainError) as refusal:
        say(make_user("cora", confirmed=False), "hello")
    assert refusal.value.code == "email_unconfirmed"
    assert not Message.objects.exists()


def test_the_end_of_a_contest_names_who_came_first(ann: User) -> None:
    contest = make_competition(status="settling")
    make_entry(contest, ann, rank=1)
    channels.competition_channel(contest)
    event = CompetitionEnded(contest.pk, contest.ends_at)
    say_ended(event)
    say_ended(event)
    assert [line.text for line in Message.objects.filter(kind="system")] == [
        "The contest is over. First: ann. Results are final when the time for objections has passed."
    ]
