"""A notebook as a page: its text, its code, and the outputs that it was saved with."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def notebook_page(file: Path) -> tuple[str, dict[str, bytes]]:
    """Markdown of a notebook, and its pictures by the names that the Markdown calls them.

    A picture is described by ``alt`` in the metadata of its cell.
    """
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(f"```python\n{cell.source}\n```")
            for output in cell.outputs:
                parts.append(_shown(output, cell.metadata.get("alt", ""), file.stem, pictures))
    about = f"This page is a notebook. [Download it]({file.name}), and run it where `doppelgram` is installed."
    parts[1:1] = [f'!!! note ""\n    {about}']
    return "\n\n".join(part for part in parts if part) + "\n", pictures


def _shown(output: Any, alt: str, stem: str, pictures: dict[str, bytes]) -> str:
    if output.output_type == "stream":
        text = output.text
    elif "image/png" in output.get("data", {}):
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode(output.data["image/png"])
        return f"![{alt}]({name})"
    else:
        text = output.get("data", {}).get("text/plain", "")
    text = _COLOURS.sub("", text).rstrip()
    return f"```text {{ .output }}\n{text}\n```" if text else ""
