"""Smooth shapes and fitting text: what Pillow's drawing lacks for a picture that people look at."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

Colour: TypeAlias = tuple[int, int, int]
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

PAGE: Colour = (250, 250, 248)
CARD: Colour = (234, 237, 241)
EMPTY: Colour = (224, 227, 231)
INK: Colour = (28, 33, 40)
FAINT: Colour = (105, 113, 122)

ELLIPSIS = "…"

# Shapes are drawn this much larger and scaled down, since Pillow draws them without antialiasing.
_OVER = 4
# What Pillow's bundled font can show besides ASCII, of the characters used here.
_BUNDLED = frozenset("…·“”‘’°")
_LONGEST = 1000


@cache
def font(size: int, text_class: str = "plain") -> Font:
    """Pillow's bundled font, or for text that it has no letters for the one that Matplotlib brings along."""
    if text_class == "wide":
        found = importlib.util.find_spec("matplotlib")
        file = Path(found.origin or "").parent / "mpl-data/fonts/ttf/DejaVuSans.ttf" if found else Path()
        if file.is_file():
            # Its letters are larger at the same size.
            return ImageFont.truetype(file, round(size * 0.92))
    return ImageFont.load_default(size=size)


def font_for(text: str, size: int) -> Font:
    """The font that can show ``text``, as far as there is one."""
    plain = all(letter.isascii() or letter in _BUNDLED for letter in text)
    return font(size, "plain" if plain else "wide")


def one_line(text: str) -> str:
    """The text without line breaks, control characters and bytes that are no text."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def shorten(text: str, size: int, width: float, *, middle: bool = False) -> str:
    """The text on one line, cut to ``width`` pixels with an ellipsis at its end or in its middle."""
    # No picture is so wide that more could be shown, and measuring a megabyte takes its time.
    text = one_line(text[:_LONGEST] if not middle else text[-_LONGEST:])

    def fits(shown: str) -> bool:
        return font_for(shown, size).getlength(shown) <= width

    def cut(kept: int) -> str:
        if not middle:
            return text[:kept].rstrip() + ELLIPSIS
        head = (kept + 1) // 2
        return text[:head] + ELLIPSIS + text[len(text) - (kept - head) :]

    if fits(text):
        return text
    low, high = 0, len(text) - 1
    while low < high:
        kept = (low + high + 1) // 2
        low, high = (kept, high) if fits(cut(kept)) else (low, kept - 1)
    return cut(low)


def write(
    canvas: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, colour: Colour, anchor: str
) -> None:
    """Draw one line of text; ``anchor`` as Pillow's, such as ``ls`` for left on the baseline."""
    canvas.text(at, text, fill=colour, font=font_for(text, size), anchor=anchor)


@cache
def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """Mask of a rectangle with round corners."""
    mask = Image.new("L", (width * _OVER, height * _OVER), 0)
    box = (0, 0, width * _OVER - 1, height * _OVER - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _OVER, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


def rounded(page: Image.Image, box: tuple[int, int, int, int], radius: int, fill: Colour | Image.Image) -> None:
    """Fill a rectangle (left, top, right, bottom) with round corners with a colour or an image of its size."""
    width, height = box[2] - box[0], box[3] - box[1]
    page.paste(fill, box, _rounded(width, height, radius))


# Strokes in a unit square: a tick, and the two of a cross.
_STROKES = {
    "tick": (((0.27, 0.53), (0.44, 0.70), (0.74, 0.34)),),
    "cross": (((0.32, 0.32), (0.68, 0.68)), ((0.68, 0.32), (0.32, 0.68))),
}


@cache
def badge(symbol: str, size: int, colour: Colour, rim: Colour) -> Image.Image:
    """A disc of ``size`` pixels with a rim and a white ``tick`` or ``cross`` in it, with transparent corners (RGBA)."""
    side = size * _OVER
    image = Image.new("RGBA", (side, side), (*rim, 0))
    draw = ImageDraw.Draw(image)
    border = max(1, round(side * 0.09))
    draw.ellipse((0, 0, side - 1, side - 1), fill=(*rim, 255))
    draw.ellipse((border, border, side - 1 - border, side - 1 - border), fill=(*colour, 255))
    width = max(2, round(side * 0.1))
    for stroke in _STROKES[symbol]:
        points = [(x * side, y * side) for x, y in stroke]
        draw.line(points, fill="white", width=width, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill="white")
    return image.resize((size, size), Image.Resampling.BOX)


def fitted(image: Image.Image, tile: int) -> Image.Image:
    """The whole image in the middle of a square."""
    scale = tile / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    square = Image.new("RGB", (tile, tile), EMPTY)
    small = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    square.paste(small, ((tile - width) // 2, (tile - height) // 2))
    return square


def blank(tile: int) -> Image.Image:
    """A square that says that there is no picture."""
    square = Image.new("RGB", (tile, tile), EMPTY)
    write(ImageDraw.Draw(square), (tile / 2, tile / 2), "no picture", max(11, round(tile * 0.1)), FAINT, "mm")
    return square
