"""Rendering the traffic signs of the sample world: crops of plates as a camera meets them along a street."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from doppelgram.samples.canvas import RGB, Floats, blur, gradient, ink, mix, noise, rgb, stream, times
from doppelgram.samples.output import fresh
from doppelgram.samples.plates import PLATE, SIGNS, plate
from doppelgram.samples.posts import check_range

Pixels = NDArray[np.float32]
CROPS_PER_SCENE = 4
SKIES = ("#9fc3e0", "#d8e2e6", "#f0d9b8", "#7fa3c4", "#b9c0c6", "#e8b999")
WALLS = ("#8a7d70", "#b39d86", "#6d7a80", "#a05e4a", "#5d6b4e", "#4c6b45", "#c8beb0", "#3d4a52")


@dataclass(frozen=True)
class Scene:
    """What crops of one panorama share: the street behind, the light on the plates, and the camera."""

    sky: RGB
    walls: tuple[RGB, RGB, RGB]
    light: Floats
    ambient: float
    edge: float | None
    edge_angle: float
    softness: float
    grain: float
    detail: float
    yaw: float


def choose_scene(number: int, seed: int) -> Scene:
    """The ``number``-th scene of the world of ``seed``."""
    rng = stream(seed, "street", number)
    warm = float(rng.normal(0, 0.1))
    light = np.array([1 + warm, 1.0, 1 - warm]) * float(np.clip(rng.lognormal(-0.14, 0.3), 0.34, 1.45))
    walls = [rgb(WALLS[int(k)]) for k in rng.integers(len(WALLS), size=3)]
    return Scene(
        sky=rgb(SKIES[int(rng.integers(len(SKIES)))]),
        walls=(walls[0], walls[1], walls[2]),
        light=light,
        ambient=float(rng.uniform(0.3, 0.62)),
        edge=float(rng.uniform(-0.6, 0.6)) if rng.random() < 0.42 else None,
        edge_angle=float(rng.uniform(0, 2 * np.pi)),
        softness=float(rng.gamma(2.0, 0.3)),
        grain=float(rng.uniform(1, 8)),
        detail=float(rng.uniform(0.3, 1.0)),
        yaw=float(rng.normal(0, 22)),
    )


def render_signs(
    out: Path,
    *,
    classes: int = 16,
    per_class: int = 30,
    size: int = 64,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Path:
    """Render a set of traffic-sign crops, ``<class>/<scene>_<n>.png``.

    About four crops come from each scene and share its light, background and camera, so a split must keep scenes
    whole. Some classes differ by a detail only: 30 and 50, left and right. The same arguments give the same files.

    Args:
        out: folder to write into; an earlier rendering there is replaced.
        classes: how many sign classes (1-28).
        per_class: crops of each class.
        size: side of the square crops in pixels (16-512).
        seed: which world.
        progress: called with 1 after each crop.

    Returns:
        ``out``.

    Raises:
        DoppelgramError: an argument is out of range, or ``out`` holds files that are not of an earlier rendering.
    """
    check_range("classes", classes, 1, len(SIGNS))
    check_range("per_class", per_class, 1, 20_000)
    check_range("size", size, 16, 512)
    check_range("seed", seed, 0, 2**63 - 1)
    out = Path(out)
    rng = stream(seed, "signs")
    labels = rng.permutation(np.repeat(np.arange(classes), per_class))
    names = list(SIGNS)[:classes]
    with fresh(out) as folder:
        for name in names:
            (folder / name).mkdir()
        scene_ids = rng.choice(90_000, len(labels) // CROPS_PER_SCENE + 1, replace=False) + 10_000
        for n, label in enumerate(labels):
            number = n // CROPS_PER_SCENE
            name = names[int(label)]
            crop = render_crop(name, choose_scene(number, seed), size, stream(seed, "crop", n))
            crop.save(folder / name / f"{scene_ids[number]}_{n}.png", compress_level=3)
            if progress is not None:
                progress(1)
    return out


def render_crop(name: str, scene: Scene, size: int, rng: np.random.Generator) -> Image.Image:
    """One crop (size, size) of the sign ``name`` as it looks in ``scene``."""
    side = size * 2
    back = _street(scene, side, rng)
    picture, outline = plate(name)
    matrix = _camera(scene, side, rng)
    warped = picture.transform((side, side), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC)
    mask = outline.transform((side, side), Image.Transform.PERSPECTIVE, matrix, Image.Resampling.BICUBIC)
    pixels = _lit(np.asarray(warped, dtype=np.float32), scene, side, rng)
    back.paste(Image.fromarray(pixels.astype(np.uint8)), (0, 0), mask)
    softness = scene.softness * float(rng.uniform(0.6, 1.4)) * side / 128
    back = back.filter(ImageFilter.GaussianBlur(softness)) if softness > 0.25 else back
    # A far sign fills few pixels: detail is lost before the crop is brought to its size.
    coarse = max(10, round(size * min(1.0, scene.detail * float(rng.uniform(0.75, 1.25)))))
    small = back.resize((coarse, coarse), Image.Resampling.BOX).resize((size, size), Image.Resampling.BICUBIC)
    grain = rng.standard_normal((size, size, 3), dtype=np.float32) * np.float32(scene.grain)
    return Image.fromarray(np.clip(np.asarray(small) + grain + 0.5, 0, 255).astype(np.uint8))


def _camera(scene: Scene, side: int, rng: np.random.Generator) -> tuple[float, ...]:
    """The perspective map from the crop's pixels to the plate's, eight numbers as Pillow wants them."""
    yaw = np.radians(np.clip(scene.yaw + rng.normal(0, 8), -52, 52))
    pitch, roll = np.radians(rng.normal(0, 7)), np.radians(rng.normal(0, 4.5))
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    spin = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    rotation = spin @ nod @ turn
    half = PLATE / 2
    # plate (u, v, 1) -> plane coordinates -> rotated, 3.2 plate halves before the camera -> crop pixels
    plane = np.array([[1 / half, 0, -1], [0, 1 / half, -1], [0, 0, 1]])
    distance = 3.2
    pose = np.stack([rotation[:, 0], rotation[:, 1], np.array([0, 0, distance])], axis=1)
    zoom = side / 2 * distance * float(rng.uniform(0.92, 1.2))
    shift = side / 2 + rng.normal(0, 0.035, 2) * side
    lens = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]], [0, 0, 1]])
    inverse = np.linalg.inv(lens @ pose @ plane)
    inverse /= inverse[2, 2]
    return tuple(float(v) for v in inverse.ravel()[:8])


def _street(scene: Scene, side: int, rng: np.random.Generator) -> Image.Image:
    """A blurred street: sky, house fronts, leaves, the sign's post."""
    bright = float(scene.light.mean())
    tint = (float(scene.light[0]), float(scene.light[1]), float(scene.light[2]))
    sky = times(scene.sky, min(1.1, 0.55 + 0.45 * bright))
    picture = gradient(side, side, [(0, sky), (1, mix(sky, (255, 255, 255), 0.25))])
    pen = ImageDraw.Draw(picture)
    x = -side * float(rng.uniform(0, 0.4))
    while x < side:
        wide, high = side * float(rng.uniform(0.2, 0.7)), side * float(rng.uniform(0.1, 1.0))
        wall = times(scene.walls[int(rng.integers(3))], tint)
        pen.rectangle((x, side - high, x + wide, side), fill=ink(wall))
        for _ in range(int(rng.integers(0, 5))):
            wx, wy = x + wide * float(rng.uniform(0, 0.8)), side - high * float(rng.uniform(0.1, 0.95))
            pane = times(wall, float(rng.choice([0.55, 0.7, 1.25])))
            pen.rectangle((wx, wy, wx + wide * 0.2, wy + side * 0.14), fill=ink(pane))
        x += wide
    for _ in range(int(rng.integers(0, 7))):
        r = side * float(rng.uniform(0.06, 0.22))
        cx, cy = float(rng.uniform(0, side)), float(rng.uniform(0.2, 1.1)) * side
        leaf = times(mix(rgb("#3f6b35"), rgb("#8aa455"), float(rng.random())), tint)
        pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=ink(leaf))
    picture = blur(picture, side * float(rng.uniform(0.015, 0.05)))
    post = times(rgb("#8d9296"), tint)
    bar = side * 0.03
    ImageDraw.Draw(picture).rectangle((side / 2 - bar, side / 2, side / 2 + bar, side), fill=ink(post))
    return picture


