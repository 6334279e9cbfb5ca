"""Pictures that people look at, drawn by Pillow: smooth shapes, text that fits its room, photographs in squares."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.decode import decode, open_image
from doppelgram.reports.fonts import font_file, own_font

Colour: TypeAlias = tuple[int, int, int]
Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont
Box: TypeAlias = tuple[int, int, int, int]

PAGE: Colour = (250, 250, 248)
CARD: Colour = (234, 237, 241)
EMPTY: Colour = (224, 227, 231)
WHITE: Colour = (255, 255, 255)
INK: Colour = (28, 33, 40)
FAINT: Colour = (105, 113, 122)
# Blue and vermilion of Okabe and Ito's palette, which the common forms of colour blindness tell apart.
BLUE: Colour = (0, 114, 178)
VERMILION: Colour = (213, 94, 0)

ELLIPSIS = "…"
MOST_PIXELS = 150_000_000

# Shapes are drawn this much larger and scaled down, since Pillow draws them without antialiasing.
_OVER = 4
# What Pillow's bundled font can show besides ASCII, of the characters used here.
_BUNDLED = frozenset("…·“”‘’°")
_LONGEST = 1000


class Sheet:
    """A picture that is being drawn.

    Attributes:
        page: the picture.
        width: in pixels.
        height: in pixels.
    """

    def __init__(self, width: int, height: int, *, too_large: str = "") -> None:
        """An empty sheet; above `MOST_PIXELS` a DoppelgramError with the words ``too_large``."""
        if width * height > MOST_PIXELS:
            raise DoppelgramError(too_large)
        self.width, self.height = width, height
        self.page = Image.new("RGB", (width, height), PAGE)
        self.draw = ImageDraw.Draw(self.page)

    def write(
        self,
        at: tuple[float, float],
        text: str,
        size: int,
        colour: Colour = INK,
        anchor: str = "ls",
        *,
        room: float = 0,
    ) -> None:
        """Draw one line of text.

        Args:
            at: where its ``anchor`` lies.
            text: the line.
            size: in pixels.
            colour: of the letters.
            anchor: as Pillow's, such as ``ls`` for left on the baseline.
            room: width to which the line is cut, with an ellipsis at its end; 0 for none.
        """
        shown = shorten(text, size, room) if room else text
        self.draw.text(at, shown, fill=colour, font=font_for(shown, size), anchor=anchor)

    def box(self, box: Box, radius: int, fill: Colour | Image.Image) -> None:
        """Fill a rectangle (left, top, right, bottom) with round corners with a colour or an image of its size."""
        self.page.paste(fill, box, _rounded(box[2] - box[0], box[3] - box[1], radius))

    def square(self, at: tuple[int, int], side: int, radius: int, fill: Colour | Image.Image) -> None:
        """`box` of a square whose left upper corner is ``at``."""
        self.box((at[0], at[1], at[0] + side, at[1] + side), radius, fill)

    def stamp(self, image: Image.Image, at: tuple[int, int]) -> None:
        """Put a picture with transparent parts, such as a `badge`, over what is there."""
        self.page.paste(image, at, image)

    def save(self, file: Path) -> Path:
        """Write the picture as a PNG, whole or not at all."""
        with written_whole(file) as aside:
            self.page.save(aside, "PNG")
        return file


@cache
def font(size: int, file: Path | None = None) -> Font:
    """Pillow's bundled font, or the one in a file."""
    if file is not None:
        try:
            # The letters of other fonts are larger at the same size.
            return ImageFont.truetype(file, round(size * 0.92))
        except OSError:
            pass
    return ImageFont.load_default(size=size)


def font_for(text: str, size: int) -> Font:
    """A font that can show ``text``, as far as there is one on the machine."""
    if all(letter.isascii() or letter in _BUNDLED for letter in text):
        return font(size)
    return font(size, font_file(text) or own_font())


def length(text: str, size: int) -> float:
    """Width of a line of text in pixels."""
    return font_for(text, size).getlength(text)


def one_line(text: str) -> str:
    """The text without line breaks, control characters and bytes that are no text."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def shorten(text: str, size: int, width: float, *, middle: bool = False) -> str:
    """The text on one line, cut to ``width`` pixels with an ellipsis at its end or in its middle."""
    # No picture is so wide that more could be shown, and measuring a megabyte takes its time.
    text = one_line(text[:_LONGEST] if not middle else text[-_LONGEST:])

    def fits(shown: str) -> bool:
        return length(shown, size) <= width

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


def wrapped(text: str, size: int, width: float, most: int = 0) -> list[str]:
    """The text in lines no wider than ``width``; what does not fit into ``most`` lines (0: any) ends in an ellipsis."""
    lines: list[str] = []
    rest = one_line(text).split(" ")
    while rest and (not most or len(lines) < most - 1):
        count = 1
        while count < len(rest) and length(" ".join(rest[: count + 1]), size) <= width:
            count += 1
        lines.append(shorten(" ".join(rest[:count]), size, width))
        rest = rest[count:]
    return [*lines, shorten(" ".join(rest), size, width)] if rest else lines


@cache
def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """Mask of a rectangle with round corners."""
    mask = Image.new("L", (width * _OVER, height * _OVER), 0)
    box = (0, 0, width * _OVER - 1, height * _OVER - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius * _OVER, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


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


def _outline(square: Image.Image, box: tuple[float, float, float, float], size: Sequence[float]) -> None:
    """Draw a box of a photograph that stands with this size in the middle of a square: a blue line on a white one."""
    left, top, width, height = box
    x, y = ((square.width - size[0]) / 2 + left * size[0], (square.height - size[1]) / 2 + top * size[1])
    draw = ImageDraw.Draw(square)
    for around, colour in ((1, WHITE), (0, BLUE)):
        corners = (x - around, y - around, x + width * size[0] + around, y + height * size[1] + around)
        draw.rectangle(corners, outline=colour, width=2)


def blank(tile: int) -> Image.Image:
    """A square that says that there is no picture."""
    square = Image.new("RGB", (tile, tile), EMPTY)
    size = max(11, round(tile * 0.1))
    ImageDraw.Draw(square).text((tile / 2, tile / 2), "no picture", fill=FAINT, font=font(size), anchor="mm")
    return square


def tile_of(
    source: Path | str | bytes | None, tile: int, box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    """A photograph in a square, from a file or from its bytes; `blank` where it cannot be read.

    ``box`` is outlined: left, top, width and height as shares of the photograph's width and height.
    """
    try:
        image = decode(source or b"") if isinstance(source, bytes | None) else open_image(source, at_least=2 * tile)
        square = fitted(image, tile)
        if box is not None:
            _outline(square, box, [tile * side / max(image.size) for side in image.size])
        return square
    except DoppelgramError:
        return blank(tile)
