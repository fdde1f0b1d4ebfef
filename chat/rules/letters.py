"""Text as it looks: styled, accented, foreign look-alike and invisible characters reduced to plain lower-case letters.

What is then looked for is in `language.py`. Rules: docs/rules/chat.md#language.
"""

import unicodedata
from functools import cache

from confusable_homoglyphs.utils import load

# Letters that are taken for Latin ones in the middle of a Latin word and are missing from, or read otherwise in, Unicode's table.
_ALSO = str.maketrans(
    {
        "а": "a", "в": "b", "с": "c", "ԁ": "d", "е": "e", "ё": "e", "ф": "f", "ғ": "f", "һ": "h", "н": "h", "і": "i", "ї": "i", "ј": "j",
        "к": "k", "ӏ": "l", "м": "m", "п": "n", "о": "o", "р": "p", "ԛ": "q", "г": "r", "я": "r", "ѕ": "s", "т": "t", "и": "u", "ц": "u",
        "ѵ": "v", "ш": "w", "щ": "w", "х": "x", "у": "y", "α": "a", "β": "b", "ϲ": "c", "δ": "d", "ε": "e", "η": "n", "ι": "i", "κ": "k",
        "λ": "l", "μ": "u", "ν": "v", "ο": "o", "ρ": "p", "σ": "s", "ς": "s", "τ": "t", "υ": "u", "χ": "x", "γ": "y", "ω": "w", "ƒ": "f",
        "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ł": "l", "ŧ": "t", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "p", "ɑ": "a", "ɡ": "g",
        "ꜰ": "f", "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ᴊ": "j", "ᴋ": "k", "ʟ": "l", "ᴍ": "m",
        "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ꜱ": "s", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w", "ʏ": "y", "ᴢ": "z",
        "ɐ": "a", "ɔ": "c", "ǝ": "e", "ɟ": "f", "ɓ": "b", "ɥ": "h", "ʞ": "k", "ɯ": "m", "ɹ": "r", "ʇ": "t", "ʌ": "v", "ʍ": "w", "ʎ": "y",
        "¢": "c", "€": "e", "£": "l", "¥": "y", "₦": "n", "₩": "w", "₿": "b", "†": "t",
        "ᑌ": "u", "ᑕ": "c", "ᖴ": "f", "ᔕ": "s", "ᕼ": "h", "ᒪ": "l", "ᗩ": "a", "ᗷ": "b", "ᗪ": "d", "ᗰ": "m", "ᑎ": "n", "ᖇ": "r", "ᐯ": "v",
    }
)  # fmt: skip
_NAMED = ("LATIN CAPITAL LETTER ", "LATIN SMALL LETTER ", "REGIONAL INDICATOR SYMBOL LETTER ")


class _Plain(dict[int, str]):
    """A table for str.translate that works out each character when it is first met."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _plain(chr(code))
        return found


@cache
def _look_alikes() -> dict[str, list[dict[str, str]]]:
    table: dict[str, list[dict[str, str]]] = load("confusables.json")
    return table


def _plain(char: str) -> str:
    if char.isascii():
        return char.lower()
    category = unicodedata.category(char)
    if category in {"Mn", "Me", "Cf"}:
        return ""
    if category[0] == "Z":
        return " "
    parts = [part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in {"Mn", "Me"}]
    return "".join(_one(part) for part in parts)


def _one(char: str) -> str:
    folded = char.casefold()
    if folded.isascii():
        return folded
    known = folded.translate(_ALSO)
    if known.isascii():
        return known
    name = unicodedata.name(char, "")  # squared and circled letters say in their names which letter they are
    for start in _NAMED:
        letter = name.partition(start)[2]
        if len(letter) == 1:
            return letter.lower()
    for entry in _look_alikes().get(char, ()):
        if entry["c"].isascii() and entry["c"].isalnum():
            return entry["c"].lower()
    return folded


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Reduce a text to what it looks like, in lower case.

    Guarantees: what is ASCII stays what it is but for its case; marks and invisible characters vanish.
    Example:
        >>> plain("Ｆｏｏ​ bár 🅵 fоо")
        'foo bar f foo'
    """
    return text.translate(_PLAIN)


def plain_with_places(text: str) -> tuple[str, list[int]]:
    """Do as `plain` does, and tell for each character of the result which one of the text it comes from."""
    pieces = [_PLAIN[ord(char)] for char in text]
    return "".join(pieces), [place for place, piece in enumerate(pieces) for _ in piece]
