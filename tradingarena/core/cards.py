"""Share cards: 1200 by 630 pixels with a title, a figure, a few rows and a curve. What stands on one is the apps' to say.

The typeface comes with its package, so that a card is the same on every machine. Rules: docs/pages.md#cards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 1200, 630
MARGIN = 72
FINE = 3  # the curve is drawn so many times larger, and made smaller: then its edge is smooth
# the dark theme of static/css/tokens.css
BACK, RAISED, LINE = "#0d1115", "#141a20", "#27303a"
INK, INK_2, ACCENT, UP, DOWN = "#e8ebee", "#aab4be", "#dcb766", "#41c48b", "#f5807a"
NOT_A_CHARACTER = "\uffff"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a card: a text on the left, one on the right, coloured by direction (above, below or at 0)."""

    left: str
    right: str
    direction: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card. Units: the curve and its base in any one unit."""

    kicker: str
    title: str
    figure: str = ""
    figure_label: str = ""
    direction: int = 0
    rows: Sequence[Row] = ()
    curve: Sequence[int] = ()
    base: int = 0
    foot: str = ""


def draw(card: Card) -> bytes:
    """Draw a card as PNG.

    Guarantees: the same card is the same bytes; texts that are too long are cut, letters that the typeface lacks are written plainly.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), BACK)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH, 8), fill=ACCENT)
    _text(pen, (MARGIN, 64), card.kicker, 30, INK_2)
    _text(pen, (MARGIN, 104), card.title, 62, INK, bold=True, room=WIDTH - 2 * MARGIN)
    half = WIDTH // 2
    if card.figure:
        _text(pen, (MARGIN, 206), card.figure_label, 28, INK_2, room=half - MARGIN)
        _text(pen, (MARGIN, 242), card.figure, 104, _colour(card.direction), bold=True, room=half - MARGIN)
    if len(card.curve) > 1:
        box = (MARGIN, 384, half - 24, 530) if card.rows else (MARGIN, 384, WIDTH - MARGIN, 530)
        _curve(image, box, card.curve, card.base)
    top = 214
    for row in card.rows:
        pen.line((half + 24, top + 62, WIDTH - MARGIN, top + 62), fill=LINE, width=2)
        width = _text(pen, (WIDTH - MARGIN, top + 8), row.right, 38, _colour(row.direction), bold=True, anchor="ra")
        _text(pen, (half + 24, top + 8), row.left, 38, INK, room=WIDTH - MARGIN - half - 48 - width)
        top += 72
    _text(pen, (MARGIN, HEIGHT - 66), "Trading Arena", 32, ACCENT, bold=True)
    _text(pen, (WIDTH - MARGIN, HEIGHT - 62), card.foot, 26, INK_2, anchor="ra", room=WIDTH - 2 * MARGIN - 260)
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _colour(direction: int) -> str:
    return UP if direction > 0 else DOWN if direction < 0 else INK


def _text(
    pen: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    size: int,
    colour: str,
    *,
    bold: bool = False,
    anchor: str = "la",
    room: float = WIDTH,
) -> float:
    """Write a text that takes at most so much room; give the width it took."""
    font = _font(size, bold)
    shown = "".join(letter if _has(letter) else anyascii(letter) for letter in text)
    while shown and font.getlength(shown) > room:
        shown = f"{shown.rstrip('…')[:-1].rstrip()}…" if len(shown) > 1 else ""
    pen.text(at, shown, colour, font, anchor)
    return float(font.getlength(shown))


def _curve(image: Image.Image, box: tuple[int, int, int, int], values: Sequence[int], base: int) -> None:
    left, top, right, bottom = box
    size = ((right - left) * FINE, (bottom - top) * FINE)
    low, high = min(*values, base), max(*values, base)

    def y(value: int) -> float:
        return (size[1] - 12) * (1 - (value - low) / max(1, high - low)) + 6

    fine = Image.new("RGB", size, BACK)
    pen = ImageDraw.Draw(fine)
    pen.line((0, y(base), size[0], y(base)), fill=LINE, width=2 * FINE)
    points = [(place * size[0] / (len(values) - 1), y(value)) for place, value in enumerate(values)]
    pen.line(points, fill=_colour(values[-1] - base), width=4 * FINE, joint="curve")
    image.paste(fine.resize((right - left, bottom - top), Image.Resampling.LANCZOS), (left, top))


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    package = find_spec("font_lato")
    assert package is not None
    assert package.origin is not None
    name = "Lato-Bold.ttf" if bold else "Lato-Regular.ttf"
    return ImageFont.truetype(
        str(Path(package.origin).parent / "files" / name), size, layout_engine=ImageFont.Layout.BASIC
    )


@lru_cache(maxsize=4_096)
def _has(letter: str) -> bool:
    """Tell whether the typeface has a letter; what it lacks is drawn as the sign for no character."""
    font = _font(32, True)
    return letter.isspace() or bytes(font.getmask(letter)) != bytes(font.getmask(NOT_A_CHARACTER))


def digest(text: str) -> str:
    """Shorten any text to a name for a cache."""
    return blake2b(text.encode(errors="replace"), digest_size=12).hexdigest()
