"""Usernames as text: which are possible, which look alike, which are reserved. No database here.

Rules: docs/rules/accounts.md#usernames.
"""

import re
import unicodedata
from datetime import timedelta
from functools import cache

from confusable_homoglyphs.utils import load

MIN_LENGTH = 3
MAX_LENGTH = 20
CHANGE_EVERY = timedelta(days=30)
OLD_NAME_KEPT = timedelta(days=180)
# Each letter may turn into two look-alikes ("m" into "rn"), and a folded ligature into more.
SKELETON_MAX_LENGTH = 120

_SHAPE = re.compile(rf"[A-Za-z0-9_-]{{{MIN_LENGTH},{MAX_LENGTH}}}")
_RESERVED_WORDS = """
    abuse account accounts admin administration administrator all anonymous api arena arenaadmin arenabot
    arenastaff bank bet betting billing bot chat compliance contact contests deleted deleteduser everyone fraud
    guest help helpdesk here host house info legal login logout mail me mod moderation moderator moderators mods
    money noreply nobody null official operator operators owner payment payments payout payouts postmaster pvp
    referee root security service settings signup staff stripe superuser support sysadmin sysop system team tokens
    trader traders tradingarena undefined unknown user users wallet webmaster you
"""
# Nobody may wear one of these at the beginning or end of any part of a name either.
_RESERVED_PARTS = ("admin", "moderator", "tradingarena", "support", "staff", "official")
_SEPARATORS = str.maketrans("", "", "_-")


class NameProblem(ValueError):
    """Raised when a text cannot be a username; `code` is stable, the message is for the person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@cache
def _prototype(char: str) -> str:
    """Give the plain letters a character looks like, after the table of Unicode TS 39."""
    if char in "Il1|":
        return "l"
    if char == "0":
        return "o"
    if char.isascii():
        return char
    for entry in _look_alikes().get(char, ()):
        if entry["c"].isascii():
            return entry["c"]
    return char


@cache
def _look_alikes() -> dict[str, list[dict[str, str]]]:
    """Read the table of look-alikes once per process."""
    table: dict[str, list[dict[str, str]]] = load("confusables.json")
    return table


def skeleton(text: str) -> str:
    """Reduce a text to what it looks like: texts with the same skeleton can be mistaken for each other.

    Formula: NFKD without marks and invisible characters, each character to its look-alike in plain letters, case
        folded, then i, 1, l to l; 0 to o; m to rn; w to vv. Source: docs/rules/accounts.md#usernames, Unicode TS 39.
    Guarantees: a change of case alone keeps the skeleton.
    Example:
        >>> skeleton("Admin") == skeleton("аdmln") == skeleton("ADRNIN")
        True
    """
    visible = (
        char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) not in {"Mn", "Me", "Cf"}
    )
    folded = "".join(_prototype(char) for char in visible).casefold()
    again = "".join(_prototype(char) for char in folded)
    return again.replace("i", "l").replace("m", "rn").replace("w", "vv")[:SKELETON_MAX_LENGTH]


@cache
def _reserved_skeletons() -> tuple[frozenset[str], tuple[str, ...]]:
    return frozenset(skeleton(word) for word in _RESERVED_WORDS.split()), tuple(
        skeleton(part) for part in _RESERVED_PARTS
    )


def is_reserved(name: str) -> bool:
    """Tell whether a name, or what it looks like, is kept for the house.

    Example:
        >>> [is_reserved(name) for name in ("Adm1n", "real-moderator_7", "badminton")]
        [True, True, False]
    """
    words, parts = _reserved_skeletons()
    look = skeleton(name)
    plain = look.translate(_SEPARATORS)
    pieces = [plain, *re.split("[_-]", look)]
    return plain in words or any(piece.startswith(parts) or piece.endswith(parts) for piece in pieces)


def check_shape(name: str) -> None:
    """Refuse a text that can never be a username.

    Raises: NameProblem: too short, too long, or something else than letters, digits, "_" and "-".
    """
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        raise NameProblem("username_length", f"A username has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    if not _SHAPE.fullmatch(name):
        raise NameProblem("username_characters", "A username has only the letters A to Z, digits, “_” and “-”.")
    if not any(char.isalnum() for char in name):
        raise NameProblem("username_characters", "A username has at least one letter or digit.")


def check(name: str) -> None:
    """Refuse a name nobody may choose.

    Raises: NameProblem: its shape is wrong, or it is reserved or looks like something reserved.
    """
    check_shape(name)
    if is_reserved(name):
        raise NameProblem("username_reserved", "This username is reserved, or looks like one that is.")
