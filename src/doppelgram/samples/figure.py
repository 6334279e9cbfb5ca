"""The pieces of a drawn person: limbs, trunk, clothes, head, hair and hat, painted from back to front."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from doppelgram.samples.canvas import RGB, Floats, Point, capsule, curve, disc, ink, mix, rgb, times
from doppelgram.samples.light import Light
from doppelgram.samples.looks import Look


class Painter:
    """Draws one figure, farthest piece first."""

    def __init__(
        self,
        look: Look,
        light: Light,
        height: float,
        pixel: dict[str, Point],
        at: dict[str, Floats],
        picture: Image.Image,
        mask: Image.Image,
    ) -> None:
        self.look, self.light, self.height, self.pixel, self.at = look, light, height, pixel, at
        self.picture, self.pen, self.shape = picture, ImageDraw.Draw(picture), ImageDraw.Draw(mask)
        self.side = 1.0 if light.direction[0] >= 0 else -1.0

    def tone(self, colour: RGB, facing: float = 0.5) -> tuple[int, int, int]:
        return ink(self.light.lit(colour, facing))

    def limb(self, a: Point, ra: float, b: Point, rb: float, colour: RGB) -> None:
        """One tapered rod."""
        self.chain([(a, ra, b, rb, colour)])

    def chain(self, rods: list[tuple[Point, float, Point, float, RGB]]) -> None:
        """Tapered rods that are one limb: dark bodies with lighter cores moved towards the sun.

        All bodies come before all cores, so that a knee or an elbow shows no seam.
        """
        k = self.height * self.look.build.girth
        for a, ra, b, rb, _ in rods:
            capsule(self.shape, a, ra * k, b, rb * k, 255)
        for shrink, shift, facing in ((1.0, 0.0, 0.26), (0.78, 0.18, 0.5), (0.42, 0.36, 0.64)):
            for a, ra, b, rb, colour in rods:
                dx = self.side * shift * k * (ra + rb) / 2
                capsule(
                    self.pen,
                    (a[0] + dx, a[1] - dx * self.side * 0.3),
                    ra * k * shrink,
                    (b[0] + dx, b[1] - dx * self.side * 0.3),
                    rb * k * shrink,
                    self.tone(colour, facing),
                )

    def blob(self, points: list[Point], colour: RGB, facing: float = 0.5, steps: int = 6) -> list[Point]:
        shape = curve(points, steps)
        self.pen.polygon(shape, fill=self.tone(colour, facing))
        self.shape.polygon(shape, fill=255)
        return shape

    def draw(self) -> None:
        depth = {k: float(v[2]) for k, v in self.at.items()}
        jobs = [(depth["pelvis"], self.trunk), (depth["head"] + 0.02, self.head)]
        for s in "rl":
            near = (depth[f"{s}_elbow"] + depth[f"{s}_wrist"]) / 2
            jobs.append((near + (0.004 if near >= -0.02 else -0.02), lambda s=s: self.arm(s)))  # type: ignore[misc]
            legs = (depth[f"{s}_knee"] + depth[f"{s}_ankle"]) / 2 - 0.03
            jobs.append((min(legs, -0.01) if legs < 0.08 else legs, lambda s=s: self.leg(s)))  # type: ignore[misc]
        self.back_hair()
        for _, job in sorted(jobs, key=lambda j: j[0]):
            job()

    def arm(self, s: str) -> None:
        p, look = self.pixel, self.look
        shoulder, elbow, wrist, hand = (p[f"{s}_{k}"] for k in ("shoulder", "elbow", "wrist", "hand"))
        self.chain(
            [
                (shoulder, 0.031, elbow, 0.0235, look.skin),
                (elbow, 0.0235, wrist, 0.0165, look.skin),
                (wrist, 0.0165, hand, 0.02, look.skin),
            ]
        )
        cloth = look.accent if look.pattern == "yoke" else look.top
        if look.sleeve >= 1:
            cuff = _between(elbow, wrist, 0.92)
            self.chain([(shoulder, 0.034, elbow, 0.028, cloth), (elbow, 0.028, cuff, 0.022, cloth)])
        elif look.sleeve > 0:
            self.limb(shoulder, 0.034, _between(shoulder, elbow, look.sleeve * 1.2), 0.035, cloth)

    def leg(self, s: str) -> None:
        p, look = self.pixel, self.look
        hip, knee, ankle, toe = (p[f"{s}_{k}"] for k in ("hip", "knee", "ankle", "toe"))
        bare = look.wear in ("skirt", "dress", "shorts")
        colour = look.skin if bare else look.bottom
        loose = 1.16 if look.wear == "trousers" else 1.0
        self.limb(ankle, 0.022, toe, 0.017, look.shoes)
        seat = colour if look.wear in ("skirt", "dress") else look.bottom
        self.chain(
            [
                (p["pelvis"], 0.054, hip, 0.053, seat),
                (hip, 0.053, knee, 0.036 * loose, colour),
                (knee, 0.036 * loose, ankle, 0.024 * loose, colour),
            ]
        )
        if look.wear == "shorts":
            self.chain(
                [
                    (p["pelvis"], 0.054, hip, 0.054, look.bottom),
                    (hip, 0.056, _between(hip, knee, 0.72), 0.05, look.bottom),
                ]
            )
        self.limb(_between(ankle, toe, 0.1), 0.025, toe, 0.019, look.shoes)

    def trunk(self) -> None:
        p, look, h = self.pixel, self.look, self.height
        rs, ls = p["r_shoulder"], p["l_shoulder"]
        neck, head = p["neck"], p["head"]
        self.limb(_between(neck, head, -0.15), 0.033, _between(neck, head, 0.5), 0.029, look.skin)
        up = (neck[0] - p["pelvis"][0], neck[1] - p["pelvis"][1])
        across = (ls[0] - rs[0], ls[1] - rs[1])
        wide = look.build.girth

        def spot(u: float, v: float) -> Point:
            # u across (-1..1 between the shoulders), v from the hips (0) to the neck (1)
            least = 0.09 * h / max(float(np.hypot(*across)), 1e-6)
            k = max(1.0, least * 1.6) * u / 2
            return p["pelvis"][0] + up[0] * v + across[0] * k, p["pelvis"][1] + up[1] * v + across[1] * k

        if look.wear in ("skirt", "dress"):
            self.skirt()
        cloth = look.top
        body = [
            spot(-0.98, 0.94),
            spot(-0.45, 1.03),
            spot(0.45, 1.03),
            spot(0.98, 0.94),
            spot(0.86 * wide, 0.6),
            spot(0.74 * wide, 0.34),
            spot(0.9 * wide, 0.04),
            spot(0.6, -0.07),
            spot(-0.6, -0.07),
            spot(-0.9 * wide, 0.04),
            spot(-0.74 * wide, 0.34),
            spot(-0.86 * wide, 0.6),
        ]
        outline = self.blob(body, cloth, 0.5)
        cut = Image.new("L", self.picture.size)
        ImageDraw.Draw(cut).polygon(outline, fill=255)
        paint = Image.new("L", self.picture.size)
        pen = ImageDraw.Draw(paint)
        if look.pattern == "stripes":
            for v in np.arange(0.02, 1.0, 0.16):
                pen.polygon([spot(-1.5, v), spot(1.5, v), spot(1.5, v + 0.07), spot(-1.5, v + 0.07)], fill=255)
        elif look.pattern == "yoke":
            pen.polygon([spot(-1.5, 0.72), spot(1.5, 0.72), spot(1.5, 1.2), spot(-1.5, 1.2)], fill=255)
        box = (0, 0, *self.picture.size)
        self.picture.paste(self.tone(look.accent), box, ImageChops.multiply(cut, paint))
        lit = Image.new("L", self.picture.size)
        s = self.side
        ImageDraw.Draw(lit).polygon(
            [spot(s * 0.05, 1.2), spot(s * 1.6, 1.2), spot(s * 1.6, -0.2), spot(s * 0.2, -0.2)], fill=46
        )
        self.picture.paste(self.tone(mix(cloth, (255, 255, 255), 0.35), 0.7), box, ImageChops.multiply(cut, lit))
        collar = [spot(-0.26, 1.02), spot(0.0, 0.9), spot(0.26, 1.02)]
        self.pen.polygon(collar, fill=self.tone(look.skin, 0.35))

    def skirt(self) -> None:
        p, look, h = self.pixel, self.look, self.height
        reach = 0.62 if look.wear == "skirt" else 0.78
        colour = look.top if look.wear == "dress" else look.bottom
        hems = [_between(p[f"{s}_hip"], p[f"{s}_knee"], reach) for s in "rl"]
        legs = [(hem[0] - p["pelvis"][0], hem[1] - p["pelvis"][1]) for hem in hems]
        if max(leg[1] for leg in legs) < 0.06 * h:  # both thighs lie level: a lap, not a bell
            for s in "rl":
                self.limb(p[f"{s}_hip"], 0.06, _between(p[f"{s}_hip"], p[f"{s}_knee"], reach), 0.05, colour)
            return
        flare = 0.055 * h
        left, right = sorted(hems)
        waist = [_between(p["pelvis"], p["neck"], 0.2)]
        body = [
            (p["r_hip"][0] - 0.02 * h, waist[0][1]),
            (p["l_hip"][0] + 0.02 * h, waist[0][1]),
            (max(right[0], p["l_hip"][0]) + flare, right[1]),
            ((left[0] + right[0]) / 2, max(left[1], right[1]) + 0.02 * h),
            (min(left[0], p["r_hip"][0]) - flare, left[1]),
        ]
        self.blob(body, colour, 0.45)
        fold = self.tone(times(colour, 0.86), 0.4)
        for u in (0.3, 0.62):
            foot = _between((left[0] - flare * 0.6, left[1]), (right[0] + flare * 0.6, right[1]), u)
            self.pen.line([_between(p["r_hip"], p["l_hip"], u), foot], fill=fold, width=max(1, round(h * 0.008)))

    def back_hair(self) -> None:
        p, look, h = self.pixel, self.look, self.height
        r = 0.07 * look.build.head * h
        head, nape = p["head"], p["nape"]
        if look.haircut == "long":
            low = (nape[0], nape[1] + r * 1.7)
            self.limb(head, 0.078 * look.build.head, low, 0.062, times(look.hair, 0.9))
        elif look.haircut == "tail":
            end = (nape[0] - self.side * r * 0.9, nape[1] + r * 1.9)
            self.limb((nape[0], nape[1] - r * 0.7), 0.03, end, 0.014, look.hair)
        elif look.haircut == "bun":
            crown = p["crown"]
            centre = (crown[0] * 1.0 + (nape[0] - head[0]) * 0.3, crown[1] - r * 0.12)
            self.limb(centre, 0.034, (centre[0], centre[1] - 1), 0.034, look.hair)
        elif look.haircut == "curls":
            for k in range(11):
                a = np.pi * (1.18 * k / 10 - 0.09)
                spot = (head[0] + np.cos(a) * r * 1.02, head[1] - np.sin(a) * r * 1.08)
                self.limb(spot, 0.034, spot, 0.034, times(look.hair, 0.92 + 0.16 * (k % 2)))
        elif look.haircut == "bob":
            self.limb(head, 0.083 * look.build.head, (nape[0], head[1] + r * 0.5), 0.08 * look.build.head, look.hair)

    def head(self) -> None:
        p, look, h = self.pixel, self.look, self.height
        r = 0.07 * look.build.head * h
        head, nose, crown = p["head"], p["nose"], p["crown"]
        ux, uy = (crown[0] - head[0]) / r, (crown[1] - head[1]) / r
        face = (nose[0] - head[0]) / r  # -1 looks to the picture's left, 1 to its right
        for ear in ("r_ear", "l_ear"):
            if self.at[ear][2] > self.at["head"][2] - 0.045:
                self.limb(p[ear], 0.014, p[ear], 0.014, times(look.skin, 0.93))
        chin = p["chin"]
        oval = [
            (
                head[0] + r * (np.cos(a) * -uy * 0.92 + np.sin(a) * ux),
                head[1] + r * (np.cos(a) * ux * 0.92 + np.sin(a) * uy),
            )
            for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ]
        self.blob(oval, look.skin, 0.5, 2)
        capsule(self.pen, head, r * 0.8, _between(head, chin, 0.8), r * 0.52, self.tone(look.skin, 0.5))
        capsule(self.shape, head, r * 0.8, _between(head, chin, 0.8), r * 0.52, 255)
        cheek = (head[0] + self.side * r * 0.34 + face * r * 0.25, head[1] + r * 0.12)
        disc(self.pen, cheek, r * 0.42, self.tone(look.skin, 0.66))
        dark = self.tone(mix(look.skin, (60, 30, 20), 0.8), 0.4)
        for eye in ("r_eye", "l_eye"):
            if self.at[eye][2] > self.at["head"][2] + 0.012:
                disc(self.pen, p[eye], max(0.8, r * 0.12), dark)
        mouth = _between(nose, chin, 0.52)
        w = r * 0.3
        self.pen.arc(
            (mouth[0] - w, mouth[1] - w * 0.9, mouth[0] + w, mouth[1] + w * 0.6),
            20,
            160,
            fill=self.tone(mix(look.skin, (150, 40, 40), 0.65), 0.4),
            width=max(1, round(r * 0.12)),
        )
        disc(self.pen, (nose[0], nose[1] + r * 0.08), r * 0.11, self.tone(times(look.skin, 0.88), 0.5))
        self.hair(head, r, (ux, uy), face)
        self.hat(head, r, (ux, uy), face)

    def cap(self, head: Point, r: float, up: Point, face: float, edge: float, grow: float) -> list[Point]:
        """The outline of the part of the head above the line ``edge`` (in head radii), grown a little."""
        tilt = -0.32 * face
        points = []
        start = float(np.arcsin(np.clip(edge, -0.95, 0.95)))
        for a in np.linspace(start + tilt, np.pi - start + tilt, 13):
            x, y = np.cos(a) * grow, np.sin(a) * grow
            points.append((head[0] + r * (x * -up[1] + y * up[0]), head[1] + r * (x * up[0] + y * up[1])))
        return points

    def hair(self, head: Point, r: float, up: Point, face: float) -> None:
        look = self.look
        if look.haircut == "crop":
            shape, colour = self.cap(head, r, up, face, 0.42, 1.02), mix(look.hair, look.skin, 0.3)
        else:
            shape, colour = self.cap(head, r, up, face, 0.22, 1.1), look.hair
        self.pen.polygon(shape, fill=self.tone(colour, 0.45))
        self.shape.polygon(shape, fill=255)
        shine = (
            [_between(head, q, 0.9) for q in shape[3:7]]
            if self.side > 0
            else [_between(head, q, 0.9) for q in shape[6:10]]
        )
        self.pen.line(shine, fill=self.tone(mix(colour, (255, 255, 255), 0.22), 0.7), width=max(1, round(r * 0.13)))

    def hat(self, head: Point, r: float, up: Point, face: float) -> None:
        look = self.look
        if look.hat == "none":
            return
        colour = rgb("#e3c178") if look.hat == "straw" else look.hat_colour
        shape = self.cap(head, r, up, face, 0.4, 1.18 if look.hat != "beanie" else 1.2)
        a, b = shape[0], shape[-1]
        self.pen.polygon(shape, fill=self.tone(colour, 0.55))
        self.shape.polygon(shape, fill=255)
        wide = {"straw": 0.62, "sun": 0.85, "cap": 0.0, "beanie": 0.06}[look.hat]
        band = self.tone(times(colour, 0.62) if look.hat != "straw" else look.hat_colour, 0.5)
        self.pen.line([a, b], fill=band, width=max(1, round(r * (0.34 if look.hat != "beanie" else 0.5))))
        if look.hat == "cap":
            front = a if face > 0 else b
            tip = (front[0] + (0.75 if face > 0 else -0.75) * r, front[1] + r * 0.08)
            middle = _between(a, b, 0.5)
            self.limb(_between(middle, front, 0.5), 0.012, tip, 0.009, times(colour, 0.9))
        elif look.hat != "beanie":
            left, right = _between(a, b, -wide / 2), _between(a, b, 1 + wide / 2)
            rise = (up[0] * r * 0.2, up[1] * r * 0.2)
            middle = _between(left, right, 0.5)
            above = (middle[0] + rise[0], middle[1] + rise[1])
            below = (middle[0] - rise[0], middle[1] - rise[1])
            self.blob([left, above, right, below], colour, 0.62, 8)
            self.pen.line([_between(a, b, 0.0), _between(a, b, 1.0)], fill=band, width=max(1, round(r * 0.12)))
        else:
            disc(self.pen, (shape[6][0], shape[6][1]), r * 0.24, self.tone(mix(colour, (255, 255, 255), 0.5), 0.6))
            disc(self.shape, (shape[6][0], shape[6][1]), r * 0.24, 255)


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t
