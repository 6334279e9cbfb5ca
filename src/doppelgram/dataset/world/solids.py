"""Small 3-D solids, a shift-lens camera and a painter: what the landmarks are built and drawn with.

World axes: x to the right, y up (the ground is y = 0), z towards the camera. A landmark is about two units high.
The camera looks along -z and never tilts, so upright edges stay upright and the horizon is one row of pixels.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from doppelgram.dataset.world.canvas import RGB, Floats

Shader = Callable[[Floats, Floats, Floats], Floats]


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


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from: ``focal`` and the centre in pixels, distance and height in world units."""

    focal: float
    distance: float
    height: float
    centre_x: float
    horizon: float

    def project(self, points: Floats) -> Floats:
        """(n, 3) world points as (n, 2) pixels."""
        depth = np.maximum(self.distance - points[:, 2], 0.05)
        x = self.centre_x + self.focal * points[:, 0] / depth
        y = self.horizon + self.focal * (self.height - points[:, 1]) / depth
        return np.stack([x, y], axis=1)


def _normal(points: Floats) -> Floats:
    n = np.cross(points[1] - points[0], points[2] - points[0])
    if len(points) > 3 and float(n @ n) < 1e-14:
        n = np.cross(points[2] - points[0], points[3] - points[0])
    return n / max(float(np.linalg.norm(n)), 1e-12)


def quad(points: Sequence[Sequence[float]], colour: RGB, decals: Iterable[Face] = (), glow: float = 0.0) -> Face:
    """A polygon seen from the side on which its corners run counter-clockwise."""
    p = np.asarray(points, dtype=np.float64)
    return Face(p, colour, _normal(p), 0.0, glow, tuple(decals))


def line(a: Sequence[float], b: Sequence[float], thickness: float, colour: RGB) -> Face:
    """A bar from ``a`` to ``b``, seen from everywhere."""
    return Face(np.asarray([a, b], dtype=np.float64), colour, None, thickness)


def frustum(
    x: float,
    z: float,
    y0: float,
    y1: float,
    base: tuple[float, float],
    top: tuple[float, float],
    colour: RGB,
    decorate: Callable[[Face], Iterable[Face]] | None = None,
    roof: RGB | None = None,
) -> list[Face]:
    """A box with a smaller or larger top: half widths (x, z) below and above; ``decorate`` gives a wall's decals."""
    (bx, bz), (tx, tz) = base, top
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
    x: float,
    z: float,
    y0: float,
    y1: float,
    half: tuple[float, float],
    colour: RGB,
    decorate: Callable[[Face], Iterable[Face]] | None = None,
    roof: RGB | None = None,
) -> list[Face]:
    """An upright box centred on (x, z)."""
    return frustum(x, z, y0, y1, half, half, colour, decorate, roof)


def gable(x: float, z: float, y0: float, y1: float, half: tuple[float, float], wall: RGB, roof: RGB) -> list[Face]:
    """A pitched roof with its ridge along z: two slopes and two triangular ends."""
    hx, hz = half
    a, b, c, d = (x - hx, y0, z + hz), (x + hx, y0, z + hz), (x + hx, y0, z - hz), (x - hx, y0, z - hz)
    front, back = (x, y1, z + hz), (x, y1, z - hz)
    return [quad([a, b, front], wall), quad([c, d, back], wall), quad([b, c, back, front], roof),
            quad([d, a, front, back], roof)]  # fmt: skip


