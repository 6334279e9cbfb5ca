"""The contact sheet: cards with a few photographs each and a sentence on what is the matter with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doppelgram.numbers import count
from doppelgram.reports.drawing import CARD, FAINT, VERMILION, WHITE, Sheet, shorten, tile_of, wrapped

_PICTURES, _COLUMNS = 4, 2
_TILE, _GAP, _PAD, _MARGIN, _TEXT_WIDTH = 96, 12, 14, 40, 300
_SIZE, _LINE = 13, 18
_CARD_WIDTH = 2 * _PAD + _PICTURES * (_TILE + _GAP) + _TEXT_WIDTH
_CARD_HEIGHT = 2 * _PAD + _TILE + 2 * _LINE + 4


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
    width = 2 * _MARGIN + _COLUMNS * _CARD_WIDTH + (_COLUMNS - 1) * _GAP
    tops, top = [], _MARGIN + 64
    for section in sections:
        tops.append(top)
        rows = -(-len(section.cards) // _COLUMNS)
        top += 84 + rows * (_CARD_HEIGHT + _GAP) if rows else 76
    found = count(sum(len(section.cards) for section in sections), "finding")
    too_large = f"{found} do not fit into one picture; ask for fewer with -n"
    sheet = Sheet(width, top + _MARGIN, too_large=too_large)
    room = width - 2 * _MARGIN
    sheet.write((_MARGIN, _MARGIN + 24), title, 28, room=room)
    sheet.write((_MARGIN, _MARGIN + 48), subtitle, _SIZE, FAINT, room=room)
    for section, top in zip(sections, tops, strict=True):
        sheet.draw.line((_MARGIN, top + 10, width - _MARGIN, top + 10), fill=CARD, width=2)
        sheet.write((_MARGIN, top + 40), section.title, 19, room=room)
        sheet.write((_MARGIN, top + 62), section.about, _SIZE, FAINT, room=room)
        # The text of all cards of a section begins at the same place.
        pictures = min(_PICTURES, 1 + max((len(card.beside) for card in section.cards), default=0))
        for number, card in enumerate(section.cards):
            row, column = divmod(number, _COLUMNS)
            at = _MARGIN + column * (_CARD_WIDTH + _GAP), top + 78 + row * (_CARD_HEIGHT + _GAP)
            _draw_card(sheet, at, card, pictures)
    return sheet.save(file)


def _draw_card(sheet: Sheet, at: tuple[int, int], card: Card, pictures: int) -> None:
    left, top = at
    sheet.box((left, top, left + _CARD_WIDTH, top + _CARD_HEIGHT), 10, WHITE)
    left, top = left + _PAD, top + _PAD
    sheet.square((left - 4, top - 4), _TILE + 8, 8, VERMILION)  # what is in question
    for number, picture in enumerate([card.picture, *card.beside][:_PICTURES]):
        _draw_picture(sheet, (left + number * (_TILE + _GAP), top), picture)
    left += pictures * (_TILE + _GAP) + 4
    width = _TEXT_WIDTH - 4 + (_PICTURES - pictures) * (_TILE + _GAP)
    sheet.write((left, top + 13), card.title, 15, room=width)
    sheet.write((left, top + 15 + _LINE), shorten(card.name, _SIZE, width, middle=True), _SIZE, FAINT)
    for number, line in enumerate(wrapped(card.text, _SIZE, width, most=5)):
        sheet.write((left, top + 19 + (2 + number) * _LINE), line, _SIZE)


def _draw_picture(sheet: Sheet, at: tuple[int, int], picture: Picture) -> None:
    sheet.square(at, _TILE, 5, tile_of(picture.path, _TILE))
    base = at[1] + _TILE + _LINE + 1
    sheet.write((at[0], base), picture.title, _SIZE, room=_TILE)
    sheet.write((at[0], base + _LINE - 2), picture.note, _SIZE - 1, FAINT, room=_TILE)
