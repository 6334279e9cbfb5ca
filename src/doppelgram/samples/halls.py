"""The broad landmarks: a domed palace, a stepped pyramid, a temple, a castle and a harbour opera house."""

from dataclasses import replace

import numpy as np

from doppelgram.samples.canvas import RGB, mix, rgb
from doppelgram.samples.solids import (
    Face,
    Part,
    band,
    box,
    frustum,
    gable,
    lathe,
    line,
    moved,
    openings,
    quad,
    yawed,
)


def _onion(radius: float, y: float) -> list[tuple[float, float]]:
    shape = [
        (0.82, 0),
        (0.98, 0.22),
        (1.0, 0.48),
        (0.93, 0.75),
        (0.76, 1.02),
        (0.5, 1.27),
        (0.22, 1.46),
        (0.06, 1.62),
        (0.05, 1.85),
        (0.0, 1.9),
    ]
    return [(r * radius, y + h * radius) for r, h in shape]


def domed_palace() -> list[Part]:
    """A white marble hall with an onion dome and four minarets on a terrace."""
    marble, warm, niche = rgb("#f7efe6"), rgb("#e6d5c3"), rgb("#9c8aa0")
    gold = rgb("#d8a545")

    def front(wall: Face) -> list[Face]:
        found = openings(wall, (1, 1), warm, fill=(1, 1), area=(0.33, 0, 0.67, 0.98))
        found += openings(wall, (1, 1), niche, fill=(0.74, 0.84), arch=0.62, area=(0.33, 0, 0.67, 1.0), glow=1)
        for u0, u1 in ((0.04, 0.32), (0.68, 0.96)):
            found += openings(wall, (2, 2), niche, fill=(0.56, 0.78), arch=0.62, area=(u0, 0.02, u1, 0.92))
        return [*found, band(wall, 0.95, 1.0, warm)]

    def side(wall: Face) -> list[Face]:
        return [
            *openings(wall, (1, 2), niche, fill=(0.5, 0.78), arch=0.62, area=(0.1, 0.02, 0.9, 0.9)),
            band(wall, 0.95, 1.0, marble),
        ]

    def plinth(wall: Face) -> list[Face]:
        return openings(wall, (17, 1), rgb("#c9b3a2"), fill=(0.6, 0.72), arch=0.5)

    terrace = box((0, 0), (0, 0.13), (1.2, 0.9), rgb("#ecdccb"), plinth)
    hall = []
    hall += box((0, 0), (0.13, 0.72), (0.58, 0.5), marble, front)
    corner = [
        c for sx in (-1, 1) for sz in (-1, 1) for c in box((sx * 0.53, sz * 0.45), (0.13, 0.7), (0.1, 0.1), warm, side)
    ]
    drum = lathe((0, 0), [(0.29, 0.72), (0.29, 0.86)], warm, 24)
    drum = [
        replace(f, decals=tuple(openings(f, (1, 1), niche, fill=(0.5, 0.6), arch=0.4))) if len(f.points) == 4 else f
        for f in drum
    ]
    dome = lathe((0, 0), _onion(0.36, 0.86), lambda ring, k: gold if ring >= 7 else marble, 28)
    parts = [Part(terrace, 0), Part(hall, 2), Part(corner, 2), Part(drum, 4), Part(dome, 5)]
    for sx in (-1, 1):
        for sz in (-1, 1):
            small = lathe((sx * 0.36, sz * 0.32), [(0.12, 0.72), (0.12, 0.83)], warm, 12)
            small += lathe((sx * 0.36, sz * 0.32), _onion(0.135, 0.83), lambda r, k: gold if r >= 7 else marble, 14)
            parts.append(Part(small, 3))
            x, z = sx * 1.08, sz * 0.78
            shaft = [
                (0.085, 0.13),
                (0.078, 0.45),
                (0.105, 0.46),
                (0.105, 0.49),
                (0.072, 0.5),
                (0.066, 0.82),
                (0.095, 0.83),
                (0.095, 0.86),
                (0.06, 0.87),
                (0.055, 1.1),
                (0.085, 1.11),
                (0.085, 1.13),
            ]
            tower = lathe((x, z), shaft, marble, 12) + lathe((x, z), [(0.05, 1.13), (0.05, 1.22)], niche, 10)
            tower += lathe((x, z), _onion(0.07, 1.22), lambda r, k: gold if r >= 7 else marble, 12)
            parts.append(Part(tower, 1 if sz < 0 else 6))
    return parts


