"""How amounts, prices, returns and times are written in templates: the same figures as static/js/core/format.js.

Nothing is decided here; floats appear for drawing only.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

MINUS = "−"
DASH = "–"
DIGITS = {True: 3, False: 5}  # yen pairs, all others


@register.filter
def money(cents: int | None) -> str:
    """Write cents as dollars with a real minus sign.

    Example:
        >>> money(-123456)
        '−$1,234.56'
    """
    if cents is None or cents == "":
        return DASH
    return f"{MINUS if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


@register.filter
def money_signed(cents: int | None) -> str:
    """Write cents as dollars with a plus sign as well."""
    return f"+{money(cents)}" if cents and cents > 0 else money(cents)


@register.filter
def money_whole(cents: int | None) -> str:
    """Write cents as whole dollars when there are no odd cents."""
    return money(cents) if cents is None or cents % 100 else money(cents)[:-3]


@register.filter
def percent(bps: int | None) -> str:
    """Write basis points as a percentage.

    Example:
        >>> percent(-5)
        '−0.05%'
    """
    if bps is None or bps == "":
        return DASH
    return f"{MINUS if bps < 0 else ''}{abs(bps) // 100:,}.{abs(bps) % 100:02d}%"


@register.filter
def percent_short(bps: int) -> str:
    """Write basis points as a percentage without needless decimals."""
    return f"{Decimal(bps).scaleb(-2).normalize():f}%"


@register.filter
def percent_signed(bps: int | None) -> str:
    """Write basis points as a percentage with a plus sign as well."""
    return f"+{percent(bps)}" if bps and bps > 0 else percent(bps)


@register.filter
def direction(value: int | None) -> str:
    """Name the class that colours a signed value."""
    return "up" if value and value > 0 else "down" if value and value < 0 else "flat"


@register.filter
def lots(units: int) -> str:
    """Write units as lots."""
    exact = Decimal(units) / 100_000
    return f"{exact:,.2f}" if units % 1_000 == 0 else f"{exact.normalize():f}"


@register.filter
def minus(value: int) -> int:
    """Turn a sign around."""
    return -value


@register.filter
def at(mapping: dict[str, object], key: str) -> object:
    """Look a key up in a dict, which templates cannot do when the key is a variable."""
    return mapping.get(key)


@register.filter
def first_of(rows: Sequence[object], count: int) -> Sequence[object]:
    """Keep so many of a list's first, where the number is a variable."""
    return rows[:count]


@register.filter
def big_figure(price: str | None) -> str | SafeString:
    """Write a price with its pips large and its tenth of a pip small.

    Shapes: price as messages carry it, with the pair's digits.
    """
    if not price:
        return DASH
    return format_html(
        '<span class="price"><span>{}</span><b>{}</b><sup>{}</sup></span>', price[:-3], price[-3:-1], price[-1:]
    )


@register.filter
def price_of(price: Decimal | None, pair: str) -> str:
    """Write a stored price with its pair's digits."""
    return DASH if price is None else f"{price:.{DIGITS[pair.endswith('JPY')]}f}"


@register.filter
def spread_pips(quote: dict[str, str]) -> str:
    """Write the spread of a quote in pips: the last digit of a price is a tenth of one."""
    digits = len(quote["bid"].partition(".")[2])
    return f"{(Decimal(quote['ask']) - Decimal(quote['bid'])).scaleb(digits - 1):.1f}"


@register.filter
def when(moment: datetime | str | None, form: str = "full") -> str | SafeString:
    """Write a time as a <time> element in UTC, which the page then shows in the visitor's zone.

    Shapes: aware, or ISO-8601 with Z; form is clock, minute, full, zoned or day, as static/js/core/times.js knows them.
    """
    if not moment:
        return DASH
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    value = value.astimezone(UTC)
    shown = {"clock": f"{value:%H:%M:%S}", "minute": f"{value:%H:%M}", "day": f"{value.day} {value:%b %Y}"}
    text = shown.get(form, f"{value.day} {value:%b, %H:%M} UTC")
    iso = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return format_html(
        '<time datetime="{}" data-form="{}" title="{} UTC">{}</time>', iso, form, f"{value:%Y-%m-%d %H:%M:%S}", text
    )


@register.filter
def iso(moment: datetime) -> str:
    """Write a time as ISO-8601 UTC with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@register.filter
def span(seconds: float) -> str:
    """Write a span of seconds in words for people.

    Example:
        >>> span(5400)
        '1 h 30 min'
    """
    left = int(seconds)
    parts = [(left // 86_400, "d"), (left % 86_400 // 3_600, "h"), (left % 3_600 // 60, "min"), (left % 60, "s")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s"


@register.filter
def held_for(trade: Any) -> str:
    """Write how long a closed trade was held."""
    return span((trade.closed_at - trade.opened_at).total_seconds())


@register.filter
def real_minus(number: str) -> str:
    """Give a number that is a text its real minus sign."""
    return number.replace("-", MINUS)


@register.simple_tag
def sparkline(values: Sequence[int], start: int, label: str = "") -> SafeString:
    """Draw a curve as an inline SVG with the starting level as its dashed base; nothing for fewer than two points."""
    if len(values) < 2:
        return mark_safe("")
    low, high = min([*values, start]), max([*values, start])
    base = _y(start, low, high, 40)
    path = _path(values, low, high, 160, 40)
    return format_html(
        '<svg class="sparkline {}" viewBox="0 0 160 40" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="base" d="M0 {}H160"/><path d="{}"/></svg>',
        direction(values[-1] - start),
        label,
        base,
        path,
    )


@register.simple_tag
def curves(series: Sequence[dict[str, object]], start: int, label: str = "") -> SafeString:
    """Draw several equity curves over the same time in one SVG, with money on the left.

    Shapes: each has `values` in cents, oldest first, all over the same span.
    """
    everything = [value for one in series for value in one["values"]] + [start]  # type: ignore[attr-defined]
    low, high = min(everything), max(everything)
    levels = _levels(low, high)
    low, high = min(low, levels[0]), max(high, levels[-1])
    grid = format_html_join(
        "",
        '<path class="grid" d="M70 {0}H960"/><text x="64" y="{0}" dy="4" text-anchor="end">{1}</text>',
        ((_y(level, low, high, 340, 10), money_whole(level)) for level in levels),
    )
    lines = format_html_join(
        "",
        '<path class="curve-{}" d="{}"/>',
        ((place, _path(one["values"], low, high, 890, 340, 70, 10)) for place, one in enumerate(series)),  # type: ignore[arg-type]
    )
    return format_html(
        '<svg class="curves" viewBox="0 0 970 360" role="img" aria-label="{}">{}<path class="start" d="M70 {}H960"/>{}</svg>',
        label,
        grid,
        _y(start, low, high, 340, 10),
        lines,
    )


def _levels(low: int, high: int) -> list[int]:
    """Choose four to eight round amounts that span low to high. Units: cents."""
    step = next(size * 10**power for power in range(18) for size in (1, 2, 5) if (high - low) <= 5 * size * 10**power)
    return list(range(low // step * step, high + step, step))


def _y(value: int, low: int, high: int, height: int, top: int = 0) -> str:
    return f"{top + height - height * (value - low) / max(1, high - low):.1f}"


def _path(values: Sequence[int], low: int, high: int, width: int, height: int, left: int = 0, top: int = 0) -> str:
    step = width / max(1, len(values) - 1)
    return "M" + "L".join(
        f"{left + place * step:.1f} {_y(value, low, high, height, top)}" for place, value in enumerate(values)
    )
