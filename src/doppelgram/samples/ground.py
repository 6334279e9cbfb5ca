"""The ground before a landmark: lawn, meadow, paving, dust, tulip fields, gardens, pools, rivers and the sea."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from doppelgram.samples.canvas import RGB, Floats, blur, darken, disc, gradient, ink, mix, noise, rgb, times
from doppelgram.samples.landmarks import Landmark
from doppelgram.samples.light import Light, Season
from doppelgram.samples.painter import Camera, Mesh, outline

WATER = {"pool", "river", "sea"}


def lay(
    picture: Image.Image, light: Light, season: Season, rng: np.random.Generator, camera: Camera, kind: str
) -> None:
    """Paint everything below the horizon, before the landmark stands on it."""
    width, height = picture.size
    top = round(camera.horizon)
    far, near = (rgb(c) for c in season.grass)
    if kind in ("dust", "plaza"):
        dry = (rgb("#e3cda4"), rgb("#cfae7d")) if kind == "dust" else (rgb("#dccfbe"), rgb("#bfae9c"))
        far, near = (mix(c, s, season.snow * 0.8) for c, s in zip(dry, (far, near), strict=True))
    if kind in ("river", "sea"):
        low = rgb(light.hour.sky[2])
        far, near = mix(low, rgb("#5b9bb0"), 0.35), mix(rgb(light.hour.sky[1]), rgb("#1f5f7d"), 0.55)
        stops = [(0.0, mix(light.far(far, 0.5), low, 0.5)), (0.35, light.lit(far, 0.45)), (1.0, light.lit(near, 0.35))]
    else:
        stops = [(0.0, light.far(far, 0.5)), (0.25, light.far(mix(far, near, 0.4), 0.18)), (1.0, light.lit(near, 0.5))]
    floor = gradient(width, height - top, stops)
    if kind not in WATER or kind == "pool":
        grain = noise(rng, width // 6, height - top, 5, 3)
        grain_rows = np.asarray(Image.fromarray(grain).resize((width, height - top), Image.Resampling.BILINEAR))
        factor = (0.93 + 0.14 * grain_rows)[..., None]
        floor = Image.fromarray(np.clip(np.asarray(floor) * factor, 0, 255).astype(np.uint8))
    picture.paste(floor, (0, top))
    pen = ImageDraw.Draw(picture)
    dim = light.lit
    if kind == "lawn":
        _strips(pen, camera, [(-0.34, 0.34)], dim(mix(rgb("#e5d3b0"), (245, 247, 250), season.snow * 0.5), 0.5))
        for s in (-1, 1):
            _strips(pen, camera, [(s * 0.37, s * 0.4)], dim(mix(near, rgb("#3d6b3c"), 0.4), 0.4))
    elif kind == "plaza":
        seam = dim(times(mix(far, near, 0.7), 0.88), 0.5)
        for x in np.arange(-6.3, 6.4, 0.6):
            _strips(pen, camera, [(x, x + 0.012)], seam)
        for depth in np.geomspace(0.3, 4, 11):
            y = camera.horizon + camera.focal * camera.height / depth
            tone = mix(seam, dim(far, 0.5), min(1.0, depth / 4))
            pen.line((0, y, width, y), fill=ink(tone), width=max(1, round(width / 420)))
    elif kind == "tulips":
        colours = [rgb(c) for c in ("#e2453f", "#f3c243", "#ec6f9b", "#f08a3c", "#b655a0")]
        if season.name in ("autumn", "winter"):
            colours = [mix(near, rgb("#8a7550"), 0.5), mix(far, rgb("#6f7f4a"), 0.4)]
        order = rng.permutation(len(colours))
        for k, x in enumerate(np.arange(-9, 9, 0.42)):
            _strips(pen, camera, [(x, x + 0.3)], dim(colours[order[k % len(colours)]], 0.55))
            _strips(pen, camera, [(x + 0.3, x + 0.36)], dim(times(near, 0.72), 0.4))
        _speckle(picture, rng, camera)
        _strips(pen, camera, [(-0.3, 0.3)], dim(mix(rgb("#d8c39a"), far, season.snow), 0.5))
    if kind == "garden":
        for k in range(6):
            x = (k - 2.5) * 0.02 * width
            y = camera.horizon + (height - camera.horizon) * (0.18 + 0.16 * k)
            w = width * (0.05 + 0.012 * k)
            centre = width / 2 + x * (1 if k % 2 else -1) + (camera.centre_x - width / 2) * (1 - k / 6)
            pen.ellipse((centre - w, y - w * 0.2, centre + w, y + w * 0.24), fill=ink(dim(rgb("#9d968c"), 0.2)))
            pen.ellipse((centre - w, y - w * 0.24, centre + w, y + w * 0.18), fill=ink(dim(rgb("#d3cbbd"), 0.5)))
    if kind in ("meadow", "garden") and not season.snow:
        petals = [rgb(c) for c in ("#fff6d8", "#f4d35e", "#f2a0b5", "#ffffff")]
        for _ in range(90 if season.name == "spring" else 40):
            t = rng.random() ** 1.6
            y = camera.horizon + (height - camera.horizon) * (0.22 + 0.78 * (1 - t))
            r = width / 420 * (0.5 + 1.1 * (1 - t))
            disc(pen, (rng.uniform(0, width), y), r, ink(dim(petals[int(rng.integers(4))], 0.5)))


def _speckle(picture: Image.Image, rng: np.random.Generator, camera: Camera) -> None:
    """Blossoms: dots a little lighter or darker than the strip that they stand in."""
    pen = ImageDraw.Draw(picture)
    deep = picture.height - camera.horizon
    for _ in range(420):
        t = rng.random()
        x, y = rng.uniform(0, picture.width), camera.horizon + deep * (0.12 + 0.88 * t)
        tone = times(picture_colour(picture, x, y), float(rng.choice([0.86, 1.14])))
        disc(pen, (x, y), picture.width / 300 * (0.25 + t), ink(tone))


def _strips(pen: ImageDraw.ImageDraw, camera: Camera, spans: list[tuple[float, float]], colour: RGB) -> None:
    for x0, x1 in spans:
        back = camera.distance - 60.0
        front = camera.distance - 0.12
        corners = np.array([[x0, 0, back], [x1, 0, back], [x1, 0, front], [x0, 0, front]])
        pen.polygon([(float(x), float(y)) for x, y in camera.project(corners)], fill=ink(colour))


def cast_shadow(picture: Image.Image, light: Light, camera: Camera, mesh: Mesh) -> None:
    """Darken the ground where the mesh stands between it and the sun."""
    mask = Image.new("L", picture.size)
    pen = ImageDraw.Draw(mask)
    sun = light.direction
    for number in np.flatnonzero(mesh.layer >= 0):
        points = mesh.part_points(int(number))
        onto: Floats = points - sun * (points[:, 1:2] / max(float(sun[1]), 0.2))
        onto = onto[onto[:, 2] < camera.distance - 0.3]
        if len(onto) > 2:
            edge = outline(camera.project(onto))
            if len(edge) > 2:
                pen.polygon(edge, fill=round(255 * min(1.0, light.hour.shadow * 1.25)))
    mask.paste(0, (0, 0, picture.width, round(camera.horizon)))
    darken(picture, blur(mask, picture.width / 240), mix((70, 80, 120), light.haze, 0.12))


def contact(picture: Image.Image, camera: Camera, landmark: Landmark, mesh: Mesh) -> None:
    """A soft dark seam where the landmark meets the ground."""
    low = mesh.points[mesh.points[:, 1] < 0.05]
    if landmark.ground in WATER - {"pool"} or len(low) < 3:
        return
    mask = Image.new("L", picture.size)
    spread = low * np.array([1.04, 0, 1.06])
    edge = outline(camera.project(spread))
    if len(edge) > 2:
        ImageDraw.Draw(mask).polygon(edge, fill=120)
    darken(picture, blur(mask, picture.width / 110), (60, 62, 84))


def reflect(
    picture: Image.Image, light: Light, rng: np.random.Generator, camera: Camera, kind: str, shore: float
) -> None:
    """Mirror what stands above the water line (``shore``, a row) into the water below it, broken by ripples."""
    width, height = picture.size
    row = round(shore)
    depth = height - row
    if depth < 8:
        return
    squash = 0.82
    source = picture.crop((0, max(0, row - round(depth / squash)), width, row))
    flipped = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, round(source.height * squash)))
    mirror = Image.new("RGB", (width, depth), picture.getpixel((2, height - 2)))
    mirror.paste(flipped, (0, 0))
    pixels = np.asarray(mirror)
    y = np.arange(depth)
    near = (y + 1) / depth
    sway = np.sin(y * (0.9 - 0.55 * near) + rng.uniform(0, 6)) * (0.5 + 6.0 * near) * width / 528
    columns = np.clip(np.arange(width)[None, :] + np.rint(sway).astype(int)[:, None], 0, width - 1)
    rippled = Image.fromarray(pixels[y[:, None], columns])
    water = mix(rgb("#27607c"), rgb(light.hour.sky[1]), 0.3)
    rippled = Image.blend(rippled, Image.new("RGB", rippled.size, ink(light.lit(water, 0.5))), 0.3)
    strength = np.interp(near, [0, 0.5, 1.0], [235, 190, 120])[:, None].repeat(width, 1)
    mask = Image.fromarray(strength.astype(np.uint8))
    if kind == "pool":
        pond = Image.new("L", (width, height))
        # the basin ends before the bottom edge, so that people stand on the terrace and not on the water
        far = camera.distance - 3.0
        close = camera.distance - camera.focal * camera.height / max(0.84 * height - camera.horizon, 1.0)
        corners = np.array([[-0.3, 0, far], [0.3, 0, far], [0.3, 0, close], [-0.3, 0, close]])
        rim = close + 0.06 * (camera.distance - close)
        basin = np.array([[-0.37, 0, far - 0.1], [0.37, 0, far - 0.1], [0.37, 0, rim], [-0.37, 0, rim]])
        edge = [(float(a), float(b)) for a, b in camera.project(basin)]
        ImageDraw.Draw(picture).polygon(edge, fill=ink(light.lit(rgb("#e9dac4"), 0.5)))
        ImageDraw.Draw(pond).polygon([(float(a), float(b)) for a, b in camera.project(corners)], fill=255)
        ImageDraw.Draw(picture).polygon(
            [(float(a), float(b)) for a, b in camera.project(corners)], fill=ink(light.lit(water, 0.4))
        )
        mask = ImageChops.multiply(mask, pond.crop((0, row, width, height)))
    picture.paste(rippled, (0, row), mask)
    if kind == "pool":
        return
    pen = ImageDraw.Draw(picture)
    spark = mix(rgb(light.hour.cloud[0]), light.lit((255, 255, 255), 0.5), 0.5)
    for _ in range(70):
        t = rng.random()
        gy, gx = row + depth * (0.03 + 0.97 * t), rng.uniform(0, width)
        w = width * (0.006 + 0.03 * t) * rng.uniform(0.5, 1.3)
        tone = mix(picture_colour(picture, gx, gy), spark, rng.uniform(0.15, 0.5))
        pen.rounded_rectangle((gx - w, gy, gx + w, gy + max(1.0, width / 420 * (0.6 + t))), radius=1, fill=ink(tone))


def picture_colour(picture: Image.Image, x: float, y: float) -> RGB:
    """The colour of the pixel at (x, y), clipped to the picture."""
    at = (min(picture.width - 1, max(0, int(x))), min(picture.height - 1, max(0, int(y))))
    pixel = picture.getpixel(at)
    return (float(pixel[0]), float(pixel[1]), float(pixel[2])) if isinstance(pixel, tuple) else (128.0, 128.0, 128.0)


def quay(picture: Image.Image, light: Light, season: Season, rng: np.random.Generator, top: float) -> None:
    """A paved quay along the bottom of a water picture, for people to stand on."""
    width, height = picture.size
    stone = mix(rgb("#cdb99c"), (240, 244, 248), season.snow * 0.6)
    deep = height - round(top)
    if deep < 4:
        return
    slab = gradient(width, deep, [(0, light.lit(times(stone, 1.04), 0.6)), (1, light.lit(times(stone, 0.8), 0.55))])
    picture.paste(slab, (0, round(top)))
    pen = ImageDraw.Draw(picture)
    seam = light.lit(times(stone, 0.72), 0.4)
    vanish = (width / 2 + rng.uniform(-0.1, 0.1) * width, top - 0.35 * height)
    for x in np.linspace(-1.6, 2.6, 30) * width:
        t = (top - vanish[1]) / (height - vanish[1])
        pen.line((vanish[0] + (x - vanish[0]) * t, top, x, height), fill=ink(seam), width=max(1, width // 420))
    for t in (0.22, 0.52, 0.9):
        pen.line((0, top + deep * t, width, top + deep * t), fill=ink(seam), width=max(1, width // 420))
    pen.rectangle((0, top - width * 0.008, width, top + width * 0.006), fill=ink(light.lit(times(stone, 1.12), 0.8)))
    pen.rectangle((0, top - width * 0.014, width, top - width * 0.008), fill=ink(light.lit(times(stone, 0.5), 0.2)))
