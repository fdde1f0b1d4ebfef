"""What the chat tells people, and what blocking means in it."""

from uuid import uuid4

import pytest

from accounts.models import Mail, Notification, User
from accounts.services import social
from accounts.services.social import Blocked
from chat.models import Message
from chat.selectors.panel import panel
from chat.services import channels, notes, posting, sanctions
from chat.services.posting import Draft
from tradingarena.tests.racing import race

pytestmark = pytest.mark.django_db(transaction=True)


def say(author: User, channel_id: object, text: str) -> Message:
    return posting.message_post(author, channel_id, Draft(text=text, client_id=str(uuid4()))).message  # type: ignore[arg-type]


def test_who_is_named_is_told_once_and_blocked_people_name_nobody(ann: User, ben: User) -> None:
    everybody = channels.global_channel()
    said = say(ann, everybody.pk, "Well traded, @ben, in the last hour")
    race([lambda: notes.mentioned(said.pk, ben.pk)] * 4)
    assert [row.text for row in Notification.objects.filter(user=ben)] == [f"ann called you in {everybody.title}."]
    social.block(ben, ann)
    again = say(ann, everybody.pk, "And what do you say to this, @ben")
    assert again.mentions == []
    assert Notification.objects.filter(user=ben).count() == 1
    assert panel(ben, everybody, "")["blocked"] == [str(ann.pk)]
    assert panel(ann, everybody, "")["blocked"] == []


def test_two_of_whom_one_has_blocked_the_other_do_not_talk(ann: User, ben: User) -> None:
    between = channels.direct_channel(ann, ben)
    say(ann, between.pk, "Hello there, how are you?")
    social.block(ben, ann)
    for user in (ann, ben):
        with pytest.raises(Blocked):
            say(user, between.pk, "Can you still hear me, I wonder")
    with pytest.raises(Blocked):
        channels.direct_channel(ann, ben)
    social.unblock(ben, ann)
    say(ann, between.pk, "Now we can talk about it again")


def test_a_sanction_is_told_on_the_site_and_by_mail(ann: User, mona: User) -> None:
    sanctions.sanction_impose(mona, ann.pk, "mute", channel_id=None, reason="Insults.", preset="1h")
    notes.sweep()
    (row,) = Notification.objects.filter(user=ann, kind="sanction")
    assert row.text.startswith("You are muted in every chat. Until ")
    assert row.text.endswith("Reason: Insults.")
    assert Mail.objects.get(user=ann).kind == "sanction"
