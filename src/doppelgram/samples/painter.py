"""A shift-lens camera, meshes as arrays, and the painter that draws them from back to front.

The camera looks along -z and never tilts, so upright edges stay upright and the horizon is one row of pixels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from doppelgram.samples.canvas import Floats
from doppelgram.samples.solids import Face, Part, yawed

Shader = Callable[[Floats, Floats, Floats], Floats]


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
