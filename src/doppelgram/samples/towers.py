"""The tall landmarks: an iron tower, a pagoda, a windmill, a lighthouse and a leaning tower, as 3-D parts."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from doppelgram.samples.canvas import RGB, mix, rgb
from doppelgram.samples.solids import (
    Face,
    Part,
    Vector,
    band,
    box,
    frustum,
    gable,
    lathe,
    line,
    moved,
    openings,
    quad,
    rolled,
)

NIGHT_GLASS = rgb("#3b4a63")


def iron_tower() -> list[Part]:
    """A see-through lattice tower on four curved legs with two platforms."""
    iron, light, dark = rgb("#8a5a3c"), rgb("#a9744f"), rgb("#6b432c")

    def spread(y: float) -> tuple[float, float]:
        centre = float(np.interp(y, [0, 0.22, 0.45, 0.62, 0.85, 1.2], [0.47, 0.365, 0.27, 0.195, 0.13, 0.04]))
        half = float(np.interp(y, [0, 0.45, 0.85, 1.2], [0.105, 0.075, 0.05, 0.04]))
        return centre, half

    def ring(x: float, y: float, z: float, half: float) -> list[tuple[float, float, float]]:
        return [(x + sx * half, y, z + sz * half) for sx, sz in ((-1, 1), (1, 1), (1, -1), (-1, -1))]

    def lattice(low: Sequence[Vector], high: Sequence[Vector]) -> list[Face]:
        bars = []
        for i in range(4):
            j = (i + 1) % 4
            tone = (light, iron, dark, iron)[i]
            bars += [line(low[i], high[i], 0.03, tone), line(low[i], low[j], 0.018, tone)]
            bars += [line(low[i], high[j], 0.014, tone), line(low[j], high[i], 0.014, tone)]
        return bars

    parts = []
    levels = [0.0, 0.11, 0.22, 0.33, 0.44, 0.55, 0.66, 0.76, 0.86]
    for sx in (-1, 1):
        for sz in (-1, 1):
            leg: list[Face] = []
            for y0, y1 in pairwise(levels):
                (c0, h0), (c1, h1) = spread(y0), spread(y1)
                leg += lattice(ring(sx * c0, y0, sz * c0, h0), ring(sx * c1, y1, sz * c1, h1))
            foot = box((sx * 0.47, sz * 0.47), (0, 0.035), (0.14, 0.14), rgb("#c9b79c"))
            parts.append(Part(foot + leg))
    arch = np.linspace(0, np.pi, 13)
    for side in range(4):
        turn = np.pi / 2 * side
        curve = []
        for t in arch:
            u, y = 0.36 * np.cos(t), 0.12 + 0.27 * np.sin(t)
            depth = spread(y)[0] + 0.05
            curve.append((u * np.cos(turn) + depth * np.sin(turn), y, -u * np.sin(turn) + depth * np.cos(turn)))
        parts.append(Part([line(a, b, 0.022, iron) for a, b in pairwise(curve)]))
    shaft = []
    steps = np.linspace(0.86, 1.86, 11)
    for y0, y1 in pairwise(steps):
        h0, h1 = (float(np.interp(y, [0.86, 1.2, 1.86], [0.165, 0.095, 0.035])) for y in (y0, y1))
        shaft += lattice(ring(0, y0, 0, h0), ring(0, y1, 0, h1))
    parts.append(Part(shaft, 2))
    for y, half in ((0.45, 0.375), (0.86, 0.21)):
        deck = frustum((0, 0), (y - 0.012, y + 0.045), (half, half), (half * 1.05, half * 1.05), light, _deck_windows)
        parts.append(Part(deck, 1 if y < 0.5 else 3))
    top = [*box((0, 0), (1.84, 1.9), (0.06, 0.06), iron), line((0, 1.9, 0), (0, 2.08, 0), 0.016, dark)]
    return [*parts, Part(top, 3)]


def _deck_windows(wall: Face) -> list[Face]:
    return openings(wall, (11, 1), rgb("#5e3b28"), fill=(0.55, 0.5), glow=1)


def pagoda() -> list[Part]:
    """Five storeys under swept roofs on a stone base, with a ringed spire."""
    stone, wood, plaster, tile = rgb("#b9b2a6"), rgb("#b8402f"), rgb("#f2e3c8"), rgb("#47606a")
    base = box((0, 0), (0, 0.07), (0.58, 0.58), stone)
    parts = [Part(base + box((0, 0), (0.07, 0.12), (0.5, 0.5), rgb("#cfc8ba")), 0)]
    y = 0.12

    def storey(wall: Face) -> list[Face]:
        found = openings(wall, (3, 1), plaster, fill=(0.78, 0.72), area=(0.02, 0.05, 0.98, 0.95))
        found += openings(wall, (1, 1), rgb("#6f2b22"), fill=(0.55, 0.9), area=(0.36, 0.0, 0.64, 0.8), glow=1)
        return [*found, band(wall, 0.82, 1.0, rgb("#8e2f24"))]

    for level in range(5):
        shrink = 1 - 0.115 * level
        body, eave = 0.33 * shrink, 0.56 * shrink
        height = 0.2 if level else 0.24
        parts.append(Part(box((0, 0), (y, y + height), (body, body), wood, storey), 1 + 2 * level))
        y += height
        roof: list[Face] = []
        curve = [(eave, -0.035), (eave * 0.86, 0.0), (body * 1.12, 0.06), (body * 0.92, 0.115)]
        under = [(sx * eave, y - 0.036, sz * eave) for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        roof.append(quad(under, rgb("#7d2f25")))
        for (h0, y0), (h1, y1) in pairwise(curve):
            roof += frustum((0, 0), (y + y0, y + y1), (h0, h0), (h1, h1), tile, _tiles)[:4]
        for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            tip = [
                (sx * h, y + dy + 0.008, sz * h) for h, dy in [(eave * 1.03, -0.012), (eave * 0.95, -0.012), *curve[1:]]
            ]
            roof += [line(a, b, 0.017, rgb("#2f444d")) for a, b in pairwise(tip)]
        parts.append(Part(roof, 2 + 2 * level))
        y += 0.085
    gold = rgb("#d9a83f")
    spire = lathe((0, 0), [(0.17, y), (0.02, y + 0.1), (0.016, y + 0.36), (0.0, y + 0.4)], gold, 8)
    for k in range(4):
        ring = y + 0.14 + 0.05 * k
        spire += lathe((0, 0), [(0.03, ring), (0.055 - 0.006 * k, ring + 0.01), (0.03, ring + 0.022)], gold, 8)
    return [*parts, Part(spire, 12)]


def _tiles(wall: Face) -> list[Face]:
    a, b, c, d = wall.points
    dark = mix(wall.colour, (20, 30, 40), 0.35)
    rows = [i / 9 for i in range(1, 9)]
    return [replace(line(a + (b - a) * u, d + (c - d) * u, 0.006, dark), normal=wall.normal) for u in rows]


def windmill() -> list[Part]:
    """A tapered mill with a gallery, a thatched cap and four latticed sails."""
    brick, cap, white = rgb("#a5563f"), rgb("#5d4b3f"), rgb("#f4efe3")
    thatch, rail = rgb("#8c6f4e"), rgb("#4f6b5a")

    def wall(ring: int, side: int) -> RGB:
        return (brick, rgb("#b5664c"), white, thatch, mix(thatch, brick, 0.25), rgb("#7d6245"))[min(ring, 5)]

    body = lathe((0, 0), [(0.36, 0), (0.345, 0.14), (0.335, 0.42), (0.33, 0.46), (0.27, 0.85), (0.21, 1.22)], wall, 8)
    for k in (0, 1, 2, 6, 7):
        for ring, size in ((1, 0.5), (3, 0.42)):
            face = body[ring * 8 + k]
            glass = openings(face, (1, 1), white, fill=(size * 0.62, size * 0.84))
            glass += openings(face, (1, 1), NIGHT_GLASS, fill=(size * 0.48, size * 0.7), glow=1)
            body[ring * 8 + k] = replace(face, decals=tuple(glass))
    door = openings(body[0], (1, 1), rgb("#2f5d50"), fill=(0.42, 1.5), arch=0.25, area=(0, 0.2, 1, 1.6))
    body[8] = replace(body[8], decals=tuple(door))
    gallery = lathe((0, 0), [(0.36, 0.46), (0.5, 0.47), (0.5, 0.5)], rgb("#cbb894"), 16)
    posts: list[Face] = []
    for k in range(16):
        t, u = 2 * np.pi * k / 16, 2 * np.pi * (k + 1) / 16
        p, q = (0.5 * np.sin(t), 0.5 * np.cos(t)), (0.5 * np.sin(u), 0.5 * np.cos(u))
        posts += [line((p[0], 0.5, p[1]), (p[0], 0.58, p[1]), 0.012, rail)]
        posts += [line((p[0], 0.58, p[1]), (q[0], 0.58, q[1]), 0.014, rail)]
    head = lathe((0, 0), [(0.235, 1.2), (0.225, 1.28), (0.16, 1.4), (0.0, 1.47)], cap, 14)
    sails: list[Face] = []
    hub, z = 1.3, 0.3
    for k in range(4):
        t = np.radians(22 + 90 * k)
        along, across = np.array([np.sin(t), np.cos(t), 0]), np.array([np.cos(t), -np.sin(t), 0])
        centre = np.array([0, hub, z])
        spar = centre + along * 0.86
        cloth = [centre + along * s + across * w for s, w in ((0.16, 0.01), (0.85, 0.01), (0.85, 0.17), (0.16, 0.15))]
        ribs = [
            line(centre + along * s, centre + along * s + across * 0.165, 0.011, rgb("#8f7a62"))
            for s in np.linspace(0.16, 0.85, 9)
        ]
        ribs.append(line(centre + along * 0.16 + across * 0.155, spar + across * 0.17, 0.014, rgb("#8f7a62")))
        sails.append(Face(np.array(cloth), mix(white, rgb("#c96f4a"), 0.08), None, decals=tuple(ribs)))
        sails.append(line(centre - along * 0.05, spar, 0.032, rgb("#6a4a36")))
    axle = [line((0, hub, 0.1), (0, hub, z + 0.02), 0.07, rgb("#54402f"))]
    ground = box((0, 0), (0, 0.02), (0.5, 0.5), rgb("#b9ab93"))
    return [Part(ground, 0), Part(body, 1), Part(gallery + posts, 2), Part(head, 3), Part(axle, 4), Part(sails, 5)]


def lighthouse() -> list[Part]:
    """A striped light on a rock, with its keeper's house."""
    white, red, rock = rgb("#f6f1e7"), rgb("#c8372d"), rgb("#7b7268")
    profile = [(0.25, 0.22), (0.235, 0.45), (0.22, 0.68), (0.205, 0.91), (0.19, 1.14), (0.175, 1.37), (0.165, 1.55)]
    tower = lathe((0, 0), profile, lambda ring, side: red if ring % 2 else white, 22)
    for ring in (0, 2, 4):
        for k in (0, 11):
            face = tower[ring * 22 + k]
            tower[ring * 22 + k] = replace(
                face, decals=tuple(openings(face, (1, 1), NIGHT_GLASS, fill=(0.8, 0.45), arch=0.3, glow=1))
            )
    deck = lathe((0, 0), [(0.17, 1.53), (0.26, 1.57), (0.26, 1.61)], rgb("#3d4148"), 18)
    rail: list[Face] = []
    for k in range(18):
        t, u = 2 * np.pi * k / 18, 2 * np.pi * (k + 1) / 18
        a, b = (0.25 * np.sin(t), 1.69, 0.25 * np.cos(t)), (0.25 * np.sin(u), 1.69, 0.25 * np.cos(u))
        rail += [line(a, b, 0.012, rgb("#3d4148")), line((a[0], 1.6, a[2]), a, 0.01, rgb("#3d4148"))]
    lamp = lathe((0, 0), [(0.125, 1.61), (0.125, 1.8)], rgb("#f8e39a"), 10)
    lamp = [replace(f, glow=1.0) for f in lamp]
    dome = lathe((0, 0), [(0.16, 1.8), (0.15, 1.84), (0.1, 1.92), (0.02, 1.97), (0.015, 2.06), (0.0, 2.08)], red, 16)
    rng = np.random.default_rng(5)
    stones: list[Part] = []
    for x, z, r, h in ((0, 0, 0.62, 0.23), (-0.62, 0.12, 0.4, 0.12), (0.66, 0.05, 0.42, 0.16), (0.2, 0.45, 0.4, 0.1)):
        tones = rng.uniform(0, 0.35, 64)
        stone = lathe(
            (x, z),
            [(r, 0), (r * 0.93, h * 0.5), (r * 0.72, h)],
            lambda ring, k, t=tones: mix(  # type: ignore[misc]
                rock, rgb("#a59a8a") if ring else rgb("#4f4a47"), float(t[(ring * 9 + k) % 64])
            ),
            9,
        )
        stones.append(Part(stone, 0))

    def panes(wall: Face) -> list[Face]:
        return openings(wall, (2, 1), NIGHT_GLASS, fill=(0.35, 0.5), glow=1)

    house = box((0.44, 0.06), (0.14, 0.36), (0.2, 0.15), white, panes)
    roof = moved([Part(gable((0, 0), (0.36, 0.5), (0.17, 0.22), white, rgb("#a5483a")))], _quarter(), (0.44, 0, 0.06))
    return [*stones, Part(tower, 1), Part(house + roof[0].faces, 1), Part(deck + rail, 2), Part(lamp, 3), Part(dome, 4)]


