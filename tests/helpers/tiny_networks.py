"""Small networks with the shapes of the real ones, written to disk and run by the real engine.

A red square on black is a "person" to them: the pose network finds its middle and its size, so that a skeleton has to
come out at the right place of the photograph whatever part of it the network was shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Where the joints of COCO's order stand, (x, y) in sides of the red square from its middle.
SHAPE = np.array(
    [
        (0, -0.4),
        (0.03, -0.43),
        (-0.03, -0.43),
        (0.06, -0.42),
        (-0.06, -0.42),
        (0.15, -0.25),
        (-0.15, -0.25),
        (0.3, -0.1),
        (-0.3, -0.1),
        (0.4, 0.0),
        (-0.4, 0.0),
        (0.1, 0.1),
        (-0.1, 0.1),
        (0.15, 0.3),
        (-0.15, 0.3),
        (0.2, 0.5),
        (-0.2, 0.5),
    ]
)


def draw_people(width: int, height: int, squares: list[tuple[float, float, float]]) -> NDArray[np.uint8]:
    """Red squares (x, y, side) on black."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side in squares:
        rows = slice(max(0, round(y - side / 2)), round(y + side / 2))
        image[rows, max(0, round(x - side / 2)) : round(x + side / 2), 0] = 255
    return image


def save(results: list[Any], inputs: list[Any], file: Path) -> Path:
    import openvino

    openvino.save_model(openvino.Model(results, inputs), file, compress_to_fp16=False)
    return file


def red_square(size: int, kind: Any) -> tuple[Any, Any, Any, Any]:
    """Input, and the red square's middle (x, y) and side as shares of the picture, and how much it is one square."""
    from openvino import opset13 as ops

    entry = ops.parameter([1, size, size, 3], kind)
    picture = ops.convert(entry, "f32")
    red = ops.squeeze(ops.gather(picture, np.array([0]), np.array(3)), np.array([0, 3]))
    red = ops.divide(ops.relu(red), ops.add(ops.reduce_max(red, np.array([0, 1]), keep_dims=True), np.float32(1e-6)))
    places = ((np.arange(size, dtype=np.float32) + 0.5) / size).reshape(1, size)
    mass = ops.reduce_sum(red, np.array([0, 1]))
    total = ops.add(mass, np.float32(1e-6))

    def moment(grid: NDArray[np.float32]) -> Any:
        return ops.divide(ops.reduce_sum(ops.multiply(red, grid), np.array([0, 1])), total)

    x, y = moment(places), moment(places.T)
    variance = ops.subtract(
        ops.add(moment(places**2), moment(places.T**2)), ops.add(ops.multiply(x, x), ops.multiply(y, y))
    )
    # A square of side a covers a² and has variance a²/12 along each axis; two squares apart vary more.
    side = ops.sqrt(ops.relu(ops.multiply(variance, np.float32(6))))
    covered = ops.divide(mass, np.float32(size * size))
    sure = ops.divide(covered, ops.add(ops.multiply(variance, np.float32(6)), np.float32(1e-6)))
    sure = ops.minimum(sure, np.float32(1))
    # Like the real networks, it is less sure of somebody whom the edge of its picture cuts.
    edge = np.ones((size, size), np.float32)
    edge[2:-2, 2:-2] = 0
    on_edge = ops.divide(ops.reduce_sum(ops.multiply(red, edge), np.array([0, 1])), total)
    whole = ops.relu(ops.subtract(np.float32(1), ops.multiply(on_edge, np.float32(60))))
    sure = ops.multiply(ops.multiply(sure, sure), whole)
    return entry, (x, y), side, sure


def expected(x: float, y: float, side: float) -> NDArray[np.float64]:
    """COCO joints (17, 2) of a red square in pixels of the photograph."""
    return SHAPE * side + np.array([x, y])


# An upright body in OpenPose's order, (x, y) in body heights from its middle.
_STANDING = np.array(
    [
        (0, -0.42),
        (0, -0.32),
        (-0.1, -0.32),
        (-0.13, -0.15),
        (-0.14, 0),
        (0.1, -0.32),
        (0.13, -0.15),
        (0.14, 0),
        (-0.06, 0),
        (-0.07, 0.25),
        (-0.07, 0.5),
        (0.06, 0),
        (0.07, 0.25),
        (0.07, 0.5),
        (-0.02, -0.44),
        (0.02, -0.44),
        (-0.04, -0.43),
        (0.04, -0.43),
    ]
)


def standing(x: float, y: float, height: float, confidence: float = 0.9) -> NDArray[np.float32]:
    """Somebody who stands, (18, 3) in our order, around a point."""
    points = np.concatenate([_STANDING * height + np.array([x, y]), np.full((18, 1), confidence)], axis=1)
    return points.astype(np.float32)
