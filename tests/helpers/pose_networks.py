"""Networks on disk for the tests of poses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.tiny_networks import SHAPE, red_square, save


@pytest.fixture(scope="session")
def movenet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with MoveNet's shapes that sees red squares."""
    from openvino import opset13 as ops

    entry, (x, y), side, sure = red_square(192, np.uint8)
    shape = SHAPE.astype(np.float32)
    columns = [
        ops.add(y, ops.multiply(side, shape[:, 1])),
        ops.add(x, ops.multiply(side, shape[:, 0])),
        ops.multiply(sure, np.ones(17, np.float32)),
    ]
    answer = ops.reshape(
        ops.transpose(ops.concat([ops.unsqueeze(c, np.array(0)) for c in columns], 0), [1, 0]),
        np.array([1, 1, 17, 3]),
        False,
    )
    return save([answer], [entry], tmp_path_factory.mktemp("movenet") / "movenet.xml")


@pytest.fixture(scope="session")
def deeplab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with DeepLab's shapes, smaller, that calls whatever is red a person."""
    from openvino import opset13 as ops

    entry = ops.parameter([1, 65, 65, 3], np.uint8)
    red = ops.squeeze(ops.gather(ops.convert(entry, "f32"), np.array([0]), np.array(3)), np.array([3]))
    classes = ops.select(ops.greater(red, np.float32(128)), np.int64(15), np.int64(0))
    return save([classes], [entry], tmp_path_factory.mktemp("deeplab") / "deeplab.xml")
