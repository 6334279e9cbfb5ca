"""The contact sheet: cards with a few photographs each and a sentence on what is the matter with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.images.decode import open_image
from doppelgram.reports.drawing import (
    CARD,
    FAINT,
    INK,
    PAGE,
    Colour,
    blank,
    fitted,
    font_for,
    one_line,
    rounded,
    shorten,
    write,
)

# Vermilion of Okabe and Ito's palette: what is in question.
_QUESTION: Colour = (213, 94, 0)
_WHITE: Colour = (255, 255, 255)
_MOST_PIXELS = 150_000_000
_PICTURES, _COLUMNS = 4, 2
_TILE, _GAP, _PAD, _MARGIN, _TEXT_WIDTH = 96, 12, 14, 40, 300
_SIZE, _LINE = 13, 18


@dataclass(frozen=True)
class Picture:
    """A photograph with up to two lines below it."""

    path: Path
    title: str
    note: str = ""


@dataclass(frozen=True)
class Card:
    """The image in question, those to hold beside it (three are shown), and what to say of them."""

    picture: Picture
    beside: Sequence[Picture]
    title: str
    text: str
    name: str


@dataclass(frozen=True)
class Section:
    """Cards under a heading."""

    title: str
    about: str
    cards: Sequence[Card] = field(default_factory=tuple)


def draw_contact_sheet(title: str, subtitle: str, sections: Sequence[Section], file: Path) -> Path:
    """Draw sections of cards, two cards beside each other, as a PNG that is replaced whole.

    A photograph that cannot be read is drawn as an empty square.

    Returns:
        ``file``.

    Raises:
        DoppelgramError: more cards than one picture can hold, or the file cannot be written.
    """
    card_width = 2 * _PAD + _PICTURES * (_TILE + _GAP) + _TEXT_WIDTH
    card_height = 2 * _PAD + _TILE + 2 * _LINE + 4
    width = 2 * _MARGIN + _COLUMNS * card_width + (_COLUMNS - 1) * _GAP
    tops, top = [], _MARGIN + 64
    for section in sections:
        tops.append(top)
        rows = -(-len(section.cards) // _COLUMNS)
        top += 84 + rows * (card_height + _GAP) if rows else 76
    height = top + _MARGIN
    if width * height > _MOST_PIXELS:
        count = sum(len(section.cards) for section in sections)
        raise DoppelgramError(f"{count} findings do not fit into one picture; ask for fewer with -n")
    page = Image.new("RGB", (width, height), PAGE)
    draw = ImageDraw.Draw(page)
    write(draw, (_MARGIN, _MARGIN + 24), title, 28, INK, "ls")
    write(draw, (_MARGIN, _MARGIN + 48), shorten(subtitle, _SIZE, width - 2 * _MARGIN), _SIZE, FAINT, "ls")
    for section, top in zip(sections, tops, strict=True):
        draw.line((_MARGIN, top + 10, width - _MARGIN, top + 10), fill=CARD, width=2)
        write(draw, (_MARGIN, top + 40), section.title, 19, INK, "ls")
        write(draw, (_MARGIN, top + 62), shorten(section.about, _SIZE, width - 2 * _MARGIN), _SIZE, FAINT, "ls")
        # The text of all cards of a section begins at the same place.
        pictures = min(_PICTURES, 1 + max((len(card.beside) for card in section.cards), default=0))
        for number, card in enumerate(section.cards):
            row, column = divmod(number, _COLUMNS)
            left = _MARGIN + column * (card_width + _GAP)
            at = (left, top + 78 + row * (card_height + _GAP))
            _draw_card(page, at, (card_width, card_height), card, pictures)
    with written_whole(file) as aside:
        page.save(aside, "PNG")
    return file


def _draw_card(page: Image.Image, at: tuple[int, int], size: tuple[int, int], card: Card, pictures: int) -> None:
    left, top = at
    rounded(page, (left, top, left + size[0], top + size[1]), 10, _WHITE)
    left, top = left + _PAD, top + _PAD
    rounded(page, (left - 4, top - 4, left + _TILE + 4, top + _TILE + 4), 8, _QUESTION)
    _draw_picture(page, (left, top), card.picture)
    for number, picture in enumerate(card.beside[: _PICTURES - 1], start=1):
        _draw_picture(page, (left + number * (_TILE + _GAP), top), picture)
    left += pictures * (_TILE + _GAP) + 4
    draw = ImageDraw.Draw(page)
    width = _TEXT_WIDTH - 4 + (_PICTURES - pictures) * (_TILE + _GAP)
    write(draw, (left, top + 13), shorten(card.title, 15, width), 15, INK, "ls")
    write(draw, (left, top + 13 + _LINE + 2), shorten(card.name, _SIZE, width, middle=True), _SIZE, FAINT, "ls")
    for number, line in enumerate(_wrapped(card.text, width, most=5)):
        write(draw, (left, top + 13 + 2 * _LINE + 6 + number * _LINE), line, _SIZE, INK, "ls")


def _draw_picture(page: Image.Image, at: tuple[int, int], picture: Picture) -> None:
    try:
        shown = fitted(open_image(picture.path, at_least=2 * _TILE), _TILE)
    except DoppelgramError:
        shown = blank(_TILE)
    rounded(page, (at[0], at[1], at[0] + _TILE, at[1] + _TILE), 5, shown)
    draw = ImageDraw.Draw(page)
    base = at[1] + _TILE + _LINE + 1
    write(draw, (at[0], base), shorten(picture.title, _SIZE, _TILE), _SIZE, INK, "ls")
    write(draw, (at[0], base + _LINE - 2), shorten(picture.note, _SIZE - 1, _TILE), _SIZE - 1, FAINT, "ls")


def _wrapped(text: str, width: float, most: int) -> list[str]:
    """The text in lines no wider than ``width``; what does not fit into ``most`` lines ends in an ellipsis."""
    lines: list[str] = []
    rest = one_line(text).split(" ")
    while rest and len(lines) < most - 1:
        count = 1
        while count < len(rest) and _length(" ".join(rest[: count + 1])) <= width:
            count += 1
        lines.append(shorten(" ".join(rest[:count]), _SIZE, width))
        rest = rest[count:]
    return [*lines, shorten(" ".join(rest), _SIZE, width)] if rest else lines


def _length(text: str) -> float:
    return font_for(text, _SIZE).getlength(text)
