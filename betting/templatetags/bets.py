"""How odds, stakes and their history are written in templates: the same figures as static/js/betting/odds.js."""

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from tradingarena.templatetags.figures import DASH, MINUS

register = template.Library()

WIDTH, HEIGHT = 240, 48


@register.filter
def decimal_odds(price_milli: int | None) -> str:
    """Write a price as decimal odds.

    Example:
        >>> decimal_odds(2375), decimal_odds(None)
        ('2.37', '–')
    """
    return DASH if price_milli is None else f"{price_milli // 1_000}.{price_milli % 1_000 // 10:02d}"


@register.filter
def tokens(amount: int | None) -> str:
    """Write an amount of tokens."""
    return DASH if amount is None else f"{amount:,}"


@register.filter
def net(amount: int | None) -> str:
    """Write what was won or lost with its sign."""
    if amount is None:
        return DASH
    return f"{MINUS if amount < 0 else '+' if amount else ''}{abs(amount):,}"


@register.filter
def share(bps: int | None) -> str:
    """Write a share in whole percent."""
    return DASH if bps is None else f"{(bps + 50) // 100}%"


@register.filter
def weight(bps: int) -> str:
    """Write a weight in percent.

    Example:
        >>> weight(9995)
        '99.9%'
    """
    return f"{bps // 100}%" if bps % 100 == 0 else f"{bps // 100}.{bps % 100 // 10}%"


@register.simple_tag
def share_curve(points: Sequence[tuple[int, int]], label: str) -> SafeString:
    """Draw how the upper claim's share moved, with the even share as its dashed base; nothing for fewer than two points."""
    if len(points) < 2:
        return mark_safe("")
    first, last = points[0][0], points[-1][0]
    span = max(1, last - first)
    steps = [f"{(at - first) * WIDTH / span:.1f} {HEIGHT - bps * HEIGHT / 10_000:.1f}" for at, bps in points]
    path = f"M{steps[0]}" + "".join(
        f"H{after.split()[0]}V{after.split()[1]}" for after in steps[1:]
    )  # it jumps with each bet
    return format_html(
        '<svg class="sparkline share-curve" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<path class="base" d="M0 {middle}H{w}"/><path d="{path}"/></svg>',
        w=WIDTH, h=HEIGHT, middle=HEIGHT // 2, label=label, path=path,
    )  # fmt: skip
