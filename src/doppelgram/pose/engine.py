"""Networks in files, run by OpenVINO: TFLite, ONNX and OpenVINO's own."""

from __future__ import annotations

import hashlib
import re
import sys
import textwrap
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.images.ordered import processors

# Where in OpenVINO's own sources something failed, which tells a user nothing.
_SOURCES = re.compile(r"(Exception from |at )?\bsrc/[\w./-]+(:\d+)?:?\s*")


def import_openvino() -> Any:
    """The package, kept from sending anything: by itself it reports every import and conversion to its makers.

    Raises:
        ImportError: it is not installed.
    """
    # Its own stand-in takes over where the module that sends cannot be imported.
    sends = sys.modules.get("openvino_telemetry")
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    if sends is not None:  # somebody imported OpenVINO before: what it has loaded gets the stand-in too
        from openvino.tools.ovc import telemetry_stub

        for name, module in list(sys.modules.items()):
            if name.startswith("openvino.tools.ovc.") and getattr(module, "tm", None) is sends:
                module.tm = telemetry_stub  # type: ignore[attr-defined]
    return openvino


@cache
def openvino_core() -> Any:
    """The one core that everything is compiled by, kept as long as the process lives.

    The first network that a core compiles gives the calling thread another stack for signals, and the core takes its
    memory back when it goes, whichever thread that happens in: Ctrl-C then ends the process in a segmentation fault.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    return import_openvino().Core()


class Engine:
    """A network with one image as its input; one object may be used by several threads at a time.

    Each call runs on one core, and as many run side by side as there are processors. They have to be streams of one
    compiled network: of networks compiled one by one, with a stream each, all calls take turns on the same core.

    Attributes:
        file: that holds the network.
        shape: of the input, for instance (1, 192, 192, 3).
        outputs: shapes of the outputs, a size that is not known beforehand being 0.
        digest: first 12 digits of the file's SHA-256.
    """

    def __init__(self, file: Path, *, what: str) -> None:
        """Read and compile the network.

        Args:
            file: TFLite, ONNX, or OpenVINO's ``.xml`` beside its ``.bin``.
            what: the network's name, for messages.

        Raises:
            DoppelgramError: OpenVINO is not installed, or the file does not hold a network of one image.
        """
        try:
            core = openvino_core()
        except ImportError:
            raise DoppelgramError(
                f"{what} runs through OpenVINO, which is not installed; install it with: pip install 'doppelgram[pose]'"
            ) from None
        self.file = file
        # An .xml only names the operations; what was learned lies in the .bin beside it.
        content = b"".join(part.read_bytes() for part in (file, file.with_suffix(".bin")) if part.is_file())
        self.digest = hashlib.sha256(content).hexdigest()[:12]
        if not _may_be_network(content):
            # OpenVINO would try every format that it knows, and print what each of them has to say.
            raise DoppelgramError(
                f"{file}: is not a network for {what}: its content is neither TFLite, nor ONNX, nor OpenVINO's .xml"
            )
        try:
            network = core.read_model(file)
            # Real numbers are kept as the network has them: where a processor has bf16, OpenVINO would round to it.
            streams = processors()
            settings = {"NUM_STREAMS": streams, "INFERENCE_NUM_THREADS": streams, "INFERENCE_PRECISION_HINT": "f32"}
            self._compiled = core.compile_model(network, "CPU", settings)
            # Requests that nobody is using just now.
            self._idle = [self._compiled.create_infer_request()]
            (entry,) = network.inputs
            self.shape = tuple(int(size) for size in entry.shape)
            self.dtype = np.dtype(entry.element_type.to_dtype())
        except Exception as problem:  # OpenVINO raises RuntimeError, and others for what it cannot parse
            reason = textwrap.shorten(_SOURCES.sub("", str(problem)), 120, placeholder="…")
            raise DoppelgramError(f"{file}: is not a network for {what} that OpenVINO can run ({reason})") from None
        self.outputs = [
            tuple(0 if size.is_dynamic else int(size.get_length()) for size in output.partial_shape)
            for output in network.outputs
        ]

    def __call__(self, image: NDArray[Any]) -> list[NDArray[Any]]:
        """Run the network on an array of the input's shape; the outputs in the file's order."""
        try:
            request = self._idle.pop()  # of a list, which threads may share
        except IndexError:
            request = self._compiled.create_infer_request()
        try:
            request.infer([np.ascontiguousarray(image, dtype=self.dtype)], share_inputs=True)
            return [np.array(output.data) for output in request.output_tensors]
        finally:
            self._idle.append(request)


def _may_be_network(content: bytes) -> bool:
    """Whether a file begins as TFLite, ONNX or OpenVINO's networks do."""
    # ONNX begins with the number of its version, the first field of its message.
    return content[4:8] == b"TFL3" or content[:1] == b"\x08" or b"<net" in content[:500]
