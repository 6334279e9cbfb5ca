"""A model as files that other programs run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from doppelgram.api.chosen import chosen_model
from doppelgram.console import Progress, TerminalProgress
from doppelgram.files import check_folder
from doppelgram.images.decode import open_image
from doppelgram.images.framing import Framing
from doppelgram.models.bundle import load_model
from doppelgram.models.export.files import Exported, require_format, write_part
from doppelgram.models.export.parts import exportable
from doppelgram.samples.signs import render_signs
from doppelgram.training.run import Run


@dataclass(frozen=True)
class Export:
    """What was written of a model, and in a sentence what cannot be exported of it."""

    parts: list[Exported]
    left_out: str


def export(
    model: Run | Path | str,
    out: Path | str,
    *,
    format: str = "onnx",
    weights: Path | str | None = None,
    progress: Progress | None = None,
) -> Export:
    """Write a model as ONNX or OpenVINO's files, with a JSON of what comes before and after; needs extra ``export``.

    Every file is read back and compared with the model on rendered images.

    Args:
        model: run, or its folder, a model folder, or the name of a ready-made model.
        out: folder to write into.
        format: ``onnx`` or ``openvino``.
        weights: folder in which pretrained weights are looked up first.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: nothing of the model can be exported, or something is not installed.
    """
    progress = progress or TerminalProgress()
    out = Path(out).expanduser()
    require_format(format)
    check_folder(out)
    parts, left_out = exportable(load_model(chosen_model(model, "things", progress), weights=weights))
    written = []
    with TemporaryDirectory(prefix="doppelgram-") as folder, progress.bar("exporting", len(parts)) as advance:
        images = sorted(render_signs(Path(folder) / "signs", classes=4, per_class=2).rglob("*.png"))
        for part in parts:
            squares = np.stack([Framing(part.size).apply(open_image(image)) for image in images])
            people = np.zeros((*squares.shape[:3], part.channels - 3), dtype=np.uint8)
            people[:, part.size // 3 : part.size // 2] = 255  # a part of each image is covered by people
            written.append(write_part(part, out, format, np.concatenate([squares, people], axis=3)))
            advance(1)
    return Export(written, left_out)
