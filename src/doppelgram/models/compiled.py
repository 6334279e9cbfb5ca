"""A torch network run in the fastest way at hand."""

from __future__ import annotations

import hashlib
import os
import secrets
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.pose.engine import import_openvino, openvino_core
from doppelgram.weights import cache_folder

Run = Callable[[Tensor], NDArray[Any]]


def compiled(network: nn.Module, size: int, key: str = "", channels: int = 3) -> Run:
    """A function from images (b, channels, size, size) to what a network makes of them.

    OpenVINO runs it where it is installed, several times as fast on a processor as torch does; what it gives differs
    from torch by rounding.

    Args:
        network: as it is now; later changes of its weights are not seen. It is switched to evaluation.
        size: side of the images.
        key: tells the architecture from all others. With it the translation, which takes seconds, is kept in the
            user's cache for these very weights, and read from there the next time.
        channels: of the images.
    """
    network.eval()
    try:
        openvino = import_openvino()
    except ImportError:
        return lambda images: _by_torch(network, images)
    core = openvino_core()
    shape = (channels, size, size)
    program = _kept(openvino, core, network, shape, key) if key else _translated(openvino, network, shape)
    # Real numbers stay as the network has them: where a processor has bf16, OpenVINO would round to it.
    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    run = core.compile_model(program, "CPU", settings)
    return lambda images: np.array(run(images.contiguous().numpy())[0])


def _translated(openvino: Any, network: nn.Module, shape: tuple[int, int, int]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, which has one size only to be right about
        any_number = [openvino.PartialShape([-1, *shape])]
        return openvino.convert_model(network, example_input=torch.zeros(1, *shape), input=any_number)


def _kept(openvino: Any, core: Any, network: nn.Module, shape: tuple[int, int, int], key: str) -> Any:
    """The translation from the user's cache, put there first if need be; a damaged one is made anew."""
    digest = hashlib.sha256(f"{key} {shape} {openvino.__version__}".encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    file = cache_folder() / "translated" / f"{digest.hexdigest()[:32]}.xml"
    try:
        return core.read_model(file, file.with_suffix(".bin"))
    except (OSError, RuntimeError):
        program = _translated(openvino, network, shape)
    try:
        _save(openvino, program, file)
        return core.read_model(file, file.with_suffix(".bin"))
    except (OSError, RuntimeError):  # a cache that cannot be written to is no reason not to go on
        return program


def _save(openvino: Any, program: Any, file: Path) -> None:
    """Write both files of a translation, each whole or not at all, the one by which it counts as there last."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{secrets.token_hex(4)}.part.xml")
    openvino.save_model(program, aside, compress_to_fp16=False)
    os.replace(aside.with_suffix(".bin"), file.with_suffix(".bin"))
    os.replace(aside, file)


@torch.inference_mode()
def _by_torch(network: nn.Module, images: Tensor) -> NDArray[Any]:
    found: NDArray[Any] = network(images).numpy()
    return found
