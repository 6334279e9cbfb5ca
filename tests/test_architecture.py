"""The drawing of the architecture shows the imports that there are."""

from __future__ import annotations

import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import networkx
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def drawing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_architecture", ROOT / "tools/draw_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_drawing_is_up_to_date(drawing: ModuleType) -> None:
    drawn = json.loads((ROOT / "docs/architecture.json").read_text(encoding="utf-8"))
    assert drawn == drawing.describe(), "run `make architecture`"


def test_every_folder_is_drawn_in_a_layer_and_says_what_it_is(drawing: ModuleType) -> None:
    facts = drawing.describe()
    rooms = [room for layer in facts["layers"] for room in layer]
    entries = [path for path in (ROOT / "src/doppelgram").iterdir() if not path.name.startswith(("_", "."))]
    assert sorted(rooms) == sorted(
        path.stem for path in entries if path.suffix == ".py" or (path / "__init__.py").is_file()
    )
    assert set(rooms) <= set(drawing.ABOUT)
    assert networkx.is_directed_acyclic_graph(networkx.DiGraph(facts["imports"]))


def test_boxes_do_not_overlap(drawing: ModuleType) -> None:
    layers = [["a"], ["b", "c", "d"], ["e"]]
    places = drawing.place(layers, networkx.DiGraph([("a", "b"), ("a", "d"), ("c", "e")]))
    across = sorted(places[room][0] for room in layers[1])
    assert min(b - a for a, b in pairwise(across)) > drawing.BOX_WIDTH
    assert places["a"][1] > places["b"][1] > places["e"][1]
