"""The picture of `compare-images`: two photographs, their skeletons limb by limb, the scores, and the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.files import written_whole
from doppelgram.pose.people import People
from doppelgram.pose.reasons import PARTS, PoseReasons
from doppelgram.pose.skeleton import L_HIP, L_SHOULDER, MIRROR, NECK, R_HIP, R_SHOULDER, present
from doppelgram.reports.drawing import CARD, FAINT, INK, PAGE, Colour, font_for, rounded, shorten, write
from doppelgram.reports.pair.words import percent

# From alike to different: blue and vermilion of Okabe and Ito's palette with a pale middle, which every kind of colour
# vision tells apart and which stay apart in grey at their ends.
_ALIKE, _MIDDLE, _DIFFERENT = (0, 114, 178), (240, 228, 160), (213, 94, 0)
_UNCOMPARED: Colour = (150, 155, 160)
_WORST = 90.0

WIDTH, _MARGIN, _GAP, _TEXT = 1480, 48, 28, 19
_PHOTO = (WIDTH - 2 * _MARGIN - _GAP) // 2
_PHOTO_HEIGHT = 640
_BAR, _LIMB, _LINE, _SPACE = 64, 31, 27, 9
_TRACK: Colour = (222, 226, 231)
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


def draw_comparison(
    verdict: str, line: str, sides: tuple[Shown, Shown], bars: Sequence[Bar], reasons: PoseReasons | None,
    why: Sequence[str], footer: str, file: Path, *, mark: float | None = None,
) -> Path:  # fmt: skip
    """Draw a comparison of two photographs as a PNG.

    Args:
        verdict: in a few words.
        line: one line under it.
        sides: both photographs.
        bars: the scores.
        reasons: limb by limb, for the colours of the skeletons and the list; None where nobody can be compared.
        why: sentences.
        footer: what judged, in one line.
        file: PNG to write; it is replaced whole.
        mark: share at which the verdict turns, drawn on the last bar.

    Returns:
        ``file``.
    """
    photo_height = min(_PHOTO_HEIGHT, max(_fitted_height(side.pixels) for side in sides))
    limbs = [] if reasons is None else sorted(reasons.degrees.items(), key=lambda item: -item[1])
    top_of_photos = _MARGIN + 96
    top_of_scores = top_of_photos + photo_height + 88
    top_of_why = top_of_scores + 24 + len(bars) * _BAR + 40
    lines = [_wrapped(sentence, _PHOTO, _TEXT - 1) for sentence in why]
    left = top_of_why + 6 + sum(_LINE * len(part) + _SPACE for part in lines)
    right = top_of_scores + 24 + (_LIMB * len(limbs) + 72 if limbs else 40)
    height = max(left, right) + 34 + _MARGIN
    page = Image.new("RGB", (WIDTH, height), PAGE)
    draw = ImageDraw.Draw(page)
    write(draw, (_MARGIN, _MARGIN + 30), shorten(verdict, 40, WIDTH - 2 * _MARGIN), 40, INK, "ls")
    write(draw, (_MARGIN, _MARGIN + 68), shorten(line, _TEXT + 1, WIDTH - 2 * _MARGIN), _TEXT + 1, FAINT, "ls")
    for number, side in enumerate(sides):
        left = _MARGIN + number * (_PHOTO + _GAP)
        _draw_side(page, side, "AB"[number], left, top_of_photos, photo_height, reasons, flipped=number == 1)
    _draw_bars(page, bars, _MARGIN, top_of_scores, _PHOTO, mark)
    _draw_limbs(page, limbs, _MARGIN + _PHOTO + _GAP, top_of_scores, _PHOTO)
    write(draw, (_MARGIN, top_of_why), "Why", _TEXT + 3, INK, "ls")
    base = top_of_why + 6
    for part in lines:
        for text in part:
            base += _LINE
            write(draw, (_MARGIN, base), text, _TEXT - 1, INK, "ls")
        base += _SPACE
    write(draw, (_MARGIN, height - _MARGIN + 12), shorten(footer, 15, WIDTH - 2 * _MARGIN), 15, FAINT, "ls")
    with written_whole(file) as aside:
        page.save(aside, "PNG")
    return file


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
    page: Image.Image, side: Shown, letter: str, left: int, top: int, height: int, reasons: PoseReasons | None,
    *, flipped: bool,
) -> None:  # fmt: skip
    """One photograph in its card, with the skeletons of its people and a caption."""
    rows, columns = side.pixels.shape[:2]
    scale = min(_PHOTO / columns, height / rows)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    picture = Image.fromarray(side.pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = _with_skeletons(picture, side, scale, reasons, flipped)
    rounded(page, (left, top, left + _PHOTO, top + height), 10, CARD)
    at = left + (_PHOTO - size[0]) // 2, top + (height - size[1]) // 2
    rounded(page, (*at, at[0] + size[0], at[1] + size[1]), 10, picture)
    draw = ImageDraw.Draw(page)
    base = top + height + 30
    write(draw, (left, base), letter, _TEXT + 3, INK, "ls")
    write(draw, (left + 26, base), shorten(side.name, _TEXT, _PHOTO - 340, middle=True), _TEXT, INK, "ls")
    write(draw, (left + _PHOTO, base), shorten(side.caption, _TEXT - 2, 320), _TEXT - 2, FAINT, "rs")


def _with_skeletons(
    picture: Image.Image, side: Shown, scale: float, reasons: PoseReasons | None, flipped: bool
) -> Image.Image:
    """Skeletons over a photograph: the compared person's limbs in the colour of their difference, others in grey."""
    over = 3
    layer = Image.new("RGBA", (picture.width * over, picture.height * over), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    for number, person in enumerate(side.people.keypoints):
        points = np.asarray(person, dtype=np.float64)[:, :2] * scale * over
        known = present(person)
        extent = np.ptp(points[known], axis=0).max() if known.any() else 0.0
        width = float(np.clip(extent / 38, 2.4 * over, 7 * over))
        counted = reasons is not None and number == side.compared
        for one_end, other_end in _FRAME:
            if known[[one_end, other_end]].all():
                _limb(draw, [tuple(points[one_end]), tuple(points[other_end])], (255, 255, 255, 200), width * 0.6)
        for rim in (True, False):
            for name, (start, end) in PARTS.items():
                one, two = _joints(start, flipped, reasons), _joints(end, flipped, reasons)
                if not known[[*one, *two]].all():
                    continue
                line = [tuple(points[one].mean(0)), tuple(points[two].mean(0))]
                degrees = reasons.degrees.get(name) if counted and reasons is not None else None
                colour = _UNCOMPARED if degrees is None else limb_colour(degrees)
                if not counted:
                    colour = _UNCOMPARED
                _limb(draw, line, (255, 255, 255, 235) if rim else (*colour, 255), width + (2.4 * over if rim else 0))
        for x, y in points[known]:
            r = width * 0.62
            draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 255, 255, 255), outline=(40, 44, 50, 255), width=over)
    small = layer.resize(picture.size, Image.Resampling.BOX)
    return Image.alpha_composite(picture.convert("RGBA"), small).convert("RGB")