def lathe(
    x: float,
    z: float,
    profile: Sequence[tuple[float, float]],
    colour: RGB | Callable[[int, int], RGB],
    sides: int = 20,
) -> list[Face]:
    """A solid of revolution from (radius, height) pairs listed upwards; ``colour`` may depend on (ring, side)."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    cos, sin = np.cos(angle), np.sin(angle)
    faces = []
    for ring, ((r0, y0), (r1, y1)) in enumerate(zip(profile[:-1], profile[1:], strict=True)):
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
    wall: Face, columns: int, rows: int, colour: RGB, *, fill: tuple[float, float] = (0.5, 0.6), arch: float = 0.0,
    area: tuple[float, float, float, float] = (0.06, 0.06, 0.94, 0.94), glow: float = 0.0,
) -> list[Face]:  # fmt: skip
    """A grid of windows on a four-cornered wall (none on other faces).

    ``fill`` is the share of each cell that a window takes, ``arch`` the share of its height that is a round or,
    above 0.6, a pointed head, ``area`` the part of the wall (u0, v0, u1, v1) that the grid covers.
    """
    if len(wall.points) != 4:
        return []
    a, b, c, d = wall.points
    u0, v0, u1, v1 = area
    outline = [(-1.0, 0.0), (1.0, 0.0)]
    if arch > 0:
        bend = np.linspace(0, np.pi, 9)
        power = 1.0 if arch <= 0.6 else 0.75
        outline += [
            (float(np.cos(t)) * (1 if arch <= 0.6 else 1), 1 - arch + arch * float(np.sin(t)) ** (1 / power))
            for t in bend
        ]
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
    return openings(wall, 1, 1, colour, fill=(1.0, 1.0), area=(0.0, v0, 1.0, v1))[0]


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


@dataclass(frozen=True)
class Mesh:
    """Parts flattened into arrays, so that a view of them costs a few array operations.

    Face k has the points ``points[start[k]:start[k + 1]]``; ``owner`` is the face that it decorates, or itself.
    """

    points: Floats
    start: NDArray[np.intp]
    normal: Floats
    two_sided: NDArray[np.bool_]
    colour: Floats
    thickness: Floats
    glow: Floats
    owner: NDArray[np.intp]
    part: NDArray[np.intp]
    layer: NDArray[np.intp]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> "Mesh":
        """The mesh of some parts; decals are one level deep."""
        faces: list[Face] = []
        owner: list[int] = []
        part_of: list[int] = []
        filled = [part for part in parts if part.faces]
        for number, part in enumerate(filled):
            for face in part.faces:
                owner += [len(faces)] * (1 + len(face.decals))
                part_of += [number] * (1 + len(face.decals))
                faces += [face, *face.decals]
        towards_eye = np.array([0.0, 0.35, 0.75])
        return cls(
            points=np.concatenate([f.points for f in faces]),
            start=np.cumsum([0, *[len(f.points) for f in faces]]),
            normal=np.array([towards_eye if f.normal is None else f.normal for f in faces]),
            two_sided=np.array([f.normal is None for f in faces]),
            colour=np.array([f.colour for f in faces], dtype=np.float64),
            thickness=np.array([f.thickness for f in faces]),
            glow=np.array([f.glow for f in faces]),
            owner=np.array(owner),
            part=np.array(part_of),
            layer=np.array([part.layer for part in filled]),
        )

    def turned(self, angle: float) -> "Mesh":
        """The mesh rotated about the upright axis by ``angle`` degrees."""
        matrix = yawed(angle)
        normal = np.where(self.two_sided[:, None], self.normal, self.normal @ matrix.T)
        return replace(self, points=self.points @ matrix.T, normal=normal)

    def part_points(self, number: int) -> Floats:
        """All points of one part."""
        faces = np.flatnonzero(self.part == number)
        return self.points[self.start[faces[0]] : self.start[faces[-1] + 1]]


def paint(draw: ImageDraw.ImageDraw, mesh: Mesh, camera: Camera, shade: Shader, dark: bool = False) -> None:
    """Paint a mesh from back to front: by layer, then the farthest part, then the farthest face, decals last.

    ``shade`` turns (n, 3) colours, (n, 3) normals and (n,) mean heights into lit colours; with ``dark``, faces that
    glow show lamplight.
    """
    eye = np.array([0.0, camera.height, camera.distance])
    sizes = np.diff(mesh.start)
    middle = np.add.reduceat(mesh.points, mesh.start[:-1]) / sizes[:, None]
    facing = np.einsum("ij,ij->i", mesh.normal, eye - middle) > 0
    visible = (facing | mesh.two_sided)[mesh.owner] & (facing | mesh.two_sided)
    away = np.linalg.norm(middle - eye, axis=1)
    bodies = np.bincount(mesh.part, weights=away * sizes) / np.bincount(mesh.part, weights=sizes.astype(float))
    order = np.lexsort((mesh.owner, -away[mesh.owner], -bodies[mesh.part], mesh.layer[mesh.part]))
    lit = shade(mesh.colour, mesh.normal, middle[:, 1])
    if dark:
        lamp = mesh.colour * np.array([0.15, 0.1, 0.0]) + np.array([216.0, 176.0, 104.0])
        lit = np.where(mesh.glow[:, None] > 0, lamp, lit)
    inks = [tuple(c) for c in np.clip(np.rint(lit), 0, 255).astype(int).tolist()]
    flat = [tuple(p) for p in camera.project(mesh.points).tolist()]
    depth = np.maximum(camera.distance - middle[:, 2], 0.05)
    widths = np.maximum(1, np.rint(mesh.thickness * camera.focal / depth)).astype(int).tolist()
    start = mesh.start.tolist()
    for k in order[visible[order]].tolist():
        corners = flat[start[k] : start[k + 1]]
        if mesh.thickness[k]:
            draw.line(corners, fill=inks[k], width=widths[k])
        else:
            draw.polygon(corners, fill=inks[k])


def outline(points: Floats, directions: int = 28) -> list[tuple[float, float]]:
    """The convex outline of (n, 2) points, by its extremes in a fixed number of directions."""
    angle = 2 * np.pi * np.arange(directions) / directions
    picked = np.argmax(points @ np.stack([np.cos(angle), np.sin(angle)]), axis=0)
    kept = picked[np.append(True, np.diff(picked) != 0)]
    return [(float(x), float(y)) for x, y in points[kept]]