def pyramid() -> list[Part]:
    """Nine stone terraces with a stair up each side and a shrine on top."""
    stone, step = rgb("#c9ad7f"), rgb("#e2cda2")
    parts: list[Part] = []
    base, tiers, rise = 1.12, 9, 0.11

    def courses(wall: Face) -> list[Face]:
        cells = openings(wall, (12, 1), mix(stone, rgb("#8f7148"), 0.35), fill=(0.82, 0.5), area=(0.01, 0.1, 0.99, 0.9))
        return [band(wall, 0.86, 1.0, step), *cells]

    for k in range(tiers):
        half = base - k * 0.095
        base_half, top_half = (half, half), (half - 0.03, half - 0.03)
        tier = frustum((0, 0), (k * rise, (k + 1) * rise), base_half, top_half, stone, courses, step)
        parts.append(Part(tier, k * 2))
    top, run = tiers * rise, tiers * 0.095
    for side in range(4):
        stair: list[Face] = []
        for k in range(tiers * 3):
            y0, y1 = top * k / (tiers * 3), top * (k + 1) / (tiers * 3)
            z0 = base + 0.1 - (run + 0.06) * k / (tiers * 3)
            z1 = base + 0.1 - (run + 0.06) * (k + 1) / (tiers * 3)
            riser = quad(
                [(-0.2, y0, z0), (0.2, y0, z0), (0.2, y1, z0), (-0.2, y1, z0)],
                rgb("#b99c70") if k % 2 else rgb("#d9c294"),
            )
            tread = quad([(-0.2, y1, z0), (0.2, y1, z0), (0.2, y1, z1), (-0.2, y1, z1)], step)
            # a tread shares its riser's normal, so that the far stairs hide with their risers
            stair += [riser, replace(tread, normal=riser.normal)]
        for a, b in ((-0.28, -0.2), (0.2, 0.28)):
            ramp = [
                (a, 0.02, base + 0.13),
                (b, 0.02, base + 0.13),
                (b, top + 0.02, base - run + 0.07),
                (a, top + 0.02, base - run + 0.07),
            ]
            stair.append(quad(ramp, rgb("#ead8b2")))
        parts += [Part(p.faces, 30) for p in moved([Part(stair)], yawed(90.0 * side))]

    def doors(wall: Face) -> list[Face]:
        return [
            *openings(wall, (3, 1), rgb("#4a3626"), fill=(0.42, 0.72), area=(0.08, -0.1, 0.92, 0.74), glow=1),
            band(wall, 0.78, 0.86, rgb("#9c7c4f")),
        ]

    shrine = frustum((0, 0), (top, top + 0.22), (0.24, 0.24), (0.225, 0.225), rgb("#d6bc8e"), doors, step)
    shrine_top = frustum((0, 0), (top + 0.22, top + 0.27), (0.245, 0.245), (0.21, 0.21), step)
    return [*parts, Part(shrine, 40), Part(shrine_top, 41)]


