"""Words that are refused, masked or flagged, found behind spacing, look-alikes, digits for letters, stars and repetition.

Which words there are is in `words.py`, what characters look like in `letters.py`. Rules: docs/rules/chat.md#language.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache

from chat.rules.letters import plain, plain_with_places
from chat.rules.words import BLOCK, FLAG_WHOLE, HARMLESS, MASK, MASK_WHOLE

KNOWN_WORDS = 20_000

_LEET = str.maketrans("0134578@$!|+(9", "oieastbasiitcg")
_GAP = r"[\W_]{0,3}"
_ON_THEIR_OWN = frozenset({"it", "who", "re", "as", "hole", "head", "ass", "hit", "lut", "bit", "dick"})
_STARS = "*#%&^~.-"
# spellings of a letter that are more than another character
_SPELLED = {
    "f": "(?:f+|ph)",
    "k": "(?:k+|c+k+)",
    "w": "(?:w+|vv)",
    "u": "(?:[uv]+)",
    "i": "[il]+",
    "s": "[sz]+",
    "c": "[ck]+",
    "l": "[il]+",
}
# the same where letters stand apart and were not read one word at a time
_APART = _SPELLED | {
    "a": "[a4@]+",
    "e": "[e3]+",
    "i": "[il1!|]+",
    "l": "[il1|]+",
    "o": "[o0]+",
    "s": "[sz5$]+",
    "t": "[t7+]+",
}
_SUFFIX = r"(?:s|es|z|ed|er|ers|ing|in|y|head|heads)?"


class Severity(IntEnum):
    """How bad the worst word of a text is."""

    CLEAN = 0
    FLAG = 1
    MASK = 2
    BLOCK = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. Shapes: masked is the text as others may read it, the text itself unless severity is MASK."""

    severity: Severity
    masked: str


def judge(text: str) -> Verdict:
    """Find the worst word of a text, and put stars over those that are masked.

    Formula: characters become what they look like; harmless words that contain a listed one are set aside; then whole words are compared
        with digits and signs read as letters and repeated letters as one, and words spelt with gaps or stars between their letters are
        looked for. Source: docs/rules/chat.md#language.
    Guarantees: pure; a text without findings is given back as it is.
    """
    looks = plain(text)
    if not any(True for _ in _findings(looks)):
        return Verdict(Severity.CLEAN, text)
    worst = max((severity for severity, _ in _findings(_set_aside(looks))), default=Severity.CLEAN)
    if worst != Severity.MASK:
        return Verdict(worst, text)
    return Verdict(worst, _masked(text))


def _set_aside(looks: str) -> str:
    return _harmless().sub(lambda found: " " * len(found[0]), looks)


def _findings(looks: str) -> Iterable[tuple[Severity, tuple[int, int]]]:
    """Give each finding with where it is in the plain text."""
    for token in _TOKEN.finditer(looks):
        severity = _of_word(token[0])
        if severity:
            yield severity, token.span()
    for severity, pattern in _gapped():
        for found in pattern.finditer(looks):
            if _is_spelt_apart(found[0]):
                yield severity, found.span()


def _is_spelt_apart(found: str) -> bool:
    """Tell a word spelt with gaps from words that merely stand side by side."""
    if found.isalpha() or re.search(r"[,;:?!] ", found):
        return False
    return not any(piece in _ON_THEIR_OWN for piece in found.split())


@lru_cache(maxsize=KNOWN_WORDS)
def _of_word(word: str) -> Severity:
    """Judge one word, as written and with its digits and signs read as letters."""
    forms = {word.strip(".,:;?\"'()[]{}<>-–—!*_~#&/\\")}
    if not word.isalpha() and any(char.isalpha() for char in word):
        read = word.strip(".,:;?\"'[]{}<>-*_~#&").translate(_LEET)
        forms |= {read, read.rstrip("i"), word.replace("1", "l").replace("|", "l").translate(_LEET)}
        forms |= {re.sub(r"[^a-z]", "", form) for form in list(forms)}
    found = Severity.CLEAN
    for form in forms:
        for severity, pattern in _whole():
            if severity > found and pattern.fullmatch(form):
                found = severity
        parts = re.split(r"[^a-z]+", form)
        for part in parts if len(parts) > 1 else ():
            found = max(found, *(severity for severity, one in _whole() if one.fullmatch(part)), Severity.CLEAN)
    return found


def _masked(text: str) -> str:
    looks, places = plain_with_places(text)
    chars = list(text)
    for severity, (start, end) in _findings(_set_aside(looks)):
        if severity < Severity.MASK:
            continue
        first = places[start]
        for place in range(first + 1, places[end - 1] + 1):
            if not chars[place].isspace():
                chars[place] = "*"
    return "".join(chars)


_TOKEN = re.compile(r"[^\s,;:/\\…]+")


def _letters(word: str) -> str:
    """Write a word as a pattern in which letters may be repeated or spelt otherwise; double letters stay at least double."""
    parts: list[str] = []
    for match in re.finditer(r"(.)\1*", word):
        letter, count = match[1], len(match[0])
        spelled = _SPELLED.get(letter, f"{letter}+") if parts or letter != "c" else "c+"  # "kunt" is Dutch
        parts.append(spelled if count == 1 else (f"{letter}{{{count},}}" if letter != "s" else "[sz]{2,}"))
    return "".join(parts)


def _with_gaps(word: str) -> str:
    first, *middle, last = (_APART.get(letter, f"{letter}+") for letter in word)
    inner = "".join(f"{_GAP}(?:{one}|[{re.escape(_STARS)}]{{1,2}})" for one in middle)
    return f"{first}{inner}{_GAP}{last}"


@cache
def _whole() -> Sequence[tuple[Severity, re.Pattern[str]]]:
    """The patterns of whole words: those that may go on after a listed beginning, and those that may not."""
    begins = "|".join(map(_letters, MASK))
    exact = "|".join(map(_letters, MASK_WHOLE))
    return (
        (Severity.BLOCK, re.compile(rf"(?:{'|'.join(map(_letters, BLOCK))})[a-z]*")),
        (
            Severity.MASK,
            re.compile(rf"(?:(?:{begins})[a-z]*|(?:{exact})|[a-z]+(?:fuck|bitch|cunt|shit|asshole){_SUFFIX})"),
        ),
        (Severity.FLAG, re.compile(rf"(?:{'|'.join(FLAG_WHOLE)}){_SUFFIX}")),
    )


@cache
def _gapped() -> Sequence[tuple[Severity, re.Pattern[str]]]:
    """The patterns of words with something between, or instead of, their letters; only words that nothing else looks like."""
    block = "|".join(_with_gaps(word) for word in BLOCK)
    mask = "|".join(
        _with_gaps(word)
        for word in (
            "fuck",
            "shit",
            "bitch",
            "cunt",
            "asshole",
            "whore",
            "slut",
            "bastard",
            "dickhead",
            "wanker",
            "pussy",
        )
    )
    return (
        (Severity.BLOCK, re.compile(rf"(?<![a-z0-9])(?=[nfkwgtrbsh])(?:{block})(?![a-z])")),
        (Severity.MASK, re.compile(rf"(?<![a-z0-9])(?:{mask}|f\*{{2,}}){_SUFFIX}(?![a-z])")),
    )


@cache
def _harmless() -> re.Pattern[str]:
    names = sorted(HARMLESS, key=len, reverse=True)
    return re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, names))})(?![a-z])")
