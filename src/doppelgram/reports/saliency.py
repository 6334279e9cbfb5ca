"""Photographs under their maps: grey where nothing brings them together, coloured where something does."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from doppelgram.pose.skeleton import LIMBS, present
from doppelgram.reports.drawing import BLUE, CARD, FAINT, INK, WHITE, Sheet, length
from doppelgram.saliency.maps import OCCLUSION, PairSaliency, SaliencyMap

# Of Matplotlib's perceptually even colours: from yellow to violet, so that more is darker in every kind of colour
# vision and in print. The black end would hide the photograph.
_COLOURS, _FIRST, _LAST = "inferno_r", 0.06, 0.66
# How opaque the strongest colour is, and from which strength to which it grows to that from nothing.
_OPAQUE, _FAINT, _FULL = 0.66, 0.06, 0.45
# Where the line runs, as a share of the strongest place.
_LINE = 0.5
# The strongest joint's radius, as a share of the person's extent.
_JOINT = 0.045
_GAP, _HIGHEST, _LEGEND, _SIZE, _OVER = 28, 560, 46, 17, 3


def saliency_height(found: PairSaliency, room: int) -> int:
    """How high `draw_saliency` draws in that width, in pixels."""
    return max(_fitted(one, room)[1] for one in (found.a, found.b)) + _LEGEND


def draw_saliency(sheet: Sheet, found: PairSaliency, at: tuple[int, int], room: int) -> None:
    """Draw both photographs under their maps, with the joints of their people and a legend below.

    Args:
        sheet: to draw on.
        found: the maps.
        at: left and top in pixels.
        room: width in pixels.
    """
    left, top = at
    column = (room - _GAP) // 2
    height = saliency_height(found, room) - _LEGEND
    joints = [one.joints for one in (found.a, found.b) if one.joints is not None]
    most = max((float(np.nanmax(np.abs(each), initial=0.0)) for each in joints), default=0.0)
    for x, one, strength in zip((left, left + column + _GAP), (found.a, found.b), found.strengths, strict=True):
        wide, tall = _fitted(one, room)
        photo = _joined(one, _framed(one, under_map(one.pixels, strength, (wide, tall))), most)
        sheet.box((x, top, x + column, top + height), 10, CARD)
        corner = x + (column - wide) // 2, top + (height - tall) // 2
        sheet.box((*corner, corner[0] + wide, corner[1] + tall), 10, photo)
    _draw_legend(sheet, (left, top + height + 14), joints=most > 0)


def under_map(pixels: NDArray[np.uint8], strength: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """A photograph in pale grey, coloured by a map.

    Args:
        pixels: uint8 (h, w, 3).
        strength: float32 (h, w), 0 to 1.
        size: width and height of the result.
    """
    grey = Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    # Made pale, so that under a colour light and dark still tell what is there, and the colour how much it counts.
    pale = 95 + np.asarray(grey, dtype=np.float32) * (160 / 255)
    amount = np.asarray(Image.fromarray(strength).resize(size, Image.Resampling.BILINEAR)).clip(0, 1)
    opaque = (_OPAQUE * ((amount - _FAINT) / (_FULL - _FAINT)).clip(0, 1))[..., None]
    shown = pale[..., None] * (1 - opaque) + _ramp()[(amount * 255).round().astype(np.int64)] * opaque
    image = Image.fromarray(shown.round().clip(0, 255).astype(np.uint8))
    return _outlined(image, amount)


def _outlined(image: Image.Image, amount: NDArray[np.float32]) -> Image.Image:
    """A dark line with a white rim where the map has half of its greatest strength."""
    from scipy.ndimage import binary_dilation, gaussian_filter

    above = gaussian_filter(amount, 1.5) >= _LINE
    if not above.any():
        return image
    edge = binary_dilation(above) & ~above
    rim, line = binary_dilation(edge, iterations=2), binary_dilation(edge)
    pixels = np.asarray(image).copy()
    pixels[rim] = WHITE
    pixels[line] = INK
    return Image.fromarray(pixels)


@cache
def _ramp() -> NDArray[np.float32]:
    """Colours of strengths from 0 to 1, float32 (256, 3) from 0 to 255."""
    from matplotlib import colormaps

    colours = colormaps[_COLOURS](np.linspace(_FIRST, _LAST, 256))[:, :3]
    return np.asarray(255 * colours, dtype=np.float32)


def _fitted(one: SaliencyMap, room: int) -> tuple[int, int]:
    """Width and height of a photograph in its half of the room."""
    rows, columns = one.pixels.shape[:2]
    scale = min((room - _GAP) // 2 / columns, _HIGHEST / rows)
    return max(1, round(columns * scale)), max(1, round(rows * scale))


def _framed(one: SaliencyMap, photo: Image.Image) -> Image.Image:
    """The photograph with a thin frame round what the model is shown, if that is not all of it."""
    if not one.shown:
        return photo
    over = photo.resize((photo.width * _OVER, photo.height * _OVER), Image.Resampling.BICUBIC)
    scale = np.array([over.width / one.pixels.shape[1], over.height / one.pixels.shape[0]])
    corners = [tuple(np.asarray(corner) * scale) for corner in (*one.shown, one.shown[0])]
    draw = ImageDraw.Draw(over)
    for colour, width in ((INK, 4), (WHITE, 2)):
        draw.line(corners, fill=colour, width=width)
    return over.resize(photo.size, Image.Resampling.BOX)


def _joined(one: SaliencyMap, photo: Image.Image, most: float) -> Image.Image:
    """The photograph with a disc for each joint that brings the poses together, and a ring for one that does not."""
    if one.people is None or one.joints is None or most <= 0:
        return photo
    layer = Image.new("RGBA", (photo.width * _OVER, photo.height * _OVER), (255, 255, 255, 0))
    draw = ImageDraw.Draw(layer)
    scale = np.array([layer.width / one.pixels.shape[1], layer.height / one.pixels.shape[0]])
    for person, values in zip(one.people.keypoints, one.joints, strict=True):
        points, known = np.asarray(person, dtype=np.float64)[:, :2] * scale, present(person)
        if not known.any():
            continue
        for start, end in LIMBS:
            if known[[start, end]].all():
                draw.line([tuple(points[start]), tuple(points[end])], fill=(*WHITE, 210), width=2 * _OVER)
        reach = np.ptp(points[known], axis=0).max()
        for (x, y), value in zip(points[known], values[known], strict=True):
            _joint(draw, (x, y), float(value) / most, max(_JOINT * reach, 6 * _OVER))
    small = layer.resize(photo.size, Image.Resampling.BOX)
    return Image.alpha_composite(photo.convert("RGBA"), small).convert("RGB")


def _joint(draw: ImageDraw.ImageDraw, at: tuple[float, float], share: float, largest: float) -> None:
    """One joint, whose area says how much it counts."""
    radius = max(largest * np.sqrt(abs(share)), 1.5 * _OVER)
    x, y = at
    for more, colour in ((1.5 * _OVER, WHITE), (0, BLUE)):
        r = radius + more
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(*colour, 255))
    inner = radius - 1.8 * _OVER
    if share < 0 and inner > 0:
        draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=(*WHITE, 255))


def _draw_legend(sheet: Sheet, at: tuple[int, int], *, joints: bool) -> None:
    x, top = at
    base = top + 16

    def words(text: str) -> None:
        nonlocal x
        sheet.write((x, base), text, _SIZE, FAINT)
        x += round(length(text, _SIZE)) + 12

    words("adds nothing")
    bar = np.broadcast_to(np.linspace(0, 1, 180, dtype=np.float32), (12, 180))
    sheet.box((x, top + 4, x + 180, top + 16), 3, under_map(np.full((12, 180, 3), 200, np.uint8), bar, (180, 12)))
    x += 192
    words("adds most, of both photographs; the line: half of that")
    if joints:
        for share, text in ((1.0, "joint that brings the poses together"), (-1.0, "that keeps them apart")):
            disc = Image.new("RGBA", (20 * _OVER, 20 * _OVER), (255, 255, 255, 0))
            _joint(ImageDraw.Draw(disc), (10.0 * _OVER, 10.0 * _OVER), share, 8.0 * _OVER)
            x += 14
            sheet.stamp(disc.resize((20, 20), Image.Resampling.BOX), (x, top))
            x += 28
            words(text)


def saliency_sentences(found: PairSaliency) -> list[str]:
    """What the maps show, and what they leave out."""
    what = "the place" if found.part else "both photographs"
    if found.method == OCCLUSION:
        said = [f"Colour: how much farther apart {what} would be without this part (a fifth of each side blurred)."]
    else:
        said = [
            f"Colour: the part of the similarity of {what}, {found.similarity:.2f} in all, that lies there (Grad-CAM)."
        ]
    if not any(strength.any() for strength in found.strengths):
        said = [f"Nothing brings {what} together, so there is no colour."]
    if found.a.shown or found.b.shown:
        said.append("White frame: what the model is shown.")
    if found.a.joints is not None:
        said.append("Joints: how much farther apart the poses would be without this one.")
    elif found.part:
        said.append("No joints: there is no pose in both that is compared by keypoints.")
    if found.pose_pictures:
        said.append("The model also looks at a picture of each person, of which there is no map.")
    return said