def temple() -> list[Part]:
    """A colonnaded temple with a pediment on three steps."""
    marble, shade = rgb("#f0e2c6"), rgb("#7e6f63")
    wide, deep, foot, height = 0.86, 1.15, 0.15, 0.62
    steps: list[Part] = []
    for k in range(3):
        grow = 0.2 - 0.06 * k
        levels, half = (0.05 * k, 0.05 * (k + 1)), (wide + grow, deep + grow)
        steps.append(Part(box((0, 0), levels, half, rgb("#dccbab"), roof=rgb("#f3e8d0")), k))
    cella = box(
        (0, 0),
        (foot, foot + height),
        (wide - 0.22, deep - 0.25),
        mix(marble, shade, 0.55),
        lambda w: openings(w, (1, 1), rgb("#3f3530"), fill=(0.3, 0.8), area=(0, -0.1, 1, 1), glow=1),
    )
    spots = [(wide * (2 * k / 7 - 1), s * deep) for k in range(8) for s in (-1, 1)]
    spots += [(s * wide, deep * (2 * k / 10 - 1)) for k in range(1, 10) for s in (-1, 1)]
    columns = []
    for x, z in spots:
        shaft = [
            (0.078, foot),
            (0.074, foot + 0.25),
            (0.06, foot + height - 0.06),
            (0.09, foot + height - 0.02),
            (0.09, foot + height),
        ]
        column = lathe((x, z), shaft, lambda r, k: marble if k % 2 else mix(marble, shade, 0.16), 12)
        columns.append(Part(column[:-1], 4))
    top = foot + height

    def frieze(wall: Face) -> list[Face]:
        return [
            *openings(wall, (15, 1), rgb("#c8b18a"), fill=(0.42, 0.9), area=(0, 0.4, 1, 0.92)),
            band(wall, 0.34, 0.4, rgb("#b59d78")),
        ]

    beam = box((0, 0), (top, top + 0.14), (wide + 0.1, deep + 0.1), marble, frieze)
    roof = gable((0, 0), (top + 0.14, top + 0.42), (wide + 0.15, deep + 0.14), rgb("#e8d6b4"), rgb("#c27a55"))
    roof[0] = replace(roof[0], decals=tuple(_inset(roof[0], rgb("#c9b08a"))))
    roof[1] = replace(roof[1], decals=tuple(_inset(roof[1], rgb("#c9b08a"))))
    return [*steps, Part(cella, 3), *columns, Part(beam, 5), Part(roof, 6)]


def _inset(face: Face, colour: RGB) -> list[Face]:
    centre = face.points.mean(axis=0)
    return [replace(face, points=centre + (face.points - centre) * 0.72, colour=colour, decals=())]


def castle() -> list[Part]:
    """A walled castle with round towers under blue cones and a high keep."""
    stone, slate = rgb("#d9cbb6"), rgb("#46618c")
    hole = rgb("#5a4a45")
    parts = [Part(lathe((0, 0), [(1.25, 0), (1.12, 0.1), (0.95, 0.15)], rgb("#7f9160"), 20), 0)]

    def merlons(wall: Face) -> list[Face]:
        slots = openings(wall, (7, 1), mix(stone, hole, 0.45), fill=(0.14, 0.26), area=(0.03, 0.3, 0.97, 0.75))
        return [*slots, band(wall, 0.82, 0.88, mix(stone, hole, 0.3))]

    def wall(x: float, z: float, half: tuple[float, float], y1: float) -> list[Face]:
        faces = box((x, z), (0.13, y1), half, stone, merlons)
        span = max(half)
        for k in range(int(span / 0.065)):
            t = -span + 0.06 + k * 0.13
            if t > span:
                break
            dx, dz = (t, 0.0) if half[0] > half[1] else (0.0, t)
            faces += box((x + dx, z + dz), (y1, y1 + 0.06), (0.032, 0.035), mix(stone, (255, 255, 255), 0.15))
        return faces

    def tower(x: float, z: float, r: float, y1: float, cone: float) -> list[Face]:
        faces = lathe(
            (x, z), [(r * 1.08, 0.1), (r, 0.22), (r, y1 - 0.09), (r * 1.18, y1 - 0.05), (r * 1.18, y1)], stone, 16
        )
        for k in range(0, 16, 2):
            face = faces[16 * 1 + k]
            slits = openings(face, (1, 2), hole, fill=(0.5, 0.22), arch=0.3, area=(0, 0.2, 1, 1), glow=1)
            faces[16 + k] = replace(face, decals=tuple(slits))
        roof = lathe((x, z), [(r * 1.32, y1), (r * 0.6, y1 + cone * 0.52), (0.0, y1 + cone)], slate, 16)
        tip = y1 + cone
        flag = [Face(np.array([(x, tip + 0.12, z), (x + 0.13, tip + 0.09, z), (x, tip + 0.055, z)]), rgb("#d8473c"))]
        return faces + roof + [line((x, tip - 0.02, z), (x, tip + 0.12, z), 0.01, hole), *flag]

    def keep_windows(face: Face) -> list[Face]:
        return [
            *openings(face, (3, 3), hole, fill=(0.32, 0.5), arch=0.4, area=(0.08, 0.2, 0.92, 0.9), glow=1),
            band(face, 0.93, 1.0, mix(stone, hole, 0.25)),
        ]

    keep = box((0, -0.08), (0.13, 1.02), (0.3, 0.26), mix(stone, (255, 250, 240), 0.3), keep_windows)
    roof = frustum((0, -0.08), (1.02, 1.4), (0.34, 0.3), (0.1, 0.01), slate)
    gate = box(
        (0, 0.66),
        (0.13, 0.56),
        (0.2, 0.09),
        mix(stone, (255, 250, 240), 0.2),
        lambda f: openings(f, (1, 1), rgb("#4b3527"), fill=(0.5, 0.76), arch=0.4, area=(0, -0.14, 1, 1)),
    )
    parts += [Part(wall(0, -0.62, (0.66, 0.05), 0.42), 1), Part(keep + roof, 3)]
    parts += [Part(wall(s * 0.66, 0, (0.05, 0.62), 0.42), 2) for s in (-1, 1)]
    parts += [Part(tower(s * 0.66, -0.62, 0.16, 0.78, 0.42), 2) for s in (-1, 1)]
    parts += [Part(tower(s * 0.36, 0.05, 0.11, 1.12, 0.42), 3) for s in (-1, 1)]
    parts += [Part(wall(0, 0.62, (0.66, 0.05), 0.42), 4)]
    parts += [Part(tower(s * 0.68, 0.62, 0.17, 0.66, 0.4), 5) for s in (-1, 1)]
    return [*parts, Part(gate, 6)]


