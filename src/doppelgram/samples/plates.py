"""Traffic signs as flat plates: shape, rim, field and glyph of every class, drawn without fonts."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from doppelgram.samples.canvas import Point, curve, disc, ink, rgb

PLATE = 240  # pixels a side of a drawn plate; the plate itself spans the middle 200
RED, BLUE, WHITE, BLACK, YELLOW, GREY = (
    ink(rgb(c)) for c in ("#c4161c", "#0f5aa6", "#f4f4f0", "#1b1b1d", "#f6c21c", "#8b9096")
)
Ink = tuple[int, int, int]


def _oval(x: float, y: float, rx: float, ry: float) -> list[Point]:
    """A closed ring of points, squarer than an ellipse as road numerals are."""
    angle = np.linspace(-np.pi / 2, 1.5 * np.pi, 25)
    cos, sin = np.cos(angle), np.sin(angle)
    return [
        (float(x + rx * np.sign(c) * abs(c) ** 0.8), float(y + ry * np.sign(s) * abs(s) ** 0.9))
        for c, s in zip(cos, sin, strict=True)
    ]


# Strokes in a box of width 0.6 and height 1 (y down), each a list of points; more than two make a spline.
DIGITS: dict[str, list[list[Point]]] = {
    "0": [_oval(0.3, 0.5, 0.27, 0.5)],
    "1": [[(0.12, 0.2), (0.34, 0.02)], [(0.34, 0.02), (0.34, 1.0)]],
    "2": [
        [(0.05, 0.22), (0.14, 0.05), (0.36, 0.0), (0.55, 0.16), (0.5, 0.42), (0.26, 0.7), (0.05, 1.0)],
        [(0.05, 1.0), (0.57, 1.0)],
    ],
    "3": [
        [(0.06, 0.12), (0.28, 0.0), (0.53, 0.12), (0.5, 0.38), (0.24, 0.48)],
        [(0.24, 0.48), (0.54, 0.6), (0.54, 0.87), (0.28, 1.0), (0.04, 0.87)],
    ],
    "4": [[(0.42, 1.0), (0.42, 0.0)], [(0.42, 0.0), (0.02, 0.7)], [(0.02, 0.7), (0.6, 0.7)]],
    "5": [
        [(0.52, 0.0), (0.12, 0.0)],
        [(0.12, 0.0), (0.07, 0.45)],
        [(0.07, 0.45), (0.3, 0.36), (0.54, 0.5), (0.55, 0.8), (0.3, 1.0), (0.04, 0.88)],
    ],
    "6": [[(0.5, 0.06), (0.28, 0.0), (0.09, 0.26), (0.04, 0.66)], _oval(0.3, 0.7, 0.26, 0.3)],
    "7": [[(0.04, 0.0), (0.56, 0.0)], [(0.56, 0.0), (0.22, 1.0)]],
    "8": [_oval(0.3, 0.235, 0.23, 0.235), _oval(0.3, 0.73, 0.27, 0.27)],
    "P": [
        [(0.08, 1.0), (0.08, 0.0)],
        [(0.08, 0.0), (0.34, 0.0), (0.56, 0.12), (0.56, 0.42), (0.34, 0.55), (0.08, 0.55)],
    ],
}


def _stroke(pen: ImageDraw.ImageDraw, points: list[Point], width: float, fill: Ink) -> None:
    path = curve(points, 8, closed=False) if len(points) > 2 else points
    for a, b in pairwise(path):
        pen.line([a, b], fill=fill, width=round(width))
    for p in path:
        disc(pen, p, width / 2 - 0.5, fill)


def _text(pen: ImageDraw.ImageDraw, text: str, fill: Ink, height: float = 84.0, x: float = 120, y: float = 120) -> None:
    width, gap = 0.6 * height, 0.27 * height
    left = x - (len(text) * width + (len(text) - 1) * gap) / 2
    for k, letter in enumerate(text):
        x0 = left + k * (width + gap)
        for points in DIGITS[letter]:
            _stroke(pen, [(x0 + u * height, y + (v - 0.5) * height) for u, v in points], height * 0.17, fill)


def _arrow(pen: ImageDraw.ImageDraw, path: list[Point], fill: Ink, width: float = 22.0, head: float = 30.0) -> None:
    """A polyline with an arrow head at its end."""
    (ax, ay), (bx, by) = path[-2], path[-1]
    length = float(np.hypot(bx - ax, by - ay))
    ux, uy = (bx - ax) / length, (by - ay) / length
    stem = [*path[:-1], (bx - ux * head * 0.9, by - uy * head * 0.9)]
    _stroke(pen, stem, width, fill)
    base = (bx - ux * head * 1.15, by - uy * head * 1.15)
    pen.polygon(
        [(bx, by), (base[0] - uy * head, base[1] + ux * head), (base[0] + uy * head, base[1] - ux * head)], fill=fill
    )


def _flip(path: list[Point]) -> list[Point]:
    return [(240 - x, y) for x, y in path]


TURN: list[Point] = [(142, 176), (142, 120), (136, 104), (120, 98), (66, 98)]
BEND: list[Point] = [(134, 186), (134, 160), (126, 146), (110, 134), (106, 118), (112, 84)]
BIKE: list[list[Point]] = [
    [(82, 138), (104, 104), (144, 104), (158, 138)],
    [(104, 104), (118, 138)],
    [(144, 104), (118, 138)],
    [(82, 138), (118, 138)],
    [(144, 104), (138, 88), (152, 88)],
    [(98, 94), (112, 94)],
]


def _walker(pen: ImageDraw.ImageDraw, fill: Ink, x: float, y: float, s: float) -> None:
    disc(pen, (x + 2 * s, y - 40 * s), 8.5 * s, fill)
    for points in (
        [(0, -26), (-4, 4)],
        [(-4, 4), (12, 22), (14, 44)],
        [(-4, 4), (-10, 24), (-22, 42)],
        [(0, -24), (16, -8), (26, -6)],
        [(0, -24), (-14, -12), (-18, 4)],
    ):
        _stroke(pen, [(x + u * s, y + v * s) for u, v in points], 10 * s, fill)


Draw = Callable[[ImageDraw.ImageDraw], None]


def _round(pen: ImageDraw.ImageDraw, rim: Ink, field: Ink, width: float = 22.0) -> None:
    disc(pen, (120, 120), 100, WHITE)
    disc(pen, (120, 120), 97, rim)
    disc(pen, (120, 120), 97 - width, field)


def _corners(count: int, turn: float, radius: float, shift: float = 0.0) -> list[Point]:
    return [
        (120 + radius * float(np.cos(a)), 120 + shift + radius * float(np.sin(a)))
        for a in np.radians(turn) + 2 * np.pi * np.arange(count) / count
    ]


def _polygon(pen: ImageDraw.ImageDraw, count: int, turn: float, layers: list[tuple[float, Ink]], shift: float) -> None:
    for radius, fill in layers:
        points = _corners(count, turn, radius - 9, shift)
        pen.polygon(points, fill=fill)
        for a, b in zip(points, [*points[1:], points[0]], strict=True):
            pen.line([a, b], fill=fill, width=18)
            disc(pen, a, 9, fill)


def _limit(text: str) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        _round(pen, RED, WHITE)
        _text(pen, text, BLACK)

    return draw


def _ban(path: list[Point]) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        _round(pen, RED, WHITE, 18)
        _arrow(pen, path, BLACK)
        pen.line([(58, 58), (182, 182)], fill=RED, width=16)

    return draw


def _order(path: list[Point]) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        _round(pen, BLUE, BLUE, 0)
        _arrow(pen, path, WHITE)

    return draw


def _warn(fill: Ink, glyph: Draw) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        rim = RED if fill == WHITE else BLACK
        _polygon(pen, 3, -90, [(124, WHITE if fill == WHITE else YELLOW), (120, rim), (80, fill)], 22)
        glyph(pen)

    return draw


def _bend(left: bool) -> Draw:
    path = [(120 + (x - 120) * 0.82, 144 + (y - 135) * 0.8) for x, y in BEND]
    return lambda pen: _arrow(pen, path if left else _flip(path), BLACK, 15, 19)


def _mark(pen: ImageDraw.ImageDraw) -> None:
    pen.polygon([(109, 88), (131, 88), (125, 142), (115, 142)], fill=BLACK)
    disc(pen, (120, 162), 11, BLACK)


def _lights(pen: ImageDraw.ImageDraw) -> None:
    pen.rounded_rectangle((102, 82, 138, 178), 8, fill=BLACK)
    for y, fill in ((97, RED), (130, YELLOW), (162, (52, 160, 84))):
        disc(pen, (120, y), 11, fill)


def _square(glyph: Draw, fill: Ink = BLUE) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        pen.rounded_rectangle((24, 24, 216, 216), 16, fill=WHITE)
        pen.rounded_rectangle((30, 30, 210, 210), 12, fill=fill)
        glyph(pen)

    return draw


def _crossing(pen: ImageDraw.ImageDraw) -> None:
    pen.polygon([(120, 42), (204, 192), (36, 192)], fill=WHITE)
    _walker(pen, BLACK, 118, 134, 0.98)
    for k in range(5):
        pen.rectangle((62 + 26 * k, 182, 76 + 26 * k, 191), fill=BLACK)


def _no_entry(pen: ImageDraw.ImageDraw) -> None:
    _round(pen, RED, RED, 0)
    pen.rounded_rectangle((52, 102, 188, 138), 6, fill=WHITE)


def _priority(ended: bool) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        _polygon(pen, 4, 0, [(112, BLACK), (107, WHITE), (76, YELLOW)], 0)
        if ended:
            for d in (-14, 0, 14):
                pen.line([(84 + d, 166 + d), (156 + d, 74 + d)], fill=BLACK, width=6)

    return draw


def _stop(pen: ImageDraw.ImageDraw) -> None:
    _polygon(pen, 8, 22.5, [(109, WHITE), (104, RED)], 0)
    for k, top in enumerate((92, 78, 76, 84)):  # an open hand
        _stroke(pen, [(93.0 + 18 * k, float(top)), (93.0 + 18 * k, 138.0)], 14, WHITE)
    _stroke(pen, [(76, 120), (92, 146)], 14, WHITE)
    pen.rounded_rectangle((86, 122, 154, 174), 20, fill=WHITE)


def _bicycle(banned: bool) -> Draw:
    def draw(pen: ImageDraw.ImageDraw) -> None:
        if banned:
            _round(pen, RED, WHITE, 18)
        else:
            _round(pen, BLUE, BLUE, 0)
        fill = BLACK if banned else WHITE
        for x in (82, 158):
            pen.ellipse((x - 25, 113, x + 25, 163), outline=fill, width=8)
        for points in BIKE:
            for a, b in pairwise(points):
                pen.line([a, b], fill=fill, width=8)

    return draw


def _end_limit(pen: ImageDraw.ImageDraw) -> None:
    _round(pen, GREY, WHITE, 8)
    _text(pen, "50", GREY)
    for d in (-18, 0, 18):
        pen.line([(60 + d, 180 + d * 0.8), (180 + d, 60 + d * 0.8)], fill=BLACK, width=6)


def _yield(pen: ImageDraw.ImageDraw) -> None:
    _polygon(pen, 3, 90, [(124, WHITE), (120, RED), (74, WHITE)], -22)


# The first classes already contain the close calls: numbers, left against right, rim against rim.
SIGNS: dict[str, Draw] = {
    "round_red_30": _limit("30"),
    "round_red_50": _limit("50"),
    "round_red_80": _limit("80"),
    "round_blue_left": _order(TURN),
    "round_blue_right": _order(_flip(TURN)),
    "triangle_red_bend_left": _warn(WHITE, _bend(True)),
    "triangle_red_bend_right": _warn(WHITE, _bend(False)),
    "round_red_no_left": _ban(TURN),
    "round_red_no_right": _ban(_flip(TURN)),
    "round_red_no_entry": _no_entry,
    "square_blue_parking": _square(lambda pen: _text(pen, "P", WHITE, 116)),
    "square_blue_crossing": _square(_crossing),
    "diamond_yellow_priority": _priority(False),
    "octagon_red_stop": _stop,
    "triangle_red_yield": _yield,
    "triangle_red_danger": _warn(WHITE, _mark),
    "round_blue_straight": _order([(120, 180), (120, 60)]),
    "round_red_60": _limit("60"),
    "diamond_yellow_priority_end": _priority(True),
    "round_blue_bicycle": _bicycle(False),
    "round_red_no_bicycle": _bicycle(True),
    "triangle_yellow_danger": _warn(YELLOW, _mark),
    "triangle_yellow_lights": _warn(YELLOW, _lights),
    "round_grey_end_50": _end_limit,
    "round_red_20": _limit("20"),
    "round_red_70": _limit("70"),
    "triangle_red_lights": _warn(WHITE, _lights),
    "square_blue_straight": _square(lambda pen: _arrow(pen, [(120, 186), (120, 52)], WHITE)),
}


@cache
def plate(name: str) -> tuple[Image.Image, Image.Image]:
    """The flat sign of a class: its RGB picture and its "L" outline, both ``PLATE`` pixels a side."""
    key = (255, 0, 255)
    picture = Image.new("RGB", (PLATE, PLATE), key)
    SIGNS[name](ImageDraw.Draw(picture))
    outline = Image.fromarray(np.where((np.asarray(picture) == key).all(axis=2), 0, 255).astype(np.uint8))
    full = Image.new("RGB", picture.size, WHITE)  # so that the key colour cannot bleed in when the plate is warped
    full.paste(picture, (0, 0), outline)
    return full, outline
