"""Sanctions hold through every door from their commit on, end by the clock alone, and are never edited."""

import secrets
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from chat.events import PersonSanctioned
from chat.models import Appeal, Case, Channel, Message, Sanction
from chat.selectors import sanctions as holding
from chat.services import cases, channels, posting, queue, tips
from chat.services.cases import CaseClosed, NoSuchDecision
from chat.services.posting import Draft
from chat.services.sanctions import NotYours, ReasonMissing, note_add, sanction_impose
from chat.tests.conftest import settle
from competitions.tests.factories import make_user
from tokens.tests.ledger.book import balance, give
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import DomainError
from tradingarena.tests.racing import race

Say = Callable[..., Message]


def mute(actor: User, user: User, channel: Channel | None = None, preset: str = "1h", action: str = "mute") -> Sanction:
    return sanction_impose(
        actor, user.pk, action, channel_id=channel.pk if channel else None, reason="Calm down.", preset=preset
    )


def refused(code: str, work: Callable[[], object]) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        work()
    assert refusal.value.code == code
    return refusal.value


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["mute", "ban"])
def test_it_holds_in_every_channel_for_messages_replies_and_tips(
    ann: User, ben: User, mona: User, say: Say, hall: Channel, action: str
) -> None:
    give(ben.pk, 100)
    first, talk = say(ann, "hello all"), channels.direct_channel(ann, ben)
    say(ben, "still free")
    mute(mona, ben, action=action)
    code = "chat_muted" if action == "mute" else "chat_banned"
    refusal = refused(code, lambda: say(ben, "one more"))
    for told in ("mona", "Calm down.", "until"):
        assert told in refusal.message
    refused(code, lambda: say(ben, "elsewhere", channel=talk))
    refused(code, lambda: say(ben, "a reply", reply_to_id=first.pk))
    refused(code, lambda: tips.tip(ben, hall.pk, to_user_id=ann.pk, amount_tokens=5, client_id="t"))
    assert balance(ben.pk) == 100
    assert Message.objects.filter(author=ben).count() == 1


@pytest.mark.django_db
def test_it_ends_by_the_clock_and_lifting_is_a_row_of_its_own(
    ann: User, ben: User, mona: User, say: Say, hall: Channel
) -> None:
    ended = Sanction(
        user=ben, action="mute", reason="Short.", actor=mona, until=database_now() - timedelta(milliseconds=1), at=database_now()
    )  # fmt: skip
    ended.save(force_insert=True)
    say(ben, "free again, and no worker runs here")
    held = mute(mona, ben, preset="permanent")
    assert held.until is None
    refused("chat_muted", lambda: say(ben, "not now"))
    mute(mona, ben, hall)  # stacked: in a channel as well
    mute(mona, ben, hall, action="unmute")
    refused("chat_muted", lambda: say(ben, "the other one still holds"))
    mute(mona, ben, action="unmute")
    say(ben, "now")
    assert [row.action for row in holding.record_of(ben)] == ["unmute", "unmute", "mute", "mute", "mute"]
    with pytest.raises(DatabaseError), transaction.atomic():
        Sanction.objects.filter(pk=held.pk).update(reason="Nothing happened.")
    with pytest.raises(DatabaseError), transaction.atomic():
        held.delete()


@pytest.mark.django_db
def test_moderators_see_what_is_there_before_they_add_to_it(ben: User, mona: User, hall: Channel) -> None:
    assert holding.advice(ben) == {"holding": [], "mutes_lately": 0, "suggested": "1h"}
    for _ in range(3):
        mute(mona, ben, hall)
    advice = holding.advice(ben)
    assert (len(advice["holding"]), advice["mutes_lately"], advice["suggested"]) == (3, 3, "24h")
    note_add(mona, ben.pk, "Promised to stop.")
    with pytest.raises(NotYours):
        note_add(ben, mona.pk, "Mean.")
    with pytest.raises(ReasonMissing):
        sanction_impose(mona, ben.pk, "mute", channel_id=None, reason="  ")


@pytest.mark.django_db
def test_nobody_moderates_an_equal(ann: User, mona: User) -> None:
    other = make_user("milo", role="moderator")
    for actor, target in ((mona, other), (ann, mona), (mona, mona)):
        with pytest.raises(NotYours):
            mute(actor, target)


