"""The bell in every page's header: how much is unread."""

from typing import Any

from django import template

from accounts.selectors.notices import unread_count

register = template.Library()


@register.inclusion_tag("accounts/_bell.html", takes_context=True)
def notice_bell(context: dict[str, Any]) -> dict[str, Any]:
    """Show the bell to whoever is signed in, with one indexed count."""
    user = getattr(context.get("request"), "user", None)
    signed_in = user is not None and user.is_authenticated
    return {"signed_in": signed_in, "unread": unread_count(user.pk) if signed_in and user is not None else 0}
