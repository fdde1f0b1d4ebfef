"""The one door through which anybody says anything: pages, REST and sockets all come here.

It judges everything under the author's turn, with the database's clock: a sanction holds from its commit on, whatever was open before.
Rules: docs/rules/chat.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts import policy
from accounts.models import User
from accounts.selectors.social import is_blocked
from accounts.services import social
from chat import broadcast
from chat.events import MessagePosted, PersonMentioned
from chat.models import Channel, Membership, Message, Refusal, Sanction
from chat.rules import language, pace, text
from chat.rules.language import Severity
from chat.selectors import history, sanctions
from chat.selectors.access import channel_for, moderates
from chat.services import queue, telling
from chat.services.sanctions import mute_automatically
from tradingarena.core import events
from tradingarena.core.errors import Conflict, DomainError, NotFound, RuleRefusal, TooFast
from tradingarena.core.locks import queue_for

MINUTE = timedelta(minutes=1)


class TextRefused(RuleRefusal):
    """Raised when a text is empty or too long."""

    code, message = "chat_text", f"A message has 1 to {text.LONGEST} characters."


class Flood(TooFast):
    """Raised when somebody writes too much at once."""

    code = "chat_flood"


class Repeated(TooFast):
    """Raised when somebody says the same again."""

    code = "chat_duplicate"


class LanguageRefused(RuleRefusal):
    """Raised when a message contains a word that is not said here."""

    code, message = (
        "chat_language",
        "This contains words that are not said here. Put it differently; nothing has to be waited for.",
    )


class LinkRefused(RuleRefusal):
    """Raised when somebody new here posts a link."""

    code, message = "chat_link", "Links are for accounts older than 24 hours with a confirmed e-mail address."


class TooManyMentions(RuleRefusal):
    """Raised when a message calls too many people."""

    code, message = "chat_mentions", f"A message mentions at most {text.MOST_MENTIONS} people."


class ClientIdReused(Conflict):
    """Raised when the sender's id of a message comes again with another text or in another place."""

    code, message = "client_id_reused", "This client_id was used for another message."


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody would say. Shapes: client_id is the sender's own, 1 to 64 characters; sent again, it is the same message."""

    text: str
    client_id: str
    reply_to_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of it: the message, and whether it had been said before. A held message waits for a moderator."""

    message: Message
    replayed: bool = False


def message_post(author: User, channel_id: UUID, draft: Draft, *, country: str = "") -> Posted:
    """Say something in a channel.

    Guarantees: the same client_id again is the same message. Every refusal names its rule and, where there is one, the wait; three refusals
        of one's manners within a minute mute for five minutes. Nothing is dropped in silence.
    Locks / Effects: the author's turn in the chat, then the channel's row; a numbered message; the room is told on commit; MessagePosted,
        PersonMentioned; a refusal is stored, and commits.
    Raises: NotFound, NotSignedIn; Banned, Silenced; Archived; TextRefused, Flood, Repeated, LanguageRefused, LinkRefused, TooManyMentions;
        ClientIdReused; what `policy.require` raises for CHAT.
    """
    said = text.tidy(draft.text)
    refusal: DomainError | None = None
    with transaction.atomic():
        queue_for("chat", author.pk)
        now, said_before, lately = history.lately(author.pk, draft.client_id)
        if said_before:
            return _replayed(author, channel_id, said, draft)
        channel = writable(author, channel_id, country)
        if not text.says_something(said) or len(said) > text.LONGEST:
            raise TextRefused
        answered = _answered(channel, draft.reply_to_id)
        verdict = language.judge(said)
        refusal = _manners(author, channel, said, verdict, now, lately)
        if refusal is None:
            return Posted(_write(author, channel, draft, verdict, said, answered, now))
        refusal = _note_refusal(author, channel, refusal, now)
    raise refusal


def writable(author: User, channel_id: UUID, country: str) -> Channel:
    """Find a channel in which somebody may write now.

    Raises: what keeps them from it.
    """
    channel = channel_for(author, channel_id)
    policy.require(author, policy.Action.CHAT, country)
    if sanctions.any_against(author.pk, channel.pk):
        raise sanctions.refusal(sanctions.against(author.pk, channel.pk)) or sanctions.Silenced()
    if channel.archived_at is not None:
        raise telling.Archived
    if channel.kind == Channel.Kind.DIRECT:
        for other in Membership.objects.filter(channel=channel, party=True).exclude(user=author):
            social.require_unblocked(author.pk, other.user_id)
    return channel


def _replayed(author: User, channel_id: UUID, said: str, draft: Draft) -> Posted:
    rows = Message.objects.select_related("author", "channel__competition")
    again = rows.get(author=author, client_id=draft.client_id)
    same_text = said in (again.text, again.original) or again.deleted_at is not None
    if again.channel_id != channel_id or again.reply_to_id != draft.reply_to_id or not same_text:
        raise ClientIdReused
    return Posted(again, replayed=True)


def _answered(channel: Channel, reply_to_id: UUID | None) -> Message | None:
    if reply_to_id is None:
        return None
    found = (
        Message.objects.select_related("author")
        .filter(pk=reply_to_id, channel=channel, state=Message.State.SHOWN)
        .first()
    )
    if found is None:
        raise NotFound("What you answer is not in this chat.", code="reply_not_found")
    return found


def _manners(
    author: User, channel: Channel, said: str, verdict: language.Verdict, now: datetime, lately: Sequence[pace.Said]
) -> DomainError | None:
    """Find the rule that a text breaks; moderators of the channel are held to none of pace."""
    if not moderates(author, channel):
        if wait := pace.flood_wait_s(now, lately):
            return Flood(f"That was a lot at once. You can write again in {wait} s.", retry_after_s=wait)
        if wait := pace.repeat_wait_s(now, said, lately):
            return Repeated(f"You have just said this. Say something else, or wait {wait} s.", retry_after_s=wait)
    if verdict.severity == Severity.BLOCK:
        return LanguageRefused()
    if len(text.mentioned(said)) > text.MOST_MENTIONS:
        return TooManyMentions()
    if text.has_link(said) and now - author.date_joined < text.LINKS_FROM:
        return LinkRefused()
    return None


def _note_refusal(author: User, channel: Channel, refusal: DomainError, now: datetime) -> DomainError:
    """Store a refusal; one too many mutes its author, which is what they are then told."""
    Refusal.objects.create(user=author, channel=channel, rule=refusal.code.removeprefix("chat_")[:20])
    since_mute = (
        Sanction.objects.filter(user=author, actor=None, at__gt=now - MINUTE)
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    recent = Refusal.objects.filter(user=author, at__gt=max(filter(None, (now - MINUTE, since_mute))))
    if not pace.mutes_itself(now, list(recent.values_list("at", flat=True))):
        return refusal
    muted = mute_automatically(author, now + pace.AUTOMATIC_MUTE, f"{pace.REFUSALS} refused messages within a minute.")
    told = sanctions.refusal([muted])
    assert told is not None
    return told


def _write(
    author: User,
    channel: Channel,
    draft: Draft,
    verdict: language.Verdict,
    said: str,
    answered: Message | None,
    now: datetime,
) -> Message:
    masked = verdict.severity == Severity.MASK
    message = Message(
        channel=channel,
        author=author,
        text=verdict.masked if masked else said,
        original=said if masked else "",
        reply_to=answered,
        client_id=draft.client_id,
        created_at=now,
    )
    people = _called(author, said, answered)
    message.mentions = [person.pk for person in people]
    if _held(author, channel, said, now):
        message.state = Message.State.HELD
        message.save(force_insert=True)
        queue.case_open(
            "review", f"review:{message.pk}", message=message, summary="Looks like advertising by somebody new here."
        )
        return message
    show(message)
    if verdict.severity == Severity.FLAG:
        queue.case_open(
            "report", f"report:{message.pk}", message=message, summary="Contains a word that is often meant badly."
        )
    return message


def show(message: Message) -> None:
    """Give a new or approved message its place, store it, and tell everybody.

    Locks / Effects: in the caller's transaction: the channel's row; the room is told on commit; events.
    """
    message.state = Message.State.SHOWN
    if message._state.adding:
        telling.write(message)
    else:
        message.seq = telling.next_number(message.channel_id)
        message.save(update_fields=["seq", "state"])
    telling.tell_on_commit(broadcast.message(message), message.channel_id)
    events.publish(MessagePosted(message.channel_id, message.pk, message.author_id))
    for user_id in message.mentions:
        assert message.author_id is not None
        events.publish(PersonMentioned(message.channel_id, message.pk, message.author_id, user_id))


def _held(author: User, channel: Channel, said: str, now: datetime) -> bool:
    if moderates(author, channel) or channel.kind == Channel.Kind.PVP or now - author.date_joined >= 30 * text.NEWCOMER:
        return False
    written = Message.objects.filter(author=author, state=Message.State.SHOWN)[: text.TRUSTED_AFTER].count()
    newcomer = text.Newcomer(now - author.date_joined, written)
    return text.spam_score(said, newcomer) >= text.HELD_FROM


def _called(author: User, said: str, answered: Message | None) -> list[User]:
    """Find who is named in a text, and who is answered."""
    names = text.mentioned(said)
    people = list(User.objects.filter(username__lower__in=names)) if names else []
    if answered is not None and answered.author is not None and answered.author not in people:
        people.append(answered.author)
    unheard = {person.pk for person in people if is_blocked(author.pk, person.pk)}
    return [person for person in people if person.pk != author.pk and person.pk not in unheard]
