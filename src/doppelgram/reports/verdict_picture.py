"""The picture of `verify`: two photographs, the verdict, and which of their parts bring them together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.models.verdict import Verdict
from doppelgram.numbers import probability
from doppelgram.reports.drawing import CARD, FAINT, Sheet, shorten, wrapped
from doppelgram.reports.saliency import draw_saliency, saliency_height, saliency_sentences
from doppelgram.saliency.maps import PairSaliency

WIDTH, _MARGIN, _GAP, _TEXT = 1480, 48, 28, 19
_ROOM = WIDTH - 2 * _MARGIN
_COLUMN, _HIGHEST, _LINE = (_ROOM - _GAP) // 2, 480, 28


def draw_verdict(verdict: Verdict, found: PairSaliency, footer: str, file: Path) -> Path:
    """Draw what a model says of two photographs and what it looked at as a PNG, which is replaced whole.

    Args:
        verdict: what it says.
        found: the maps.
        footer: which model judged, in one line.
        file: the PNG.

    Returns:
        ``file``.
    """
    sides = found.a.pixels, found.b.pixels
    tall = max(_fitted(pixels)[1] for pixels in sides)
    lines = [line for said in saliency_sentences(found) for line in wrapped(said, _TEXT - 1, _ROOM)]
    top_of_photos = _MARGIN + 96
    top_of_maps = top_of_photos + tall + 96
    top_of_lines = top_of_maps + saliency_height(found, _ROOM) + 14
    sheet = Sheet(WIDTH, top_of_lines + _LINE * len(lines) + 34 + _MARGIN)
    headline, line = _in_words(verdict)
    sheet.write((_MARGIN, _MARGIN + 30), headline, 40, room=_ROOM)
    sheet.write((_MARGIN, _MARGIN + 68), line, _TEXT + 1, FAINT, room=_ROOM)
    for number, (pixels, name) in enumerate(zip(sides, (verdict.image_a, verdict.image_b), strict=True)):
        left = _MARGIN + number * (_COLUMN + _GAP)
        wide, high = _fitted(pixels)
        photo = Image.fromarray(pixels).resize((wide, high), Image.Resampling.LANCZOS, reducing_gap=3.0)
        sheet.box((left, top_of_photos, left + _COLUMN, top_of_photos + tall), 10, CARD)
        x, y = left + (_COLUMN - wide) // 2, top_of_photos + (tall - high) // 2
        sheet.box((x, y, x + wide, y + high), 10, photo)
        base = top_of_photos + tall + 30
        sheet.write((left, base), "AB"[number], _TEXT + 3)
        sheet.write((left + 26, base), shorten(Path(name).name, _TEXT, _COLUMN - 40, middle=True), _TEXT)
    sheet.write((_MARGIN, top_of_maps - 16), "What brings them together", _TEXT + 3)
    draw_saliency(sheet, found, (_MARGIN, top_of_maps), _ROOM)
    for number, text in enumerate(lines):
        sheet.write((_MARGIN, top_of_lines + _LINE * (number + 1)), text, _TEXT - 1)
    sheet.write((_MARGIN, sheet.height - _MARGIN + 12), footer, 15, FAINT, room=_ROOM)
    return sheet.save(file)


def _fitted(pixels: NDArray[np.uint8]) -> tuple[int, int]:
    rows, columns = pixels.shape[:2]
    scale = min(_COLUMN / columns, _HIGHEST / rows)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _in_words(verdict: Verdict) -> tuple[str, str]:
    """Headline, and a line of numbers."""
    if verdict.probability is None:
        return f"Distance {verdict.distance:.4f}", "The model is not calibrated, so there is no probability."
    headline = f"{'The same' if verdict.same else 'Different'}: {probability(verdict.probability)}"
    if verdict.parts:
        each = ", ".join(f"{name} {probability(value)}" for name, value in verdict.parts.items())
        return headline, f"Probability that they show the same pose before the same place; {each}."
    return (
        headline,
        f"Probability that they show the same. Their distance is {verdict.distance:.4f}; up to "
        f"{verdict.threshold:.4f} a pair counts as the same.",
    )
