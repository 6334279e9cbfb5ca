"""Commands about models as files: export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from doppelgram.cli.app import (
    LEARN,
    AskedModel,
    Json,
    Weights,
    command,
    option,
    print_json,
    progress,
    say_written,
)
from doppelgram.cli.tables import echo_paragraph


@command("export things --out exported", "export run --out exported --format openvino", panel=LEARN)
def export(
    model: AskedModel,
    out: Annotated[Path, option("DIR", "Folder to write into.")],
    format_: Annotated[str, option("onnx|openvino", "Format of the files.", "--format")] = "onnx",
    json_: Json = False,
    weights: Weights = None,
) -> None:
    """Write a model's network as ONNX or OpenVINO files, for programs that serve it without this one.

    A JSON beside each says how pixels are prepared and what distances mean.
    """
    from doppelgram.api.export import export as run_export

    done = run_export(model, out, format=format_, weights=weights, progress=progress())
    for part in done.parts:
        say_written(part.file, part.description)
    if json_:
        print_json(asdict(done))
        return
    for part in done.parts:
        typer.echo(
            f"{part.file.name}: differs from the model by {part.difference:.1e} at most, on {part.images} images"
        )
    if done.left_out:
        echo_paragraph(f"{done.left_out[0].upper()}{done.left_out[1:]}.")
