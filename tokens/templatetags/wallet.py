"""The wallet on every page: one small query for whoever is signed in. Figures are written by `figures`."""

from typing import Any

from django import template

from tokens.models import Transfer
from tokens.selectors import wallet

register = template.Library()

MINUS = "−"


@register.inclusion_tag("tokens/_balance.html", takes_context=True)
def wallet_balance(context: dict[str, Any]) -> dict[str, Any]:
    """Show the balance of whoever looks at the page, and whether a bonus waits; nothing to strangers."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return {"balance_tokens": None}
    balance_tokens, bonus_waits = wallet.purse_of(user.pk)
    return {"balance_tokens": balance_tokens, "bonus_waits": bonus_waits}


@register.filter
def tokens_signed(amount: int) -> str:
    """Write an amount of tokens with its sign.

    Example:
        >>> tokens_signed(-1500), tokens_signed(20)
        ('−1,500', '+20')
    """
    return f"{MINUS if amount < 0 else '+'}{abs(amount):,}"


@register.filter
def kind_name(kind: str) -> str:
    """Name a kind of transfer for people."""
    label = str(Transfer.Kind(kind).label).partition(":")[0]
    return label[:1].upper() + label[1:]
