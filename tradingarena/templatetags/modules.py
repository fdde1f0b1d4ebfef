"""Loading a page's module together with all it imports, at once instead of level by level."""

from functools import cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tradingarena.staticfiles import module_closure

register = template.Library()


@register.simple_tag
def module(entry: str) -> SafeString:
    """Write the script element of a page's module, and a preload for each module behind it.

    Shapes: entry is a static name such as `js/pages/trade.js`.
    """
    preloads = format_html_join(
        "", '<link rel="modulepreload" href="{}">', ((static(name),) for name in _behind(entry))
    )
    return format_html('{}<script type="module" src="{}"></script>', preloads, static(entry))


@cache
def _behind(entry: str) -> tuple[str, ...]:
    return tuple(module_closure(entry)[1:])