def _joints(which: tuple[int, ...], flipped: bool, reasons: PoseReasons | None) -> list[int]:
    """Joints of a part; on the second photograph those that correspond to it in the mirror, if that was compared."""
    if flipped and reasons is not None and reasons.mirrored:
        return [int(MIRROR[joint]) for joint in which]
    return list(which)


def _limb(draw: ImageDraw.ImageDraw, line: list[Any], colour: tuple[int, ...], width: float) -> None:
    draw.line(line, fill=colour, width=round(width))
    for x, y in line:
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _draw_bars(page: Image.Image, bars: Sequence[Bar], left: int, top: int, width: int, mark: float | None) -> None:
    draw = ImageDraw.Draw(page)
    write(draw, (left, top), "Scores", _TEXT + 3, INK, "ls")
    y = top + 24
    for bar in bars:
        write(draw, (left, y + 22), bar.name, _TEXT, INK, "ls")
        value = "unknown" if bar.share is None else percent(bar.share)
        write(draw, (left + width, y + 22), value, _TEXT, INK, "rs")
        track = (left, y + 32, left + width, y + 46)
        rounded(page, track, 7, _TRACK)
        if bar.share is not None and round(width * bar.share) >= 14:
            rounded(page, (left, y + 32, left + round(width * bar.share), y + 46), 7, _ALIKE)
        if mark is not None and bar is bars[-1]:
            x = left + round(width * mark)
            draw.rectangle((x - 1, y + 28, x + 1, y + 50), fill=INK)
        beside = left + font_for(bar.name, _TEXT).getlength(bar.name) + 14
        room = width - (beside - left) - 90
        write(draw, (beside, y + 22), shorten(bar.words, _TEXT - 3, room), _TEXT - 3, FAINT, "ls")
        y += _BAR


def _draw_limbs(page: Image.Image, limbs: Sequence[tuple[str, float]], left: int, top: int, width: int) -> None:
    draw = ImageDraw.Draw(page)
    write(draw, (left, top), "Limb by limb", _TEXT + 3, INK, "ls")
    write(draw, (left + width, top), "degrees between directions", _TEXT - 3, FAINT, "rs")
    if not limbs:
        write(draw, (left, top + 46), "nothing to compare", _TEXT, FAINT, "ls")
        return
    start, room = left + 190, width - 190 - 64
    for number, (name, degrees) in enumerate(limbs):
        y = top + 24 + _LIMB * number
        write(draw, (left, y + 18), name, _TEXT - 1, INK, "ls")
        rounded(page, (start, y + 6, start + room, y + 18), 6, _TRACK)
        end = start + max(12, round(room * min(degrees / 180, 1)))
        rounded(page, (start, y + 6, end, y + 18), 6, limb_colour(degrees))
        write(draw, (left + width, y + 18), f"{degrees:.0f}°", _TEXT - 1, INK, "rs")
    # As long as the bar of the worst angle that has a colour of its own, so that colours stand where bars end.
    _draw_scale(page, start, top + 24 + _LIMB * len(limbs) + 22, round(room * _WORST / 180))


def _draw_scale(page: Image.Image, left: int, top: int, width: int) -> None:
    """What the colours of limbs mean."""
    draw = ImageDraw.Draw(page)
    for x in range(width):
        draw.line((left + x, top, left + x, top + 8), fill=limb_colour(_WORST * x / (width - 1)))
    for share, text, anchor in ((0.0, "same direction", "ls"), (1.0, f"{_WORST:.0f}° or more", "rs")):
        write(draw, (left + round(width * share), top + 30), text, _TEXT - 4, FAINT, anchor)


def _wrapped(text: str, width: int, size: int) -> list[str]:
    """A sentence in lines of at most ``width`` pixels."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font_for(longer, size).getlength(longer) > width:
            lines.append(shorten(word, size, width))
        else:
            lines[-1] = longer
    return lines
