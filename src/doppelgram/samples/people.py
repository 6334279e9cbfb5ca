"""Drawing a person from a look and a pose: the picture, its mask, and the 18 keypoints of what was drawn."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops

from doppelgram.samples.canvas import Floats, Point, blur, ink, scale_mask, wash
from doppelgram.samples.figure import Painter
from doppelgram.samples.light import Light
from doppelgram.samples.looks import Look
from doppelgram.samples.skeleton import Pose, body_points, keypoints

PITCH = 0.16  # the camera looks down a little: what is nearer lies lower in the picture


@dataclass(frozen=True)
class Figure:
    """A drawn person: an RGB picture, its "L" mask, and keypoints (18, 2) in the picture's pixels.

    ``foot`` is the pixel on the ground below the hips.
    """

    picture: Image.Image
    mask: Image.Image
    points: Floats
    foot: Point


def draw_person(look: Look, pose: Pose, light: Light, height: float, tilt: float = 0.0) -> Figure:
    """Draw a person about ``height`` pixels tall, rolled by ``tilt`` degrees about the foot."""
    at = body_points(pose, look.build)
    t = np.radians(tilt)

    def flat(p: Floats) -> Point:
        x, y = float(p[0]), float(p[1]) - PITCH * float(p[2])
        return x * np.cos(t) + y * np.sin(t), y * np.cos(t) - x * np.sin(t)

    spots = {name: flat(p) for name, p in at.items()}
    xy = np.array(list(spots.values()))
    margin = 0.16
    left, right = float(xy[:, 0].min()) - margin, float(xy[:, 0].max()) + margin
    top, low = float(xy[:, 1].max()) + margin, float(xy[:, 1].min()) - margin
    size = (max(8, round((right - left) * height)), max(8, round((top - low) * height)))
    pixel = {name: ((x - left) * height, (top - y) * height) for name, (x, y) in spots.items()}
    picture, mask = Image.new("RGB", size, ink(look.skin)), Image.new("L", size)
    Painter(look, light, height, pixel, at, picture, mask).draw()
    _model(picture, mask, light, height)
    flat_points = np.array([flat(p) for p in keypoints(at)])
    points = np.stack([(flat_points[:, 0] - left) * height, (top - flat_points[:, 1]) * height], axis=1)
    return Figure(picture, mask, points, ((0.0 - left) * height, top * height))


def _model(picture: Image.Image, mask: Image.Image, light: Light, height: float) -> None:
    """Round the figure: darker away from the sun, a warm rim towards it."""
    side = 1.0 if light.direction[0] >= 0 else -1.0
    step = max(1.0, height * 0.018)
    soft = blur(mask, step * 1.1)
    shifted = ImageChops.offset(soft, round(side * step), -round(step * 0.6))
    shade = scale_mask(ImageChops.subtract(mask, shifted), 0.35 + light.hour.shadow)
    picture.paste(ImageChops.multiply(picture, Image.new("RGB", picture.size, (150, 146, 176))), (0, 0), shade)
    rim = ImageChops.subtract(mask, ImageChops.offset(soft, -round(side * step), round(step * 0.5)))
    wash(picture, light.lit((255, 244, 224), 0.9), scale_mask(rim, 0.4 * light.hour.shadow))
