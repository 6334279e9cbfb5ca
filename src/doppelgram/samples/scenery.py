"""What surrounds a landmark: sky, clouds, far hills and roofs, trees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from doppelgram.samples.canvas import RGB, blur, disc, gradient, ink, mix, noise, rgb, scale_mask, times, wash
from doppelgram.samples.light import Light, Season


def sky(light: Light, width: int, height: int, horizon: float) -> Image.Image:
    """The sky's gradient down to the horizon, with the sun's disc or a low glow where the hour has one."""
    top, middle, low = (rgb(c) for c in light.hour.sky)
    h = horizon / height
    picture = gradient(width, height, [(0, top), (h * 0.55, middle), (h, low), (1, low)])
    x = width * (0.5 + 0.42 * float(np.sign(light.direction[0]) or 1) * abs(float(light.direction[0])) ** 0.5)
    y = horizon * (0.86 - float(light.direction[1]) * 0.95)
    glow = Image.new("L", (width // 8, height // 8))
    pen = ImageDraw.Draw(glow)
    for k in range(10):
        disc(pen, (x / 8, y / 8), width / 8 * 0.5 * (1 - k / 10), 10 * (k + 1))
    warm = mix(low, (255, 250, 235), 0.55)
    if not light.hour.dark and light.hour.shadow > 0.3:
        wash(picture, warm, blur(glow, 4).resize((width, height), Image.Resampling.BICUBIC))
    if light.hour.disc and y > 0:
        disc(ImageDraw.Draw(picture), (x, y), width * 0.036, ink(rgb(light.hour.disc)))
    return picture


def stars(picture: Image.Image, rng: np.random.Generator, horizon: float) -> None:
    """A few stars and a thin moon for a dark sky."""
    pen = ImageDraw.Draw(picture)
    unit = picture.width / 500
    for _ in range(45):
        x, y = rng.uniform(0, picture.width), rng.uniform(0, horizon * 0.75)
        disc(pen, (x, y), unit * rng.uniform(0.5, 1.3), ink(mix((150, 160, 205), (255, 250, 235), rng.random())))
    x, y, r = rng.uniform(0.1, 0.9) * picture.width, rng.uniform(0.08, 0.25) * horizon, 13 * unit
    under = picture.getpixel((int(x), int(y)))
    disc(pen, (x, y), r, (250, 240, 214))
    disc(pen, (x + r * 0.45, y - r * 0.2), r * 0.88, under if isinstance(under, tuple) else (30, 40, 90))


def clouds(picture: Image.Image, light: Light, rng: np.random.Generator, horizon: float, kind: str) -> None:
    """Clouds: ``"heaps"`` with flat bases, thin ``"streaks"``, a torn ``"cover"``, or ``"none"``."""
    if kind == "none":
        return
    width, height = picture.width // 2, round(horizon) // 2
    side = float(np.sign(light.direction[0]) or 1.0)
    mask, crown = Image.new("L", (width, height)), Image.new("L", (width, height))
    if kind == "heaps":
        for _ in range(int(rng.integers(3, 7))):
            _heap(mask, crown, rng, side)
        crown = ImageChops.multiply(blur(crown, 1.6), mask)
    elif kind == "streaks":
        pen = ImageDraw.Draw(mask)
        for _ in range(int(rng.integers(6, 13))):
            x, y = rng.uniform(0, width), rng.uniform(0.1, 0.92) * height
            w, h = width * rng.uniform(0.1, 0.34), height * rng.uniform(0.006, 0.018)
            pen.rounded_rectangle((x - w, y - h, x + w, y + h), radius=h, fill=int(rng.integers(90, 220)))
        mask = blur(mask, 1.2)
        crown = scale_mask(mask, 0.7)
    else:
        veil = noise(rng, width, height, 4, 4)
        fade = np.linspace(1.0, 0.35, height)[:, None]
        mask = Image.fromarray((np.clip((veil - 0.42) * 3.2, 0, 0.9) * fade * 255).astype(np.uint8))
        crown = scale_mask(mask, 0.6)
    box = (0, 0, picture.width, round(horizon))
    for tone, layer in zip(light.hour.cloud[::-1], (scale_mask(mask, 0.9), crown), strict=True):
        full = layer.resize((box[2], box[3]), Image.Resampling.BILINEAR)
        picture.paste(ink(rgb(tone)), box, full)


def _heap(mask: Image.Image, crown: Image.Image, rng: np.random.Generator, side: float) -> None:
    width, height = mask.size
    x, y = rng.uniform(-0.05, 1.05) * width, rng.uniform(0.08, 0.8) * height
    size = width * rng.uniform(0.035, 0.075) * (1.3 - y / height)
    puffs = []
    for k in range(int(rng.integers(5, 9))):
        r = size * rng.uniform(0.45, 1.0)
        puffs.append((x + rng.normal(0, 1.35) * size, y - r * 0.35 - (k % 2) * size * 0.35, r))
    for layer, shift in ((mask, 0.0), (crown, 0.3)):
        pile = Image.new("L", mask.size)
        pen = ImageDraw.Draw(pile)
        for px, py, r in puffs:
            disc(pen, (px + side * r * shift * 0.6, py - r * shift), r * (1 - 0.2 * shift), 255)
        pen.rectangle((0, y + size * (0.1 - 0.8 * shift), width, height), fill=0)
        layer.paste(255, (0, 0), pile)


def ridge(
    picture: Image.Image, rng: np.random.Generator, base: float, height: float, colour: RGB, cells: int, peak: bool
) -> None:
    """One silhouette of hills (or peaks) that stands on ``base`` pixels and is filled down to it."""
    width = picture.width
    rough = noise(rng, width, 8, cells, 2 if not peak else 4)[4]
    rough = (rough - rough.min()) / max(float(np.ptp(rough)), 1e-6)
    line = [(float(x), float(base - height * (0.25 + 0.75 * rough[min(x, width - 1)]))) for x in range(0, width + 4, 4)]
    ImageDraw.Draw(picture).polygon([(0, base + 2), *line, (width, base + 2)], fill=ink(colour))


def backdrop(picture: Image.Image, light: Light, season: Season, rng: np.random.Generator, y: float, kind: str) -> None:
    """What stands on the horizon row ``y`` behind the landmark."""
    width = picture.width
    leaf = rgb(season.pine)
    if kind in ("mountain", "hills", "islands", "jungle", "plain"):
        stone = mix(rgb("#6b83a6"), (235, 240, 250), 0.35 * (season.snow > 0))
        high = {"mountain": 0.34, "hills": 0.15, "islands": 0.06, "jungle": 0.1, "plain": 0.035}[kind]
        if kind == "mountain":
            ridge(picture, rng, y, width * high, light.far(stone, 0.62), 5, True)
            ridge(picture, rng, y, width * high * 0.62, light.far(mix(stone, leaf, 0.3), 0.48), 5, True)
        else:
            ridge(picture, rng, y, width * high, light.far(mix(stone, leaf, 0.4), 0.6), 3, False)
        if kind != "islands":
            ridge(picture, rng, y, width * high * 0.42, light.far(leaf, 0.36), 5, False)
    if kind == "city":
        pen = ImageDraw.Draw(picture)
        for depth in (0.66, 0.46):
            x = -rng.uniform(0, 20)
            while x < width:
                w, h = width * rng.uniform(0.03, 0.075), width * rng.uniform(0.035, 0.13) * (1.25 - depth * 0.7)
                tone = light.far(mix(rgb("#b59a8e"), rgb("#8591a6"), rng.random()), depth)
                pen.rectangle((x, y - h, x + w, y + 2), fill=ink(tone))
                if rng.random() < 0.4:
                    pen.polygon([(x, y - h), (x + w, y - h), (x + w / 2, y - h - w * 0.5)], fill=ink(times(tone, 0.93)))
                step = max(3.0, width / 90)
                for wx in np.arange(x + step * 0.5, x + w - step * 0.6, step):
                    for wy in np.arange(y - h + step * 0.6, y - step, step * 1.2):
                        if rng.random() < 0.55:
                            glass = rgb("#ffd98a") if light.hour.dark and rng.random() < 0.6 else times(tone, 0.9)
                            pen.rectangle((wx, wy, wx + step * 0.4, wy + step * 0.55), fill=ink(glass))
                x += w * rng.uniform(0.92, 1.5)
    if kind in ("jungle", "plain", "city"):
        pen = ImageDraw.Draw(picture)
        r = width * (0.03 if kind == "jungle" else 0.014)
        for x in np.arange(-r, width + r, r * 0.9):
            size = r * rng.uniform(0.7, 1.25)
            tone = light.far(mix(rgb(str(rng.choice(season.leaves))), leaf, 0.6), 0.3)
            disc(pen, (float(x), y - size * 0.35), size, ink(tone))
        pen.rectangle((0, y, width, y + 3), fill=ink(light.far(leaf, 0.32)))


@dataclass(frozen=True)
class Tree:
    """A tree: its kind (round, poplar, cypress, pine, palm), foot and height in pixels, and share of haze."""

    kind: str
    foot: tuple[float, float]
    height: float
    haze: float


def draw_tree(picture: Image.Image, light: Light, season: Season, rng: np.random.Generator, tree: Tree) -> None:
    """Draw one tree."""
    (x, y), kind, height, haze = tree.foot, tree.kind, tree.height, tree.haze
    side = float(np.sign(light.direction[0]) or 1.0)

    def tone(colour: RGB, facing: float) -> tuple[int, int, int]:
        return ink(mix(light.lit(colour, facing), light.haze, haze))

    pen = ImageDraw.Draw(picture)
    shadow = Image.new("L", picture.size)
    ImageDraw.Draw(shadow).ellipse(
        (x - height * (0.32 + 0.25 * side), y - height * 0.035, x + height * (0.32 - 0.25 * side), y + height * 0.045),
        fill=round(150 * light.hour.shadow + 40),
    )
    wash(picture, mix(light.lit(rgb("#2c3a48")), light.haze, haze), shadow)
    bark = rgb("#7a5a45")
    green = rgb(str(rng.choice(season.leaves)))
    grow: Callable[[float], float] = lambda s: height * s  # noqa: E731
    if kind == "round":
        pen.line((x, y, x, y - grow(0.5)), fill=tone(bark, 0.2), width=max(2, round(grow(0.06))))
        blobs = [(rng.uniform(-0.2, 0.2), rng.uniform(0.42, 0.82), rng.uniform(0.13, 0.2)) for _ in range(9)]
        for facing, shift, shrink in ((-0.1, 0.0, 1.0), (0.35, 0.035, 0.82), (0.8, 0.075, 0.5)):
            for bx, by, r in blobs:
                disc(pen, (x + grow(bx + side * shift), y - grow(by + shift)), grow(r * shrink), tone(green, facing))
    elif kind in ("poplar", "cypress"):
        colour = green if kind == "poplar" else mix(rgb(season.pine), rgb("#2f5a45"), 0.5)
        wide = 0.13 if kind == "poplar" else 0.085
        pen.line((x, y, x, y - grow(0.2)), fill=tone(bark, 0.2), width=max(1, round(grow(0.035))))
        for facing, shift, shrink in ((0.0, 0.0, 1.0), (0.45, 0.28, 0.66), (0.85, 0.5, 0.3)):
            w = wide * shrink
            cx = x + side * grow(wide * shift)
            pen.ellipse(
                (cx - grow(w), y - grow(0.55 + 0.45 * shrink), cx + grow(w), y - grow(0.55 - 0.46 * shrink)),
                fill=tone(colour, facing),
            )
    elif kind == "pine":
        pen.line((x, y, x, y - grow(0.3)), fill=tone(bark, 0.2), width=max(2, round(grow(0.05))))
        colour = rgb(season.pine)
        for k in range(4):
            low, half = 0.14 + 0.2 * k, 0.25 - 0.05 * k
            top = (x, y - grow(low + 0.36))
            left, right = (x - grow(half), y - grow(low)), (x + grow(half), y - grow(low))
            pen.polygon([left, right, top], fill=tone(colour, 0.1 + 0.08 * k))
            pen.polygon([(x, y - grow(low)), right if side > 0 else left, top], fill=tone(colour, 0.6 + 0.08 * k))
            if season.snow:
                cap = [top, (x - grow(half * 0.45), y - grow(low + 0.2)), (x + grow(half * 0.45), y - grow(low + 0.2))]
                pen.polygon(cap, fill=tone((240, 245, 250), 0.5))
    elif kind == "palm":
        lean = rng.uniform(-0.1, 0.1)
        spine = [(x + grow(lean * t * t), y - grow(0.8 * t)) for t in np.linspace(0, 1, 9)]
        pen.line(spine, fill=tone(bark, 0.45), width=max(2, round(grow(0.045))), joint="curve")
        head = spine[-1]
        colour = rgb("#4f8f56") if not season.snow else rgb("#86a699")
        for k in range(9):
            t = np.pi * (-0.12 + 1.24 * k / 8)
            _frond(pen, head, float(t), grow(0.36), tone(colour, 0.15 + 0.6 * (0.5 + 0.5 * side * np.cos(t))))


def _frond(pen: ImageDraw.ImageDraw, head: Sequence[float], angle: float, size: float, fill: tuple[int, ...]) -> None:
    top = [
        (head[0] + size * t * np.cos(angle), head[1] - size * (t * np.sin(angle) * 0.75 - 0.62 * t**2.2))
        for t in np.linspace(0, 1, 7)
    ]
    low = [(a, b + size * 0.15 * np.sin(np.pi * t**0.8)) for (a, b), t in zip(top, np.linspace(0, 1, 7), strict=True)]
    pen.polygon([*top, *low[::-1]], fill=fill)
