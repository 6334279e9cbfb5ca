"""The files of an exported network: written, read back, and compared with the network."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.models.compiled import translated
from doppelgram.models.export.parts import INPUT, OUTPUT, Part, by_torch
from doppelgram.pose.engine import import_openvino, openvino_core

FORMATS = ("onnx", "openvino")
_ENDINGS = {"onnx": ".onnx", "openvino": ".xml"}
# More than rounding, on vectors of length one or so: the file then is not the network.
_MOST = 1e-3


@dataclass(frozen=True)
class Exported:
    """A network that was exported.

    Attributes:
        file: ONNX or OpenVINO's ``.xml``, which has its ``.bin`` beside it.
        description: JSON with what comes before and after it.
        images: that it was compared on.
        difference: largest difference of a number of an embedding from the network's own.
    """

    file: Path
    description: Path
    images: int
    difference: float


def require_format(format_: str) -> None:
    """See that a format is known and that what writes it is installed.

    Raises:
        DoppelgramError: it is not.
    """
    if format_ not in FORMATS:
        raise DoppelgramError(f"--format is '{format_}'; it is one of {', '.join(FORMATS)}")
    try:
        openvino_core()
        if format_ == "onnx":
            import onnx  # noqa: F401
            import onnxscript  # noqa: F401
    except ImportError as problem:
        raise DoppelgramError(
            f"export needs {problem.name or 'OpenVINO'}, which is not installed; install it with: "
            "pip install 'doppelgram[export]'"
        ) from None


def write_part(part: Part, folder: Path, format_: str, pixels: NDArray[np.uint8]) -> Exported:
    """Write a network, compare it on images, and describe it.

    Args:
        part: the network.
        folder: to write into.
        format_: one of ``FORMATS``, of which `require_format` was asked.
        pixels: images to compare on, uint8 (n, size, size, channels).

    Raises:
        DoppelgramError: the format has no such network, or the file gives something else than the network.
    """
    file = folder / f"{part.name}{_ENDINGS[format_]}"
    description = folder / f"{part.name}.json"
    with written_whole(file) as aside:
        try:
            (_write_onnx if format_ == "onnx" else _write_openvino)(part, aside)
        except Exception as problem:  # both exporters raise every kind for a network that their format has no words for
            reason = " ".join(str(problem).split())[:200]
            raise DoppelgramError(f"{part.name}: cannot be written as {format_}: {reason}") from None
        expected = by_torch(part, torch.from_numpy(pixels)).numpy()
        difference = float(np.abs(_run(aside, pixels) - expected).max())
        if not difference <= _MOST:
            aside.with_suffix(".bin").unlink(missing_ok=True)
            raise DoppelgramError(f"{part.name}: as {format_} its numbers differ by {difference:.2g}; not written")
        if format_ == "openvino":
            os.replace(aside.with_suffix(".bin"), file.with_suffix(".bin"))
    facts = {**part.facts, "file": file.name, "compared": {"images": len(pixels), "largest_difference": difference}}
    with written_whole(description) as aside:
        aside.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Exported(file, description, len(pixels), difference)


def _write_onnx(part: Part, file: Path) -> None:
    # Two images: of one, the exporter takes their number for fixed.
    example = part.example.repeat(2, 1, 1, 1)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    # What the exporter prints are its own steps.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.network,
            (example,),
            file,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={"pixels": {0: torch.export.Dim("n")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def _write_openvino(part: Part, file: Path) -> None:
    program = translated(part.network, part.example)
    program.inputs[0].set_names({INPUT})
    program.outputs[0].set_names({OUTPUT})
    import_openvino().save_model(program, file, compress_to_fp16=False)


def _run(file: Path, pixels: NDArray[np.uint8]) -> NDArray[Any]:
    core = openvino_core()
    run = core.compile_model(core.read_model(file), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(run({INPUT: pixels})[OUTPUT])
