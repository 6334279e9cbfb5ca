"""The picture of `compare-images`: two photographs, their skeletons limb by limb, the scores, and the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.numbers import probability
from doppelgram.pose.people import People
from doppelgram.pose.reasons import PARTS, PoseReasons
from doppelgram.pose.skeleton import L_HIP, L_SHOULDER, MIRROR, NECK, R_HIP, R_SHOULDER, Keypoints, present
from doppelgram.reports.drawing import BLUE, CARD, FAINT, INK, VERMILION, Colour, Sheet, length, shorten, wrapped
from doppelgram.reports.matched_points import draw_matched, matched_height
from doppelgram.reports.saliency import draw_saliency, saliency_height, saliency_sentences
from doppelgram.saliency.maps import PairSaliency
from doppelgram.view.same_view import SameView

# From alike to different: blue and vermilion of Okabe and Ito's palette with a pale middle, which every kind of colour
# vision tells apart and which stay apart in grey at their ends.
_ALIKE, _MIDDLE, _DIFFERENT = BLUE, (240, 228, 160), VERMILION
_UNCOMPARED: Colour = (150, 155, 160)
_WORST = 90.0

WIDTH, _MARGIN, _GAP, _TEXT = 1480, 48, 28, 19
_PHOTO = (WIDTH - 2 * _MARGIN - _GAP) // 2
_PHOTO_HEIGHT = 640
_BAR, _LIMB, _LINE, _SPACE = 64, 31, 27, 9
_TRACK: Colour = (222, 226, 231)
# Skeletons are drawn this much larger and scaled down.
_OVER = 3
# What holds the compared parts together: drawn thin, and not compared by itself.
_FRAME = ((R_HIP, L_HIP), (R_SHOULDER, NECK), (L_SHOULDER, NECK))


@dataclass(frozen=True)
class Shown:
    """One of the two photographs.

    Attributes:
        pixels: upright, uint8 (h, w, 3).
        people: those whose pose counts, in pixels of that.
        compared: which of them ``reasons`` are about; None for nobody.
        name: file name.
        caption: what was found in it.
    """

    pixels: NDArray[np.uint8]
    people: People
    compared: int | None
    name: str
    caption: str


@dataclass(frozen=True)
class Bar:
    """One score: its name, a share from 0 to 1 or None where it is not known, and a few words beside it."""

    name: str
    share: float | None
    words: str


@dataclass(frozen=True)
class PairPicture:
    """Everything that the picture shows.

    Attributes:
        verdict: in a few words.
        line: one line under it.
        sides: both photographs.
        bars: the scores.
        reasons: limb by limb, for the colours of the skeletons and the list; None where nobody can be compared.
        why: sentences.
        footer: which model judged, in one line.
        mark: share at which the verdict turns, drawn on the last bar.
        view: matched points, drawn as lines between both photographs; None for none.
        saliency: which parts bring them together, drawn over both photographs; None for no maps.
    """

    verdict: str
    line: str
    sides: tuple[Shown, Shown]
    bars: Sequence[Bar]
    reasons: PoseReasons | None
    why: Sequence[str]
    footer: str
    mark: float | None = None
    view: SameView | None = None
    saliency: PairSaliency | None = None


def draw_comparison(picture: PairPicture, file: Path) -> Path:
    """Draw a comparison of two photographs as a PNG, which is replaced whole; returns ``file``."""
    reasons, room = picture.reasons, WIDTH - 2 * _MARGIN
    photo_height = min(_PHOTO_HEIGHT, max(_fitted_height(side.pixels) for side in picture.sides))
    limbs = [] if reasons is None else sorted(reasons.degrees.items(), key=lambda item: -item[1])
    top_of_photos = _MARGIN + 96
    top_of_maps = top_of_photos + photo_height + 66
    top_of_view = top_of_maps + _height_of_maps(picture.saliency, room)
    pixels = picture.sides[0].pixels, picture.sides[1].pixels
    view_height = 0 if picture.view is None else matched_height(pixels, room)
    top_of_scores = top_of_view + 22 + (view_height and view_height + 76)
    top_of_why = top_of_scores + 24 + len(picture.bars) * _BAR + 40
    paragraphs = [wrapped(sentence, _TEXT - 1, _PHOTO) for sentence in picture.why]
    left = top_of_why + 6 + sum(_LINE * len(lines) + _SPACE for lines in paragraphs)
    right = top_of_scores + 24 + (_LIMB * len(limbs) + 72 if limbs else 40)
    sheet = Sheet(WIDTH, max(left, right) + 34 + _MARGIN)
    sheet.write((_MARGIN, _MARGIN + 30), picture.verdict, 40, room=room)
    sheet.write((_MARGIN, _MARGIN + 68), picture.line, _TEXT + 1, FAINT, room=room)
    for number, side in enumerate(picture.sides):
        at = _MARGIN + number * (_PHOTO + _GAP), top_of_photos
        _draw_side(sheet, side, at, photo_height, reasons, second=number == 1)
        base = top_of_photos + photo_height + 30
        sheet.write((at[0], base), "AB"[number], _TEXT + 3)
        sheet.write((at[0] + 26, base), shorten(side.name, _TEXT, _PHOTO - 340, middle=True), _TEXT)
        sheet.write((at[0] + _PHOTO, base), side.caption, _TEXT - 2, FAINT, "rs", room=320)
    if picture.saliency is not None:
        _draw_maps(sheet, picture.saliency, (_MARGIN, top_of_maps), room)
    if picture.view is not None:
        words = f"{picture.view.points:,} matched points, people left out"
        sheet.write((_MARGIN, top_of_view + 22), "The same view", _TEXT + 3)
        sheet.write((_MARGIN + room, top_of_view + 22), words, _TEXT - 3, FAINT, "rs")
        draw_matched(sheet, pixels, picture.view.places, (_MARGIN, top_of_view + 40), room)
    _draw_bars(sheet, picture.bars, (_MARGIN, top_of_scores), picture.mark)
    _draw_limbs(sheet, limbs, (_MARGIN + _PHOTO + _GAP, top_of_scores))
    sheet.write((_MARGIN, top_of_why), "Why", _TEXT + 3)
    base = top_of_why + 6
    for lines in paragraphs:
        for text in lines:
            base += _LINE
            sheet.write((_MARGIN, base), text, _TEXT - 1)
        base += _SPACE
    sheet.write((_MARGIN, sheet.height - _MARGIN + 12), picture.footer, 15, FAINT, room=room)
    return sheet.save(file)


def limb_colour(degrees: float) -> Colour:
    """From blue (0 degrees apart) through pale yellow (45) to vermilion (90 and more)."""
    share = min(degrees / _WORST, 1.0)
    low, high, part = (_ALIKE, _MIDDLE, share * 2) if share < 0.5 else (_MIDDLE, _DIFFERENT, share * 2 - 1)
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return red, green, blue


def _fitted_height(pixels: NDArray[np.uint8]) -> int:
    rows, columns = pixels.shape[:2]
    return max(1, round(int(rows) * _PHOTO / int(columns)))


def _draw_side(
    sheet: Sheet, side: Shown, at: tuple[int, int], height: int, reasons: PoseReasons | None, *, second: bool
) -> None:
    """One photograph in the middle of its card: the compared person's limbs in the colour of their difference.

    Where the ``second`` person was compared as in a mirror, its parts lie on the other side of the body.
    """
    left, top = at
    rows, columns = side.pixels.shape[:2]
    scale = min(_PHOTO / columns, height / rows)
    width, tall = max(1, round(columns * scale)), max(1, round(rows * scale))
    photo = Image.fromarray(side.pixels).resize((width, tall), Image.Resampling.LANCZOS, reducing_gap=3.0)
    layer = Image.new("RGBA", (width * _OVER, tall * _OVER), (0, 0, 0, 0))
    for number, person in enumerate(side.people.keypoints):
        degrees = reasons.degrees if reasons is not None and number == side.compared else {}
        turned = second and reasons is not None and reasons.mirrored
        _draw_skeleton(ImageDraw.Draw(layer), person, scale * _OVER, degrees, turned=turned)
    small = layer.resize(photo.size, Image.Resampling.BOX)
    photo = Image.alpha_composite(photo.convert("RGBA"), small).convert("RGB")
    sheet.box((left, top, left + _PHOTO, top + height), 10, CARD)
    left, top = left + (_PHOTO - width) // 2, top + (height - tall) // 2
    sheet.box((left, top, left + width, top + tall), 10, photo)


def _draw_skeleton(
    draw: ImageDraw.ImageDraw, person: Keypoints, scale: float, degrees: Mapping[str, float], *, turned: bool
) -> None:
    """One person: parts that have ``degrees`` in their colour, all others in grey."""
    points, known = np.asarray(person, dtype=np.float64)[:, :2] * scale, present(person)
    extent = np.ptp(points[known], axis=0).max() if known.any() else 0.0
    width = float(np.clip(extent / 38, 2.4 * _OVER, 7 * _OVER))
    for ends in _FRAME:
        if known[list(ends)].all():
            _limb(draw, [tuple(points[end]) for end in ends], (255, 255, 255, 200), width * 0.6)
    lines = []
    for name, part in PARTS.items():
        one, two = (list(MIRROR[list(end)] if turned else end) for end in part)
        if known[[*one, *two]].all():
            colour = limb_colour(degrees[name]) if name in degrees else _UNCOMPARED
            lines.append(([tuple(points[one].mean(0)), tuple(points[two].mean(0))], colour))
    for line, _ in lines:
        _limb(draw, line, (255, 255, 255, 235), width + 2.4 * _OVER)
    for line, colour in lines:
        _limb(draw, line, (*colour, 255), width)
    r = width * 0.62
    for x, y in points[known]:
        box = (x - r, y - r, x + r, y + r)
        draw.ellipse(box, fill=(255, 255, 255, 255), outline=(40, 44, 50, 255), width=_OVER)


def _limb(draw: ImageDraw.ImageDraw, line: list[Any], colour: tuple[int, ...], width: float) -> None:
    draw.line(line, fill=colour, width=round(width))
    for x, y in line:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _words_of_maps(found: PairSaliency, room: int) -> list[str]:
    return [line for said in saliency_sentences(found) for line in wrapped(said, _TEXT - 2, room)]


def _height_of_maps(found: PairSaliency | None, room: int) -> int:
    return 0 if found is None else 40 + saliency_height(found, room) + _LINE * len(_words_of_maps(found, room)) + 44


def _draw_maps(sheet: Sheet, found: PairSaliency, at: tuple[int, int], room: int) -> None:
    left, top = at
    sheet.write((left, top + 22), "What brings them together", _TEXT + 3)
    draw_saliency(sheet, found, (left, top + 40), room)
    base = top + 40 + saliency_height(found, room)
    for line in _words_of_maps(found, room):
        base += _LINE
        sheet.write((left, base), line, _TEXT - 2, FAINT)


def _draw_bars(sheet: Sheet, bars: Sequence[Bar], at: tuple[int, int], mark: float | None) -> None:
    left, y = at
    sheet.write(at, "Scores", _TEXT + 3)
    for bar in bars:
        y += 24 if bar is bars[0] else _BAR
        sheet.write((left, y + 22), bar.name, _TEXT)
        value = "unknown" if bar.share is None else probability(bar.share)
        sheet.write((left + _PHOTO, y + 22), value, _TEXT, anchor="rs")
        sheet.box((left, y + 32, left + _PHOTO, y + 46), 7, _TRACK)
        if bar.share is not None and round(_PHOTO * bar.share) >= 14:
            sheet.box((left, y + 32, left + round(_PHOTO * bar.share), y + 46), 7, BLUE)
        if mark is not None and bar is bars[-1]:
            x = left + round(_PHOTO * mark)
            sheet.draw.rectangle((x - 1, y + 28, x + 1, y + 50), fill=INK)
        beside = length(bar.name, _TEXT) + 14
        sheet.write((left + beside, y + 22), bar.words, _TEXT - 3, FAINT, room=_PHOTO - beside - 90)


def _draw_limbs(sheet: Sheet, limbs: Sequence[tuple[str, float]], at: tuple[int, int]) -> None:
    left, top = at
    sheet.write(at, "Limb by limb", _TEXT + 3)
    sheet.write((left + _PHOTO, top), "degrees between directions", _TEXT - 3, FAINT, "rs")
    if not limbs:
        sheet.write((left, top + 46), "nothing to compare", _TEXT, FAINT)
        return
    start, room = left + 190, _PHOTO - 190 - 64
    for number, (name, degrees) in enumerate(limbs):
        y = top + 24 + _LIMB * number
        sheet.write((left, y + 18), name, _TEXT - 1)
        sheet.box((start, y + 6, start + room, y + 18), 6, _TRACK)
        end = start + max(12, round(room * min(degrees / 180, 1)))
        sheet.box((start, y + 6, end, y + 18), 6, limb_colour(degrees))
        sheet.write((left + _PHOTO, y + 18), f"{degrees:.0f}°", _TEXT - 1, anchor="rs")
    # What the colours mean; as long as the bar of the worst angle that has a colour of its own.
    top, width = top + 24 + _LIMB * len(limbs) + 22, round(room * _WORST / 180)
    for x in range(width):
        colour = limb_colour(_WORST * x / (width - 1))
        sheet.draw.line((start + x, top, start + x, top + 8), fill=colour)
    sheet.write((start, top + 30), "same direction", _TEXT - 4, FAINT)
    sheet.write((start + width, top + 30), f"{_WORST:.0f}° or more", _TEXT - 4, FAINT, "rs")