def _lit(pixels: Pixels, scene: Scene, side: int, rng: np.random.Generator) -> Pixels:
    """The plate under the scene's light: a slope of brightness, a shadow's edge, dirt, fading, a sheen."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    angle = scene.edge_angle
    across = (np.cos(angle) * x + np.sin(angle) * y).astype(np.float32)
    level = 1 + np.float32(rng.uniform(0.02, 0.2)) * across
    if scene.edge is not None:
        width = np.float32(rng.uniform(0.02, 0.15))
        lit = 1 / (1 + np.exp(-np.clip((across - np.float32(scene.edge + rng.normal(0, 0.15))) / width, -30, 30)))
        level *= np.float32(scene.ambient) + np.float32(1 - scene.ambient) * lit
    if rng.random() < 0.4:
        dirt = noise(rng, side, side, int(rng.integers(3, 9)), 3)
        level *= 1 - np.clip((dirt - 0.55) * np.float32(rng.uniform(0.5, 2.6)), 0, 0.55)
    fade = np.float32(max(0.0, rng.normal(0.04, 0.1)))
    pixels = pixels + (pixels.mean(axis=2, keepdims=True) * 0.5 + 95 - pixels) * fade
    pixels = pixels * scene.light.astype(np.float32) * level[..., None]
    if rng.random() < 0.15:
        cx, cy = rng.uniform(-0.6, 0.6, 2).astype(np.float32)
        spot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 0.18)
        pixels = pixels + 80 * spot[..., None]
    return np.asarray(np.clip(pixels, 0, 255), dtype=np.float32)
