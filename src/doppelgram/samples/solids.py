"""Small 3-D solids that the landmarks are built of: boxes, roofs, solids of revolution, windows on walls.

World axes: x to the right, y up (the ground is y = 0), z towards the camera. A landmark is about two units high.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from doppelgram.samples.canvas import RGB, Floats

Vector = Sequence[float] | Floats
Pair = tuple[float, float]


@dataclass(frozen=True)
class Face:
    """A flat polygon (n, 3), or a line (2, 3) with a thickness, with its outward normal; None shows both sides."""

    points: Floats
    colour: RGB
    normal: Floats | None = None
    thickness: float = 0.0
    glow: float = 0.0
    decals: "tuple[Face, ...]" = ()


@dataclass
class Part:
    """Faces painted together. Lower layers are painted first; within a layer, the farthest part first."""

    faces: list[Face] = field(default_factory=list)
    layer: int = 0


def _normal(points: Floats) -> Floats:
    n = np.cross(points[1] - points[0], points[2] - points[0])
    if len(points) > 3 and float(n @ n) < 1e-14:
        n = np.cross(points[2] - points[0], points[3] - points[0])
    return n / max(float(np.linalg.norm(n)), 1e-12)


def quad(points: Sequence[Vector], colour: RGB, decals: Iterable[Face] = (), glow: float = 0.0) -> Face:
    """A polygon seen from the side on which its corners run counter-clockwise."""
    p = np.asarray(points, dtype=np.float64)
    return Face(p, colour, _normal(p), 0.0, glow, tuple(decals))


def line(a: Vector, b: Vector, thickness: float, colour: RGB) -> Face:
    """A bar from ``a`` to ``b``, seen from everywhere."""
    return Face(np.asarray([a, b], dtype=np.float64), colour, None, thickness)


def frustum(
    centre: Pair,
    levels: Pair,
    base: Pair,
    top: Pair,
    colour: RGB,
    decorate: Callable[[Face], Iterable[Face]] | None = None,
    roof: RGB | None = None,
) -> list[Face]:
    """A box with a smaller or larger top.

    Args:
        centre: (x, z).
        levels: y of the bottom and of the top.
        base: half widths (x, z) at the bottom.
        top: half widths (x, z) at the top.
        colour: of the walls.
        decorate: gives a wall's decals.
        roof: colour of the top; ``colour`` by default.
    """
    (x, z), (y0, y1), (bx, bz), (tx, tz) = centre, levels, base, top
    low = [(x - bx, y0, z + bz), (x + bx, y0, z + bz), (x + bx, y0, z - bz), (x - bx, y0, z - bz)]
    high = [(x - tx, y1, z + tz), (x + tx, y1, z + tz), (x + tx, y1, z - tz), (x - tx, y1, z - tz)]
    faces = []
    for i in range(4):
        j = (i + 1) % 4
        wall = quad([low[i], low[j], high[j], high[i]], colour)
        faces.append(replace(wall, decals=tuple(decorate(wall))) if decorate else wall)
    if tx > 1e-6 and tz > 1e-6:
        faces.append(quad([high[0], high[1], high[2], high[3]], roof or colour))
    return faces


def box(
    centre: Pair,
    levels: Pair,
    half: Pair,
    colour: RGB,
    decorate: Callable[[Face], Iterable[Face]] | None = None,
    roof: RGB | None = None,
) -> list[Face]:
    """An upright box; arguments as for `frustum`."""
    return frustum(centre, levels, half, half, colour, decorate, roof)


def gable(centre: Pair, levels: Pair, half: Pair, wall: RGB, roof: RGB) -> list[Face]:
    """A pitched roof with its ridge along z: two slopes and two triangular ends."""
    (x, z), (y0, y1), (hx, hz) = centre, levels, half
    a, b, c, d = (x - hx, y0, z + hz), (x + hx, y0, z + hz), (x + hx, y0, z - hz), (x - hx, y0, z - hz)
    front, back = (x, y1, z + hz), (x, y1, z - hz)
    return [
        quad([a, b, front], wall),
        quad([c, d, back], wall),
        quad([b, c, back, front], roof),
        quad([d, a, front, back], roof),
    ]


def lathe(
    centre: Pair, profile: Sequence[Pair], colour: RGB | Callable[[int, int], RGB], sides: int = 20
) -> list[Face]:
    """A solid of revolution from (radius, height) pairs listed upwards; ``colour`` may depend on (ring, side)."""
    x, z = centre
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    cos, sin = np.cos(angle), np.sin(angle)
    faces = []
    for ring, ((r0, y0), (r1, y1)) in enumerate(pairwise(profile)):
        for k in range(sides):
            shade = colour(ring, k) if callable(colour) else colour
            low = [(x + r0 * sin[i], y0, z + r0 * cos[i]) for i in (k, k + 1)]
            high = [(x + r1 * sin[i], y1, z + r1 * cos[i]) for i in (k + 1, k)]
            corners = low + high if r0 > 1e-6 and r1 > 1e-6 else [low[0], *high] if r0 <= 1e-6 else [*low, high[0]]
            faces.append(quad(corners, shade))
    radius, top = profile[-1]
    if radius > 1e-6:
        lid = [(x + radius * sin[i], top, z + radius * cos[i]) for i in range(sides)]
        faces.append(quad(lid, colour(len(profile) - 1, 0) if callable(colour) else colour))
    return faces


def openings(
    wall: Face,
    grid: tuple[int, int],
    colour: RGB,
    *,
    fill: Pair = (0.5, 0.6),
    arch: float = 0.0,
    area: tuple[float, float, float, float] = (0.06, 0.06, 0.94, 0.94),
    glow: float = 0.0,
) -> list[Face]:
    """A grid of windows, (columns, rows), on a four-cornered wall (none on other faces).

    ``fill`` is the share of each cell that a window takes, ``arch`` the share of its height that is a round or,
    above 0.6, a pointed head, ``area`` the part of the wall (u0, v0, u1, v1) that the grid covers.
    """
    if len(wall.points) != 4:
        return []
    a, b, c, d = wall.points
    columns, rows = grid
    u0, v0, u1, v1 = area
    outline = [(-1.0, 0.0), (1.0, 0.0)]
    if arch > 0:
        power = 1.0 if arch <= 0.6 else 4 / 3
        outline += [(float(np.cos(t)), 1 - arch + arch * float(np.sin(t)) ** power) for t in np.linspace(0, np.pi, 9)]
    else:
        outline += [(1.0, 1.0), (-1.0, 1.0)]
    shape = np.array(outline)
    found = []
    for row in range(rows):
        for column in range(columns):
            u = u0 + (u1 - u0) * (column + 0.5 + shape[:, :1] * fill[0] / 2) / columns
            v = v0 + (v1 - v0) * (row + (1 - fill[1]) / 2 + shape[:, 1:] * fill[1]) / rows
            points = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
            found.append(Face(points, colour, wall.normal, 0.0, glow))
    return found


def band(wall: Face, v0: float, v1: float, colour: RGB) -> Face:
    """A horizontal stripe over the whole width of a four-cornered wall."""
    return openings(wall, (1, 1), colour, fill=(1.0, 1.0), area=(0.0, v0, 1.0, v1))[0]


def moved(parts: Sequence[Part], matrix: Floats, offset: tuple[float, float, float] = (0, 0, 0)) -> list[Part]:
    """Parts under a rotation (3, 3) and then a shift."""
    shift = np.asarray(offset, dtype=np.float64)

    def turn(face: Face) -> Face:
        normal = None if face.normal is None else matrix @ face.normal
        return replace(
            face, points=face.points @ matrix.T + shift, normal=normal, decals=tuple(turn(d) for d in face.decals)
        )

    return [Part([turn(f) for f in part.faces], part.layer) for part in parts]


def yawed(angle: float) -> Floats:
    """Rotation about the upright axis by ``angle`` degrees."""
    t = np.radians(angle)
    return np.array([[np.cos(t), 0, np.sin(t)], [0, 1, 0], [-np.sin(t), 0, np.cos(t)]])


def rolled(angle: float) -> Floats:
    """Rotation in the picture plane by ``angle`` degrees, clockwise."""
    t = np.radians(angle)
    return np.array([[np.cos(t), np.sin(t), 0], [-np.sin(t), np.cos(t), 0], [0, 0, 1]])
