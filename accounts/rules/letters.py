"""Words with {{ variables }} and nothing else: how they are filled, judged, and made safe as HTML. No database here.

Rules: docs/rules/notices.md#templates.
"""

import html
import re
from collections.abc import Collection, Mapping

VARIABLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_MARKUP = re.compile(r"\{\{|\}\}|\{%|%\}")
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]*://", re.IGNORECASE)
LONGEST_VALUE = 200
LINKS = frozenset({"url", "unsubscribe_url"})  # addresses of this site; no other value becomes a link


def tidy(value: object) -> str:
    """Make a value one short line without control characters or the beginning of an address."""
    words = " ".join(str(value).split())
    plain = "".join(char for char in words if char.isprintable())
    return _SCHEME.sub("", plain)[:LONGEST_VALUE]


def fill(words: str, values: Mapping[str, object]) -> str:
    """Put values into words.

    Guarantees: a value is never read as a variable again; an unknown variable becomes nothing; addresses of this site alone stay
        addresses.
    Example:
        >>> fill("{{ name }} says {{ what }}", {"name": "ann", "what": "{{ name }}"})
        'ann says {{ name }}'
    """

    def put(found: re.Match[str]) -> str:
        name = found[1]
        value = values.get(name, "")
        return str(value) if name in LINKS else tidy(value)

    return VARIABLE.sub(put, words)


def problems(words: str, known: Collection[str]) -> list[str]:
    """Say what is wrong with a template's words: variables that this mail does not have, and anything that looks like logic.

    Example:
        >>> problems("Hello {{ nmae }} {% if x %}", {"name"})
        ['There is no variable nmae here.', 'Braces stand around the names of variables and nowhere else.']
    """
    found = [
        f"There is no variable {name} here." for name in dict.fromkeys(VARIABLE.findall(words)) if name not in known
    ]
    if _MARKUP.search(VARIABLE.sub("", words)):
        found.append("Braces stand around the names of variables and nowhere else.")
    return found


def as_html(words: str, values: Mapping[str, object]) -> str:
    """Fill words and write them as HTML: paragraphs, every value escaped, addresses of this site as links.

    Example:
        >>> as_html("Hi {{ name }}", {"name": "<b>"})
        '<p>Hi &lt;b&gt;</p>'
    """
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", words.strip()):
        pieces, end = [], 0
        for found in VARIABLE.finditer(paragraph):
            pieces.append(html.escape(paragraph[end : found.start()]))
            value = str(values.get(found[1], ""))
            pieces.append(_link(value) if found[1] in LINKS else html.escape(tidy(value)))
            end = found.end()
        pieces.append(html.escape(paragraph[end:]))
        paragraphs.append("<p>" + "".join(pieces).replace("\n", "<br>") + "</p>")
    return "\n".join(paragraphs)


def _link(url: str) -> str:
    safe = html.escape(url)
    return f'<a href="{safe}">{safe}</a>' if re.match(r"https?://", url) else safe