def _quarter() -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    return np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])


def leaning_tower() -> list[Part]:
    """Eight arcaded storeys out of plumb."""
    marble, shade = rgb("#f1e8d8"), rgb("#8d7f72")
    sides, radius = 20, 0.27
    parts = [Part(lathe((0, 0), [(0.34, -0.03), (0.34, 0.04)], rgb("#cfc3ae"), sides), 0)]
    y = 0.04
    for storey in range(8):
        height = (0.27, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)[storey]
        r = radius if storey < 7 else 0.2
        drum = []
        for face in lathe((0, 0), [(r, y), (r, y + height - 0.03)], marble, sides):
            arches = openings(face, (1, 1), shade, fill=(0.62, 0.78), arch=0.3, glow=float(storey == 7))
            drum.append(replace(face, decals=tuple(arches) if len(face.points) == 4 else ()))
        ledge = lathe(
            (0, 0),
            [(r + 0.005, y + height - 0.03), (r + 0.03, y + height - 0.02), (r + 0.03, y + height)],
            rgb("#fbf5e8"),
            sides,
        )
        parts += [Part(drum, 1 + 2 * storey), Part(ledge, 2 + 2 * storey)]
        y += height
    parts.append(Part([line((0, y, 0), (0, y + 0.16, 0), 0.012, rgb("#6d6d6d"))], 20))
    lean = moved(parts, rolled(6.0))
    lawn = Part(box((0, 0), (0, 0.012), (0.55, 0.55), rgb("#d8cbb2")), -1)
    return [lawn, *lean]
