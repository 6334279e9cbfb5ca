"""A torch network run in the fastest way at hand."""

from __future__ import annotations

import copy
import hashlib
import os
import secrets
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from doppelgram.images.ordered import processors
from doppelgram.models.runtime import Runtime, immediate
from doppelgram.pose.engine import import_openvino, openvino_core
from doppelgram.weights import cache_folder

Run = Callable[[NDArray[Any]], NDArray[Any]]

# Images of a batch. With two streams of one thread each, ResNet-50 at 224 gave 70 images a second and core in batches
# of 1, 99 of 4, 103 of 8 and 95 of 16; a graphics card wants more.
_BATCH = 8
_CARD_BATCH = 64
_PRECISION = {"fp32": "f32", "bf16": "bf16"}


def compiled(network: nn.Module, example: Tensor, key: str = "", runtime: Runtime | None = None) -> Run:
    """A function from any number of inputs, an array (n, ...), to what a network makes of them, in batches of its own.

    OpenVINO, several times as fast on a processor as torch, gives the same for an image whatever else is in the batch;
    what it gives differs from torch by rounding.

    Args:
        network: as it is now; later changes of its weights are not seen. It is switched to evaluation.
        example: one input (1, ...), of the type and size that all of them have.
        key: tells the architecture from all others. With it the translation, which takes seconds, is kept in the
            user's cache for these very weights, and read from there the next time.
        runtime: what runs it; `runtime.immediate` by default. A network that OpenVINO cannot translate, torch runs.
    """
    network.eval()
    runtime = runtime or immediate()
    if runtime.engine == "torch":
        return _by_torch(network, runtime)
    openvino, core = import_openvino(), openvino_core()
    try:
        program = _kept(openvino, core, network, example, key) if key else translated(network, example)
    except Exception:  # OpenVINO's own are nothing more special, and tracing raises every kind
        return _by_torch(network, replace(runtime, engine="torch", precision="fp32"))
    # Real numbers stay as the network has them unless bf16 was asked for: OpenVINO would round to it by itself.
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": _PRECISION[runtime.precision]}
    if not runtime.bulk:
        run = core.compile_model(program, "CPU", settings | {"PERFORMANCE_HINT": "LATENCY"})
        return _batched(lambda inputs: np.array(run(inputs)[0]), _BATCH)
    # Threads that are not pinned leave the processors to those that read photographs, where these have more to do.
    threads = {"INFERENCE_NUM_THREADS": processors(), "ENABLE_CPU_PINNING": False}
    run = core.compile_model(program, "CPU", settings | threads | {"PERFORMANCE_HINT": "THROUGHPUT"})
    return _SideBySide(openvino.AsyncInferQueue(run, run.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")))


def translated(network: nn.Module, example: Tensor) -> Any:
    """A network as OpenVINO's, for any number of inputs like the example; not optimised for a machine yet."""
    openvino = import_openvino()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, which has one size only to be right about
        any_number = [openvino.PartialShape([-1, *example.shape[1:]])]
        return openvino.convert_model(network, example_input=example, input=any_number)


class _SideBySide:
    """Runs batches on several streams of one compiled network; may be called by several threads, who take turns."""

    def __init__(self, queue: Any) -> None:
        self._queue, self._turn = queue, threading.Lock()
        self._found: dict[int, NDArray[Any]] = {}
        queue.set_callback(self._keep)

    def _keep(self, request: Any, start: int) -> None:
        self._found[start] = np.array(request.get_output_tensor(0).data)

    def __call__(self, inputs: NDArray[Any]) -> NDArray[Any]:
        inputs = np.ascontiguousarray(inputs)
        # At least one batch, which says what comes out of none.
        starts = range(0, max(1, len(inputs)), _BATCH)
        with self._turn:
            self._found.clear()
            try:
                for start in starts:
                    self._queue.start_async({0: inputs[start : start + _BATCH]}, start, share_inputs=True)
            finally:
                self._queue.wait_all()
            return np.concatenate([self._found[start] for start in starts])


def _batched(run: Run, batch: int) -> Run:
    def all_of(inputs: NDArray[Any]) -> NDArray[Any]:
        starts: Iterable[int] = range(0, max(1, len(inputs)), batch)
        return np.concatenate([run(np.ascontiguousarray(inputs[start : start + batch])) for start in starts])

    return all_of


def _by_torch(network: nn.Module, runtime: Runtime) -> Run:
    device = torch.device(runtime.device)
    if device.type != "cpu":
        # The model's own network stays where it is.
        network = copy.deepcopy(network).to(device)
    in_bf16 = runtime.precision == "bf16"
    if in_bf16 or device.type != "cpu":
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(inputs: NDArray[Any]) -> NDArray[Any]:
        # torch warns about memory that it may not write to, such as a file mapped for reading.
        given = torch.from_numpy(inputs if inputs.flags.writeable else inputs.copy()).to(device)
        # Full precision is meant as such: a graphics card would take products of 10 bits for it by itself.
        exact = torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
        with exact, torch.autocast(device.type, torch.bfloat16, enabled=in_bf16):
            found: NDArray[Any] = network(given).float().cpu().numpy()
        return found

    return _batched(run, _BATCH if device.type == "cpu" else _CARD_BATCH)


def _kept(openvino: Any, core: Any, network: nn.Module, example: Tensor, key: str) -> Any:
    """The translation from the user's cache, put there first if need be; a damaged one is made anew."""
    digest = hashlib.sha256(f"{key} {tuple(example.shape[1:])} {example.dtype} {openvino.__version__}".encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    file = cache_folder() / "translated" / f"{digest.hexdigest()[:32]}.xml"
    try:
        return core.read_model(file, file.with_suffix(".bin"))
    except (OSError, RuntimeError):
        program = translated(network, example)
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
