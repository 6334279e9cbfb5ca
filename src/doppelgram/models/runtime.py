"""What runs a network on this machine: OpenVINO or torch, on which device, in which precision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import processors
from doppelgram.pose.engine import openvino_core

AUTO = "auto"
RUNTIMES = (AUTO, "openvino", "torch")
PRECISIONS = (AUTO, "fp32", "bf16")
_NAMES = {"openvino": "OpenVINO", "torch": "torch"}


@dataclass(frozen=True)
class Runtime:
    """What runs a network.

    Attributes:
        engine: ``openvino`` or ``torch``.
        device: ``cpu``, ``cuda`` or ``mps``, torch's names.
        precision: ``fp32``, or ``bf16``: products of 8 bits of precision, their sums of 24.
        bulk: whether several batches run side by side, for many photographs; else each call is answered as soon as can
            be.
    """

    engine: str
    device: str = "cpu"
    precision: str = "fp32"
    bulk: bool = False

    def __str__(self) -> str:
        """Runtime, precision, and threads or device, for a person."""
        where = f"{processors()} thread{'s' if processors() > 1 else ''}" if self.device == "cpu" else self.device
        return f"{_NAMES[self.engine]}, {self.precision}, {where}"


@cache
def immediate() -> Runtime:
    """What answers a few photographs: OpenVINO where it is installed, else torch, in full precision."""
    return Runtime("openvino" if has_openvino() else "torch")


def in_bulk(wanted: str = AUTO, precision: str = AUTO) -> Runtime:
    """What embeds many photographs fastest here, in full precision unless ``bf16`` is asked for.

    Args:
        wanted: one of ``RUNTIMES``. By itself torch is taken on a graphics card, else OpenVINO if it is installed.
        precision: one of ``PRECISIONS``.

    Raises:
        DoppelgramError: there is no such runtime or precision, or not on this machine.
    """
    if wanted not in RUNTIMES:
        raise DoppelgramError(f"--runtime is '{wanted}'; it is one of {', '.join(RUNTIMES)}")
    if precision not in PRECISIONS:
        raise DoppelgramError(f"--precision is '{precision}'; it is one of {', '.join(PRECISIONS)}")
    device = _device()
    if wanted == "openvino" and not has_openvino():
        raise DoppelgramError("OpenVINO is not installed; install it with: pip install 'doppelgram[pose]'")
    by_openvino = wanted == "openvino" or (wanted == AUTO and device == "cpu" and has_openvino())
    runtime = Runtime("openvino", bulk=True) if by_openvino else Runtime("torch", device, bulk=True)
    if precision != "bf16":
        return runtime
    if not bf16_is_fast(runtime):
        raise DoppelgramError(
            f"--precision bf16: nothing here multiplies bf16 faster than fp32 by {_NAMES[runtime.engine]}; leave it out"
        )
    return replace(runtime, precision="bf16")


def bf16_is_fast(runtime: Runtime) -> bool:
    """Whether a runtime embeds faster in bf16 than in fp32 on this machine, by rule and not by measurement.

    OpenVINO says itself what the processor multiplies, with AMX or AVX-512 BF16; of torch see `fast_bf16`.
    """
    if runtime.engine == "openvino":
        return "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return runtime.device != "mps" and fast_bf16()


def fast_bf16() -> bool:
    """Whether torch multiplies bfloat16 in hardware that makes it faster than float32.

    True for AMX tiles and for graphics cards of that kind. AVX-512 BF16 alone is not enough: measured on such a
    processor, a training step in bf16 was 0.88 to 1.02 times as fast as in float32 with channels_last.
    """
    import torch  # here, so that what only names a runtime starts without it

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(tiles and tiles())


@cache
def has_openvino() -> bool:
    """Whether OpenVINO is installed and can be loaded."""
    try:
        openvino_core()
    except ImportError:
        return False
    return True


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
