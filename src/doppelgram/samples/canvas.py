"""Drawing primitives: colours, gradients, noise, rounded limbs and soft masks on Pillow images."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

RGB = tuple[float, float, float]
Point = tuple[float, float]
Floats = NDArray[np.float64]


def stream(seed: int, *keys: str | int) -> np.random.Generator:
    """A random generator of its own for each (seed, keys), so that adding one draw shifts no other."""
    words = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    words += [zlib.crc32(str(key).encode()) for key in keys]
    return np.random.default_rng(words)


def rgb(code: str) -> RGB:
    """``"#rrggbb"`` as three floats in 0..255."""
    return float(int(code[1:3], 16)), float(int(code[3:5], 16)), float(int(code[5:7], 16))


def mix(a: RGB, b: RGB, t: float) -> RGB:
    """The colour a share ``t`` of the way from ``a`` to ``b``."""
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t


def times(colour: RGB, factor: RGB | float) -> RGB:
    """``colour`` with each channel multiplied by a factor (a light colour around 1, or one number)."""
    r, g, b = (factor, factor, factor) if isinstance(factor, int | float) else factor
    return colour[0] * r, colour[1] * g, colour[2] * b


def ink(colour: RGB) -> tuple[int, int, int]:
    """``colour`` rounded and clipped to what Pillow draws with."""
    r, g, b = (min(255, max(0, round(c))) for c in colour)
    return r, g, b


def gradient(width: int, height: int, stops: Sequence[tuple[float, RGB]]) -> Image.Image:
    """A vertical gradient; ``stops`` are (share of the height, colour) from top to bottom."""
    at = np.array([s for s, _ in stops])
    colours = np.array([c for _, c in stops])
    y = (np.arange(height) + 0.5) / height
    column = np.stack([np.interp(y, at, colours[:, k]) for k in range(3)], axis=1)
    # A two-pixel dither hides the bands that eight bits leave in a pale sky.
    pair = np.stack([column - 0.25, column + 0.25], axis=1)
    pair[1::2] = pair[1::2, ::-1]
    tile = np.tile(pair, (1, width // 2 + 1, 1))[:, :width]
    return Image.fromarray(np.clip(np.rint(tile), 0, 255).astype(np.uint8))


def noise(rng: np.random.Generator, width: int, height: int, cells: int, octaves: int = 1) -> NDArray[np.float32]:
    """Smooth value noise of mean near 0.5, shape (height, width); ``cells`` bumps fit across the width."""
    total = np.zeros((height, width), np.float32)
    weight = 1.0
    for octave in range(octaves):
        across = max(2, cells * 2**octave)
        down = max(2, round(across * height / width))
        grid = Image.fromarray(rng.random((down + 1, across + 1), dtype=np.float32))
        total += weight * np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))
        weight /= 2
    return total / np.float32(2 - 2 * weight)


def capsule(draw: ImageDraw.ImageDraw, a: Point, ra: float, b: Point, rb: float, fill: tuple[int, ...] | int) -> None:
    """A tapered limb: circles of radius ``ra`` and ``rb`` and the straight hull between them."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = float(np.hypot(dx, dy))
    if length > 1e-6:
        nx, ny = -dy / length, dx / length
        draw.polygon(
            [
                (a[0] + nx * ra, a[1] + ny * ra),
                (b[0] + nx * rb, b[1] + ny * rb),
                (b[0] - nx * rb, b[1] - ny * rb),
                (a[0] - nx * ra, a[1] - ny * ra),
            ],
            fill=fill,
        )
    disc(draw, a, ra, fill)
    disc(draw, b, rb, fill)


def disc(draw: ImageDraw.ImageDraw, centre: Point, radius: float, fill: tuple[int, ...] | int) -> None:
    """A filled circle."""
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def curve(points: Sequence[Point], steps: int = 6, closed: bool = True) -> list[Point]:
    """A smooth line through ``points``: a Catmull-Rom spline with ``steps`` pieces a span."""
    p = np.asarray(points, dtype=np.float64)
    p = np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([p[:1], p, p[-1:]])
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[i : len(p) - 3 + i, None, :] for i in range(4))
    spans = 0.5 * (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    line = [(float(x), float(y)) for x, y in spans.reshape(-1, 2)]
    return line if closed else [*line, (float(p[-1, 0]), float(p[-1, 1]))]


def blur(image: Image.Image, radius: float) -> Image.Image:
    """A Gaussian blur; wide ones are done on a reduced copy, which looks the same and costs far less."""
    shrink = 8 if radius > 24 else 4 if radius > 10 else 2 if radius > 5 else 1
    if shrink == 1 or min(image.size) < 4 * shrink:
        return image.filter(ImageFilter.GaussianBlur(radius)) if radius > 0.05 else image
    small = image.reduce(shrink).filter(ImageFilter.GaussianBlur(radius / shrink))
    return small.resize(image.size, Image.Resampling.BILINEAR)


def wash(image: Image.Image, colour: RGB, mask: Image.Image) -> None:
    """Paint ``colour`` onto ``image`` through an "L" mask, in place."""
    image.paste(ink(colour), (0, 0, *image.size), mask)


def darken(image: Image.Image, mask: Image.Image, colour: RGB, at: tuple[int, int] = (0, 0)) -> None:
    """Multiply ``image`` by ``colour`` (0..255) where the "L" ``mask`` says so, in place: a shadow."""
    box = (at[0], at[1], at[0] + mask.width, at[1] + mask.height)
    under = image.crop(box)
    shade = Image.new("RGB", mask.size, ink(colour))
    image.paste(ImageChops.multiply(under, shade), box, mask)


def scale_mask(mask: Image.Image, factor: float) -> Image.Image:
    """An "L" mask with every value multiplied by ``factor``."""
    return mask.point([min(255, round(v * factor)) for v in range(256)])
