"""The open landmarks that are seen through: an arched bridge and a big wheel, as 3-D parts."""

from itertools import pairwise

import numpy as np

from doppelgram.samples.canvas import RGB, mix, rgb
from doppelgram.samples.solids import Face, Part, box, frustum, lathe, line, openings, quad


def arched_bridge() -> list[Part]:
    """A stone bridge of three arches with a gate tower at either end."""
    stone, shade, light = rgb("#dcb488"), rgb("#8f6b50"), rgb("#f2dab2")
    half_width, deck, spring = 0.16, 0.52, 0.06
    arches = [(-0.98, 0.36), (-0.02, 0.44), (0.94, 0.36)]
    outline: list[tuple[float, float]] = [(-1.55, 0.0)]
    soffits: list[Face] = []
    for centre, radius in arches:
        t = np.linspace(np.pi, 0, 15)
        xs = centre + radius * np.cos(t)
        ys = spring + (deck - 0.1 - spring) * np.sin(t) * (radius / 0.44)
        outline += [(float(centre - radius), 0.0), *[(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]]
        outline.append((float(centre + radius), 0.0))
        rim = list(zip(xs, ys, strict=True))
        for (xa, ya), (xb, yb) in pairwise(rim):
            corners = [(xa, ya, half_width), (xa, ya, -half_width), (xb, yb, -half_width), (xb, yb, half_width)]
            soffits.append(Face(np.array(corners), mix(shade, stone, 0.2)))
    crown = [(x, deck + 0.07 * (1 - (x / 1.55) ** 2)) for x in np.linspace(1.55, -1.55, 13)]
    outline += [(1.55, 0.0), *[(float(x), float(y)) for x, y in crown]]
    front = np.array([(x, y, half_width) for x, y in outline])
    back = np.array([(x, y, -half_width) for x, y in outline[::-1]])
    trims: list[Face] = []
    for centre, radius in arches:
        t = np.linspace(np.pi, 0, 15)
        x0, y0 = centre + radius * np.cos(t), spring + (deck - 0.1 - spring) * np.sin(t) * (radius / 0.44)
        for k in range(14):
            grow = 1.13
            pts = [
                (x0[k], y0[k]),
                (x0[k + 1], y0[k + 1]),
                (centre + (x0[k + 1] - centre) * grow, spring + (y0[k + 1] - spring) * grow),
                (centre + (x0[k] - centre) * grow, spring + (y0[k] - spring) * grow),
            ]
            tone = light if k % 2 else mix(light, shade, 0.22)
            trims.append(Face(np.array([(x, y, half_width) for x, y in pts]), tone, np.array([0.0, 0.0, 1.0])))
    sides = [
        Face(front, stone, np.array([0.0, 0.0, 1.0]), decals=tuple(trims)),
        Face(back, stone, np.array([0.0, 0.0, -1.0])),
    ]
    tops = []
    for (xa, ya), (xb, yb) in pairwise(crown):
        tops.append(
            quad([(xb, yb, half_width), (xa, ya, half_width), (xa, ya, -half_width), (xb, yb, -half_width)], light)
        )
    rail: list[Face] = []
    for z in (-half_width, half_width):
        for (xa, ya), (xb, yb) in pairwise(crown):
            rail.append(line((xa, ya + 0.055, z), (xb, yb + 0.055, z), 0.028, light))
            rail.append(line((xa, ya, z), (xa, ya + 0.055, z), 0.03, stone))
    piers: list[Face] = []
    for x in (-0.54, 0.5):
        piers += lathe((x, half_width), [(0.1, 0), (0.1, 0.2), (0.02, 0.3)], mix(stone, light, 0.4), 6)
    lamps: list[Face] = []
    for x in (-0.98, -0.02, 0.94):
        y = deck + 0.07 * (1 - (x / 1.55) ** 2)
        lamps += [line((x, y, half_width), (x, y + 0.2, half_width), 0.016, rgb("#3b3f45"))]
        lamps += [
            Face(f.points, f.colour, f.normal, 0.0, 1.0)
            for f in box((x, half_width), (y + 0.2, y + 0.25), (0.02, 0.02), rgb("#f6dc94"))
        ]
    parts = [Part(soffits, 1), Part(sides, 2), Part(tops, 3), Part(rail, 4), Part(piers, 5), Part(lamps, 6)]
    for x, high in ((-1.62, 0.98), (1.62, 1.12)):
        parts.append(Part(_gate(x, high, stone, light), 0 if x < 0 else 7))
    return parts


def _gate(x: float, high: float, stone: RGB, light: RGB) -> list[Face]:
    def holes(wall: Face) -> list[Face]:
        hole = rgb("#5a463a")
        gate = openings(wall, (1, 1), hole, fill=(0.46, 0.9), arch=0.35, area=(0, 0.4, 1, 0.68))
        return gate + openings(wall, (2, 1), hole, fill=(0.3, 0.7), arch=0.4, area=(0.1, 0.72, 0.9, 0.94), glow=1)

    faces = box((x, 0), (0, high), (0.19, 0.21), mix(stone, light, 0.35), holes)
    faces += frustum((x, 0), (high, high + 0.05), (0.21, 0.23), (0.23, 0.25), light)
    faces += frustum((x, 0), (high + 0.05, high + 0.42), (0.23, 0.25), (0.03, 0.0), rgb("#8c4436"))
    return faces


def big_wheel() -> list[Part]:
    """A ferris wheel with coloured cabins on an A-frame."""
    white, steel = rgb("#e4695a"), rgb("#6d7d97")
    hub, radius, count = 1.06, 0.92, 16
    cabins = [rgb(c) for c in ("#e2574c", "#f2b84b", "#3f9c8f", "#4a78b8")]
    rims: list[Part] = []
    angles = 2 * np.pi * (np.arange(48) + 0.5) / 48
    for z, layer in ((-0.09, 1), (0.09, 3)):
        wheel: list[Face] = []
        for r, thick in ((radius, 0.03), (radius * 0.9, 0.016)):
            ring = [(r * np.cos(t), hub + r * np.sin(t), z) for t in angles]
            wheel += [line(a, b, thick, white) for a, b in zip(ring, ring[1:] + ring[:1], strict=True)]
        for k in range(count):
            t = 2 * np.pi * k / count
            u = 2 * np.pi * (k + 0.5) / count
            p = (radius * np.cos(t), hub + radius * np.sin(t), z)
            wheel.append(line((0, hub, z * 0.6), p, 0.011, mix(white, steel, 0.35)))
            for e in (t, 2 * u - t):
                a = (radius * 0.9 * np.cos(u), hub + radius * 0.9 * np.sin(u), z)
                wheel.append(line((radius * np.cos(e), hub + radius * np.sin(e), z), a, 0.01, white))
        rims.append(Part(wheel, layer))
    pods: list[Face] = []
    for k in range(count):
        t = 2 * np.pi * k / count
        x, y = radius * np.cos(t), hub + radius * np.sin(t)
        pods.append(line((x, y, -0.09), (x, y, 0.09), 0.014, steel))
        pods += lathe((x, 0), [(0.035, y - 0.135), (0.062, y - 0.12), (0.066, y - 0.085)], cabins[k % 4], 8)
        pods += [
            Face(f.points, f.colour, f.normal, 0.0, 1.0)
            for f in lathe((x, 0), [(0.062, y - 0.085), (0.062, y - 0.04)], rgb("#dfeef2"), 8)
        ]
        pods += lathe((x, 0), [(0.07, y - 0.04), (0.03, y - 0.01)], cabins[k % 4], 8)
    frame: list[Face] = []
    for z, zf in ((0.16, 0.34), (-0.16, -0.34)):
        for s in (-1, 1):
            frame.append(line((0, hub, z), (s * 0.52, 0, zf), 0.05, rgb("#4a78b8")))
        frame.append(line((-0.26, 0.53, (z + zf) / 2), (0.26, 0.53, (z + zf) / 2), 0.026, rgb("#4a78b8")))
    back = [f for f in frame if f.points[:, 2].mean() < 0]
    near = [f for f in frame if f.points[:, 2].mean() >= 0]
    axle = lathe(
        (0, 0), [(0.0, hub - 0.07), (0.07, hub - 0.04), (0.07, hub + 0.04), (0.0, hub + 0.07)], rgb("#f2b84b"), 12
    )

    def stall(wall: Face) -> list[Face]:
        return openings(wall, (5, 1), rgb("#5b4a55"), fill=(0.7, 0.7), area=(0.03, 0.1, 0.97, 0.75), glow=1)

    base = box((0, 0), (0, 0.12), (0.72, 0.4), rgb("#e9dcc9"), stall, rgb("#f6ecdc"))
    base += frustum((0, 0), (0.12, 0.19), (0.76, 0.44), (0.66, 0.34), rgb("#d8574c"))
    return [Part(back, 0), rims[0], Part(pods, 2), rims[1], Part(near, 4), Part(axle, 5), Part(base, 6)]