@pytest.mark.django_db
def test_a_report_is_decided_once_with_what_follows(
    ann: User, ben: User, mona: User, say: Say, hall: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(events, "publish", told.append)
    bad = say(ben, "an insult")
    report = queue.message_report(ann, hall.pk, bad.pk, reason="abuse")
    with pytest.raises(NoSuchDecision):
        cases.case_decide(mona, report.case_id, "lift")
    case = cases.case_decide(mona, report.case_id, "mute", reason="Insults.", preset="10m")
    bad.refresh_from_db()
    assert (case.outcome, bad.deleted_by) == ("sanctioned", mona)
    refused("chat_muted", lambda: say(ben, "but"))
    with pytest.raises(CaseClosed):
        cases.case_decide(mona, report.case_id, "dismiss")
    sanction = Sanction.objects.get(user=ben)
    assert (sanction.message_id, sanction.channel_id) == (bad.pk, hall.pk)
    assert any(isinstance(one, PersonSanctioned) and one.sanction_id == sanction.pk for one in told)


@pytest.mark.django_db
def test_a_held_message_is_shown_or_declined(say: Say, mona: User, ann: User, hall: Channel) -> None:
    new = make_user("newbie")
    shown = say(new, "Guaranteed profit daily, contact me on telegram")
    say(ann, "meanwhile")
    cases.case_decide(mona, Case.objects.get(message=shown).pk, "approve")
    shown.refresh_from_db()
    assert (shown.state, shown.seq) == ("shown", 2)
    declined = say(new, "Double your money, whatsapp +49 170 1234567")
    cases.case_decide(mona, Case.objects.get(message=declined).pk, "decline")
    declined.refresh_from_db()
    assert (declined.state, declined.seq) == ("declined", None)


@pytest.mark.django_db
def test_an_appeal_lifts_what_it_is_against(ben: User, mona: User, say: Say, hall: Channel) -> None:
    sanction = mute(mona, ben, hall)
    made = queue.appeal(ben, sanction.pk, "It was a quote.")
    with pytest.raises(queue.AppealedBefore):
        queue.appeal(ben, sanction.pk, "Again.")
    olga = make_user("olga", role="admin")
    assert cases.case_decide(olga, made.case_id, "lift", reason="It was a quote.").outcome == "lifted"
    say(ben, "thank you")
    assert Appeal.objects.get(sanction=sanction).text == "It was a quote."


@pytest.mark.django_db(transaction=True)
def test_no_message_is_accepted_after_a_sanction_has_committed(ben: User, mona: User, hall: Channel) -> None:
    for _ in range(10):
        person = settle(make_user(f"p{secrets.token_hex(5)}"))
        words = iter(("sell it", "buy it", "hold", "wait for the news"))

        def post(author: User = person, left: object = words) -> Message:
            return posting.message_post(author, hall.pk, Draft(next(left), secrets.token_hex(8))).message  # type: ignore[call-overload]

        outcome = race([post, post, lambda who=person: mute(mona, who), post, post])
        sanction = Sanction.objects.get(user=person)
        said = [one for one in outcome if isinstance(one, Message)]
        assert all(message.created_at < sanction.at for message in said)
        assert all(isinstance(one, Message | Sanction | DomainError) for one in outcome), outcome
        assert isinstance(race([post])[0], Exception)


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gaps_and_one_client_id_is_one_message_under_races(ann: User, ben: User, hall: Channel) -> None:
    people = [settle(make_user(f"p{secrets.token_hex(5)}")) for _ in range(10)]
    racers = [
        (lambda who=who, number=number: posting.message_post(who, hall.pk, Draft(f"message {number}", f"{number % 2}")))
        for who in people
        for number in range(4)
    ]
    race(racers)
    numbers = list(Message.objects.order_by("seq").values_list("seq", flat=True))
    assert numbers == list(range(1, 21))
    assert Channel.objects.get(pk=hall.pk).last_seq == 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT (author_id, client_id)) FROM chat_message")
        assert cursor.fetchone() == (20,)


@pytest.mark.django_db(transaction=True)
def test_of_several_moderators_one_decides(ann: User, ben: User, mona: User, hall: Channel) -> None:
    bad = posting.message_post(ben, hall.pk, Draft("an insult", "1")).message
    case_id = queue.message_report(ann, hall.pk, bad.pk, reason="abuse").case_id
    outcome = race([lambda: cases.case_decide(mona, case_id, "delete", reason="Insult.") for _ in range(5)])
    assert sum(isinstance(one, Case) for one in outcome) == 1
    assert all(isinstance(one, Case | CaseClosed) for one in outcome)
