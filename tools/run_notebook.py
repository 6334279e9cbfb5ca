"""Run the notebooks of the documentation and keep their outputs, with pictures made small.

    python tools/run_notebook.py [docs/notebooks/lookalike.ipynb]

Without a file it runs all of them.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = Path(__file__).parents[1] / "docs/notebooks"
COLOURS = 128


def main() -> None:
    for file in [Path(name) for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(file, as_version=4)
        NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # the times at which it ran
            for output in cell.get("outputs", ()):
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = smaller(output.data["image/png"])
        notebook.metadata.language_info = {"name": "python"}
        nbformat.write(notebook, file)


def smaller(picture: str) -> str:
    """A PNG with few colours, both in base 64."""
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        buffer = io.BytesIO()
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


if __name__ == "__main__":
    main()
