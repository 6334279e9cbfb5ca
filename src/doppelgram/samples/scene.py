"""A post's picture: a photograph of a place, passers-by, the person in front, and the camera that took it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from doppelgram.samples.canvas import Floats, blur, darken, scale_mask, stream
from doppelgram.samples.light import Light
from doppelgram.samples.looks import choose_look
from doppelgram.samples.people import Figure, draw_person
from doppelgram.samples.photo import Photo
from doppelgram.samples.process import Post
from doppelgram.samples.skeleton import WALK, flip, jitter

SUPERSAMPLE = 3
MARGIN = 1.12  # how much larger than a post a photograph is rendered, so that its crop can vary
STRANGERS = 100_000  # looks from this number on belong to passers-by


@dataclass(frozen=True)
class Shot:
    """A finished picture, the JPEG quality it is saved with, and the person's keypoints (18, 2) or None."""

    picture: Image.Image
    quality: int
    points: Floats | None


def shoot(photo: Photo, post: Post, size: int, seed: int) -> Shot:
    """Compose a post of ``size`` pixels a side from the photograph that it was taken before."""
    rng = stream(seed, "shot", post.number)
    side = size * SUPERSAMPLE
    span = int(rng.integers(side, photo.picture.width + 1))
    room = photo.picture.width - span
    # the crop keeps the bottom edge near, where people stand
    left, top = int(rng.integers(room + 1)), room - int(rng.integers(room // 3 + 1))
    picture = photo.picture.crop((left, top, left + span, top + span))
    if span != side:
        picture = picture.resize((side, side), Image.Resampling.BILINEAR)
    horizon = (photo.horizon - top) * side / span
    framing = post.framing
    foot = framing.foot * side
    tall = framing.height * side
    for _ in range(min(4, int(rng.poisson(1.1)))):
        nearest = (horizon, (photo.shore - top) * side / span, foot)
        _stranger(picture, photo.light, rng, nearest, tall, seed)
    points = None
    if post.body is not None and post.person is not None:
        look = choose_look(post.person, seed)
        figure = draw_person(look, post.body, photo.light, tall, framing.roll)
        fit = min(0.97 * side / figure.picture.width, (foot - 0.01 * side) / max(1.0, figure.foot[1]))
        if fit < 1.0:
            figure = draw_person(look, post.body, photo.light, tall * fit, framing.roll)
        x = float(np.clip(framing.x * side, figure.foot[0], side - figure.picture.width + figure.foot[0]))
        at = stand(picture, figure, photo.light, (x, foot))
        points = (figure.points + np.array(at)) / SUPERSAMPLE
    small = picture.reduce(SUPERSAMPLE)
    small = develop(small, rng)
    if framing.mirror:
        small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        points = None if points is None else flip(points, size)
    return Shot(small, int(rng.integers(78, 95)), points)


def _stranger(
    picture: Image.Image,
    light: Light,
    rng: np.random.Generator,
    rows: tuple[float, float, float],
    tall: float,
    seed: int,
) -> None:
    """A passer-by further off, smaller the nearer to the horizon.

    ``rows`` are the horizon's, the farthest that can be walked on, and that of the main person's feet.
    """
    horizon, shore, foot = rows
    least = max(0.22, (shore - horizon) / max(foot - horizon, 1.0) + 0.05)
    near = float(rng.uniform(min(least, 0.9), max(0.8, least + 0.05)))
    y = horizon + (foot - horizon) * near
    height = tall * near**1.25 * float(rng.uniform(0.9, 1.05))
    if height < 0.05 * picture.height:
        return
    pose = jitter(WALK[int(rng.integers(len(WALK)))], rng, 5.0)
    look = choose_look(STRANGERS + int(rng.integers(200)), seed)
    x = float(rng.choice([rng.uniform(0.04, 0.36), rng.uniform(0.64, 0.96)])) * picture.width
    stand(picture, draw_person(look, pose, light, height), light, (x, y))


def stand(picture: Image.Image, figure: Figure, light: Light, foot: tuple[float, float]) -> tuple[int, int]:
    """Put a figure on the ground at ``foot`` with its shadow; returns where its picture's corner came to lie."""
    at = (round(foot[0] - figure.foot[0]), round(foot[1] - figure.foot[1]))
    _shadow(picture, figure, light, at)
    picture.paste(figure.picture, at, figure.mask)
    return at


def _shadow(picture: Image.Image, figure: Figure, light: Light, at: tuple[int, int]) -> None:
    # A point h above the ground throws its shadow h * lean to the side and h * rise up the picture.
    direction = light.direction
    lean = float(np.clip(-direction[0] / max(direction[1], 0.3), -1.6, 1.6))
    rise = float(np.clip(0.3 * direction[2] / max(direction[1], 0.3), 0.1, 0.4))
    width, height = figure.mask.size
    ground = figure.foot[1]
    reach = round(abs(lean) * ground) + 8
    deep = round(rise * ground) + 12
    # box of the shadow, in the figure's pixels: x from -reach to width + reach, y from ground - deep to ground + 12
    x0, y0 = -reach, ground - deep
    size = (width + 2 * reach, deep + 12)
    k = 1 / rise
    # output (u, v) stands for ground point (u + x0, v + y0); h = (ground - v - y0) / rise
    matrix = (1.0, lean * k, x0 - lean * k * (ground - y0), 0.0, k, ground - k * (ground - y0))
    cast = figure.mask.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    pen = ImageDraw.Draw(cast)
    foot = figure.foot[0] - x0
    spread = max(8.0, height * 0.11)
    pen.ellipse((foot - spread, deep - spread * 0.2, foot + spread, deep + spread * 0.24), fill=190)
    cast = blur(cast, max(1.0, height / 90))
    strength = 0.35 + light.hour.shadow * 0.9
    cast = scale_mask(cast, 0.85 * min(1.0, strength))
    corner = (at[0] + x0, at[1] + round(y0))
    box = (
        max(0, corner[0]),
        max(0, corner[1]),
        min(picture.width, corner[0] + size[0]),
        min(picture.height, corner[1] + size[1]),
    )
    if box[0] < box[2] and box[1] < box[3]:
        part = cast.crop((box[0] - corner[0], box[1] - corner[1], box[2] - corner[0], box[3] - corner[1]))
        darken(picture, part, (88, 92, 128), (box[0], box[1]))


def develop(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """What a camera and its owner do: exposure, contrast, colour cast, saturation, vignette, softness, grain."""
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.2, 0.6)) * picture.width / 160))
    pixels = np.asarray(picture, dtype=np.float32)
    cast = rng.normal(1.0, 0.045, 3).astype(np.float32) * np.float32(rng.normal(1.0, 0.07))
    pixels = (pixels - 128) * np.float32(rng.normal(1.03, 0.07)) + 128
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = (grey + (pixels - grey) * np.float32(rng.normal(1.03, 0.12))) * cast
    height, width = pixels.shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    pixels *= (1 - float(rng.uniform(0, 0.16)) * (x * x + y * y) ** 1.3 / 2).astype(np.float32)[..., None]
    pixels += rng.standard_normal((height, width, 1), dtype=np.float32) * np.float32(rng.uniform(0.3, 2.4))
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))