def opera() -> list[Part]:
    """White sails of a harbour opera house on a broad podium."""
    tile, under, podium = rgb("#fbf6ec"), rgb("#c9a98c"), rgb("#c99f7e")

    def panes(wall: Face) -> list[Face]:
        return [
            *openings(wall, (22, 1), rgb("#7c5a48"), fill=(0.5, 0.5), area=(0.01, 0.05, 0.99, 0.8), glow=1),
            band(wall, 0.88, 1.0, rgb("#e6c9aa")),
        ]

    parts = [Part(box((0, 0), (0, 0.16), (1.3, 0.62), podium, panes, rgb("#e0c3a5")), 0)]

    def shell(x: float, z: float, size: float, facing: float, layer: int) -> Part:
        t = np.linspace(0, 1, 9)[:, None]
        ridge = size * np.hstack([1.05 * t**1.3, 0.06 + 0.86 * np.sin(t * np.pi / 2) ** 0.8, 0 * t])
        faces: list[Face] = []
        for side in (-1, 1):
            foot = size * np.hstack([0.02 + 0.62 * t**1.1, 0 * t, side * 0.42 * np.sin(np.pi * (0.1 + 0.6 * t))])
            levels = [
                foot + (ridge - foot) * s + np.array([0, 0, np.sin(s * np.pi) * size * 0.1 * side])
                for s in (0, 1 / 3, 2 / 3, 1)
            ]
            for i in range(8):
                for j in range(3):
                    corners = [levels[j][i], levels[j][i + 1], levels[j + 1][i + 1], levels[j + 1][i]][::side]
                    faces.append(quad(corners, mix(tile, under, 0.06 * ((i + j) % 2))))
            mouth = np.array([foot[8], ridge[8], ridge[8] * np.array([0.86, 0.5, 1]), foot[8] * np.array([0.9, 1, 0])])
            faces.append(Face(mouth, rgb("#8a6553")))
        return Part(moved([Part(faces)], yawed(facing), (x, 0.16, z))[0].faces, layer)

    for z, grow, layer in ((-0.26, 0.92, 1), (0.26, 1.0, 2)):
        parts += [
            shell(0.62, z, 0.34 * grow, 180, layer),
            shell(-0.95, z, 0.52 * grow, 0, layer),
            shell(-0.52, z, 0.78 * grow, 0, layer),
            shell(-0.02, z, 0.98 * grow, 0, layer),
        ]
    return parts
