"""Where what the chat has caused is to be found, for other apps' pages. Rules: docs/rules/tokens.md#statement."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Message
from tokens.selectors.references import Link


def tips(message_ids: Collection[str]) -> Mapping[str, Link]:
    """Say where tips were given: id of the tip's line -> its channel."""
    rows = Message.objects.filter(pk__in=[UUID(pk) for pk in message_ids]).select_related("channel")
    page = reverse("chat:page")
    return {
        str(row.pk): Link(_("Tip in %(channel)s") % {"channel": row.channel.title}, f"{page}?channel={row.channel_id}")
        for row in rows
    }
