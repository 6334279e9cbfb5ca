"""The notebooks of the documentation run from beginning to end, and say what they say."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
MOST_BYTES = 700_000


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("nbclient") is None or importlib.util.find_spec("ipykernel") is None:
        pytest.skip("NOTEBOOKS ARE NOT RUN: nbclient or ipykernel is not here (pip install 'doppelgram[dev]')")
    import nbformat
    from nbclient import NotebookClient

    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    notebook = nbformat.read(file, as_version=4)
    # As a student runs it, though with fewer signs and epochs.
    for cell in notebook.cells:
        cell.source = re.sub(r"(CLASSES, PER_CLASS) = \d+, \d+", r"\1 = 6, 20", cell.source)
        cell.source = re.sub(r"(SIDE, EPOCHS, SEED = \d+), \d+, ", r"\1, 2, ", cell.source)
    nbformat.validate(notebook)
    NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    said = "".join(
        output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.output_type == "stream"
    )
    _check_lookalike(said) if file.stem == "lookalike" else None


def _check_lookalike(said: str) -> None:
    """Losses by hand are the library's, and the means and neighbours by hand are those that ``evaluate`` counts."""
    for loss in ("contrastive", "triplet"):
        by_hand, ours = map(float, re.search(rf"^{loss} +([\d.]+) ([\d.]+)$", said, re.MULTILINE).groups())  # type: ignore[union-attr]
        assert by_hand == pytest.approx(ours, abs=1e-6)
    evaluated = re.search(r"^triplets, semi-hard +([\d.]+) % .*? +([\d.]+) % .*? (\d+)$", said, re.MULTILINE)
    mean = re.search(r"^nearest class mean +([\d.]+)$", said, re.MULTILINE)
    five = re.search(r"^ 5 nearest neighbours ([\d.]+)$", said, re.MULTILINE)
    assert evaluated is not None
    assert mean is not None
    assert five is not None
    image = 1 / int(evaluated[3])
    assert float(mean[1]) == pytest.approx(float(evaluated[1]) / 100, abs=0.5 * image)
    assert float(five[1]) == pytest.approx(float(evaluated[2]) / 100, abs=2.5 * image)  # ties of votes go another way


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_small_was_run_in_order_and_tells_nothing_of_a_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users|usr)/", text)
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell["outputs"] if output["output_type"] == "error"]
    for cell in code:
        if any("image/png" in output.get("data", {}) for output in cell["outputs"]):
            assert cell["metadata"]["alt"], "a picture needs a description in the cell's metadata"


def test_a_page_of_a_notebook_has_text_code_and_pictures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("nbformat", reason="NOTEBOOKS ARE NOT SHOWN: nbformat is not here")
    monkeypatch.syspath_prepend(str(ROOT / "tools/site"))
    from notebook_page import notebook_page

    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Title"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {"alt": "a dot"},
            "execution_count": 1,
            "source": "draw()",
            "outputs": [
                {"output_type": "stream", "name": "stdout", "text": "said\n"},
                {"output_type": "display_data", "metadata": {}, "data": {"image/png": "AAAA", "text/plain": "<F>"}},
            ],
        },
    ]
    file = tmp_path / "small.ipynb"
    file.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    page, pictures = notebook_page(file)
    assert "```python\ndraw()\n```" in page
    assert "said" in page
    assert "![a dot](small-1.png)" in page
    assert pictures == {"small-1.png": b"\0\0\0"}
    assert "[Download it](small.ipynb)" in page
