"""A torch network run in the fastest way at hand."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.pose.engine import import_openvino, openvino_core

Run = Callable[[Tensor], NDArray[Any]]


def compiled(network: nn.Module, size: int) -> Run:
    """A function from images (b, 3, size, size) to what a network makes of them.

    OpenVINO runs it where it is installed, several times as fast on a processor as torch does; what it gives differs
    from torch by rounding. Translating the network takes seconds, so that it pays from some dozens of images on.

    Args:
        network: as it is now; later changes of its weights are not seen. It is switched to evaluation.
        size: side of the images.
    """
    network.eval()
    try:
        openvino = import_openvino()
    except ImportError:
        return lambda images: _by_torch(network, images)
    any_number = [openvino.PartialShape([-1, 3, size, size])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, which has one size only to be right about
        traced = openvino.convert_model(network, example_input=torch.zeros(1, 3, size, size), input=any_number)
    # Real numbers stay as the network has them: where a processor has bf16, OpenVINO would round to it.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    program = openvino_core().compile_model(traced, "CPU", settings)
    return lambda images: np.array(program(images.contiguous().numpy())[0])


@torch.inference_mode()
def _by_torch(network: nn.Module, images: Tensor) -> NDArray[Any]:
    found: NDArray[Any] = network(images).numpy()
    return found
