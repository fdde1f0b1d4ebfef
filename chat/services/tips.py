"""Tips: tokens for somebody in a channel, moved by the ledger and shown as a line, both or neither.

What may be spent is `tokens.services.spending`'s. Rules: docs/rules/chat.md#tips.
"""

from uuid import UUID

from django.db import transaction

from accounts import policy
from accounts.models import User
from accounts.selectors import user_by_id
from chat import broadcast
from chat.events import MessagePosted
from chat.models import Channel, Membership, Message
from chat.rules import pace
from chat.services import telling
from chat.services.posting import MINUTE, ClientIdReused, Flood, Posted, writable
from tokens import ledger
from tokens.ledger import Kind
from tokens.services import spending
from tradingarena.core import events
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound, RuleRefusal
from tradingarena.core.ids import derived_id
from tradingarena.core.locks import queue_for

LARGEST_TOKENS = 1_000_000


class OwnTip(RuleRefusal):
    """Raised when somebody would tip themselves."""

    code, message = "tip_to_oneself", "A tip goes to somebody else."


def tip(
    giver: User, channel_id: UUID, *, to_user_id: UUID, amount_tokens: int, client_id: str, country: str = ""
) -> Posted:
    """Give somebody tokens in a channel, and let the channel see it.

    Units: amount_tokens >= 1.
    Guarantees: the same client_id again moves nothing and gives the same line. A muted or banned person gives no tips. It counts as a
        message against flooding.
    Locks / Effects: the giver's turn in the chat, both wallets, then the channel's row; a transfer whose id follows from the giver and the
        client_id; the room is told on commit.
    Raises: what `posting.writable` and `spending.spend` raise; OwnTip, NotFound, Flood, ClientIdReused.
    """
    with transaction.atomic():
        queue_for("chat", giver.pk)
        rows = Message.objects.filter(author=giver, client_id=client_id).select_related(
            "author", "channel__competition"
        )
        again = rows.first()
        if again is not None:
            if again.data.get("to_user_id") != str(to_user_id) or again.data.get("amount_tokens") != amount_tokens:
                raise ClientIdReused
            return Posted(again, replayed=True)
        channel = writable(giver, channel_id, country)
        receiver = _receiver(giver, channel, to_user_id)
        now = database_now()
        lately = Message.objects.filter(author=giver, created_at__gt=now - MINUTE)
        times = [
            pace.Said("", at)
            for at in lately.order_by("-created_at").values_list("created_at", flat=True)[: pace.STEADY]
        ]
        if wait := pace.flood_wait_s(now, times):
            raise Flood(f"That was a lot at once. You can tip again in {wait} s.", retry_after_s=wait)
        line = Message(
            channel=channel, author=giver, kind=Message.Kind.TIP, client_id=client_id, created_at=now, mentions=[receiver.pk],
            text=f"{amount_tokens:,} tokens for {receiver.username}",
            data={"to_user_id": str(receiver.pk), "to_username": receiver.username, "amount_tokens": amount_tokens},
        )  # fmt: skip
        ledger.lock_wallets([giver.pk, receiver.pk])
        spending.spend(
            giver, amount_tokens, kind=Kind.CHAT_TIP, target=ledger.wallet(receiver.pk), cause=derived_id(giver.pk, f"tip:{client_id}"),
            reason=f"Tip for {receiver.username}", reference=("chat_message", line.pk), action=policy.Action.SPEND, country=country,
        )  # fmt: skip
        telling.write(line)
        telling.tell_on_commit(broadcast.message(line), channel.pk)
        events.publish(MessagePosted(channel.pk, line.pk, giver.pk))
    return Posted(line)


def _receiver(giver: User, channel: Channel, to_user_id: UUID) -> User:
    receiver = user_by_id(to_user_id)
    if receiver.pk == giver.pk:
        raise OwnTip
    private = channel.kind in {Channel.Kind.PVP, Channel.Kind.DIRECT}
    if private and not Membership.objects.filter(channel=channel, user=receiver, party=True).exists():
        raise NotFound("This person is not in this chat.")
    return receiver
