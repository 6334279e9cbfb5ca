"""Draw docs/architecture.png from the imports, and write docs/architecture.json, by which a test sees that it is old.

Run it with ``make architecture``. A box is a folder (or a file that stands alone) of the package, a row is a layer of
the contract in pyproject.toml, an arrow is an import. Arrows that longer ways of arrows imply are left out, since with
them nobody could read the drawing; the JSON file holds every one.
"""

from __future__ import annotations

import json
import math
import random
import tomllib
from pathlib import Path
from typing import Any

import grimp
import networkx

ROOT = Path(__file__).parents[1]
PACKAGE = "doppelgram"
DATA, DRAWING = ROOT / "docs" / "architecture.json", ROOT / "docs" / "architecture.png"
WIDTH, ROW, BOX, BOX_WIDTH = 14.8, 0.86, 0.46, 1.9
LANE, MIN_LANES, RESTARTS = 0.7, 3, 30
# Six boxes fit beside each other.
LANES = [LANE * number for number in range(-9, 10)]
ABOUT = {
    "cli": "commands",
    "web": "page and REST service",
    "studies": "two published studies, rerun",
    "api": "one function a command",
    "reports": "pages, figures, tables",
    "rolemodels": "who set an arrangement",
    "comparison": "which settings differ",
    "label_errors": "labels that look wrong",
    "maps": "the space in two dimensions",
    "teaching": "what answers change",
    "speed": "what this machine can do",
    "saliency": "what made two look alike",
    "scale": "the same on a cluster",
    "catalog": "embedded images on disk",
    "scikit_learn": "estimators for pipelines",
    "training": "recipe to model",
    "evaluation": "metrics with intervals",
    "models": "networks with a space",
    "view": "points of the same view",
    "pose": "people and their keypoints",
    "dataset": "collections, posts, splits",
    "space": "distance, probability, search",
    "learning": "losses, miners, samplers",
    "storage": "folders and buckets",
    "samples": "the rendered sample world",
    "images": "read once, frame, report",
    "weights": "pretrained files by name",
    "numbers": "numbers in words",
    "console": "progress and remarks",
    "files": "written whole or not at all",
    "errors": "what a user reads",
}
COLOURS = ("#dbe9f6", "#e4f1e1", "#fdeccf", "#f6dfe3", "#e9e2f3")


def read_layers() -> list[list[str]]:
    """Rooms by layer, the highest first, as the import contract has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    split = (layer.replace("|", ":").split(":") for layer in contract["layers"])
    return [[room.strip().removeprefix(f"{PACKAGE}.") for room in layer] for layer in split]


def read_imports() -> dict[str, list[str]]:
    """For each room the rooms that it imports, imports for type checkers included."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        importer = _room(module)
        imported = {_room(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(importer, set()).update(imported - {"", importer})
    return {room: sorted(found[room]) for room in sorted(found) if room and found[room]}


def _room(module: str) -> str:
    """Folder or single file of the package that a module belongs to; empty for the package's own entrance."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and not parts[1].startswith("__") else ""


def describe() -> dict[str, Any]:
    """What the drawing shows."""
    return {"layers": read_layers(), "imports": read_imports()}


def draw(facts: dict[str, Any]) -> None:
    """Write the drawing."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    layers: list[list[str]] = facts["layers"]
    arrows = networkx.DiGraph([(room, other) for room, others in facts["imports"].items() for other in others])
    kept = networkx.transitive_reduction(arrows)
    places = place(layers, kept)
    figure, axes = pyplot.subplots(figsize=(WIDTH, ROW * len(layers) + 0.3))
    for importer, imported in sorted(kept.edges):
        (x0, y0), (x1, y1) = places[importer], places[imported]
        start, end = ((x0, y0), (x1, y1)) if y0 == y1 else ((x0, y0 - BOX / 2), (x1, y1 + BOX / 2))
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=9,
                color="#7a8794",
                linewidth=0.9,
                shrinkA=0,
                shrinkB=1,
                zorder=1,
            )
        )
    for number, layer in enumerate(layers):
        for room in layer:
            x, y = places[room]
            axes.add_patch(
                FancyBboxPatch(
                    (x - BOX_WIDTH / 2, y - BOX / 2),
                    BOX_WIDTH,
                    BOX,
                    boxstyle="round,pad=0,rounding_size=0.08",
                    facecolor=COLOURS[number % len(COLOURS)],
                    edgecolor="#5b6770",
                    linewidth=0.8,
                    zorder=2,
                )
            )
            axes.text(x, y + 0.07, room, ha="center", va="center", fontsize=9.5, weight="bold", zorder=3)
            axes.text(x, y - 0.12, ABOUT[room], ha="center", va="center", fontsize=6.8, color="#48525a", zorder=3)
    axes.set_xlim(-WIDTH / 2, WIDTH / 2)
    axes.set_ylim(-ROW * (len(layers) - 1) - BOX, BOX)
    axes.axis("off")
    figure.savefig(DRAWING, dpi=130, bbox_inches="tight", metadata={"Software": ""})
    pyplot.close(figure)


def place(layers: list[list[str]], arrows: networkx.DiGraph) -> dict[str, tuple[float, float]]:
    """Where the middle of each box lies: layers below each other, and in each the order that leaves arrows clear.

    Boxes are moved one by one to wherever the arrows cross each other and other boxes least, from several random
    starts. The same imports give the same drawing.
    """
    chance = random.Random(0)
    edges = sorted(arrows.edges)
    level = {room: -ROW * number for number, layer in enumerate(layers) for room in layer}
    best: tuple[float, dict[str, float]] = math.inf, {}
    for _ in range(RESTARTS):
        across = {}
        for layer in layers:
            gap = len(LANES) // len(layer)
            lanes = [number * gap + chance.randrange(max(1, gap - MIN_LANES + 1)) for number in range(len(layer))]
            across.update(zip(chance.sample(layer, len(layer)), (LANES[lane] for lane in lanes), strict=True))
        cost, improved = _cost(across, level, edges), True
        while improved:
            improved = False
            for layer in layers:
                for room in layer:
                    taken = [across[other] for other in layer if other != room]
                    for lane in LANES:
                        if any(abs(lane - x) < MIN_LANES * LANE - 0.01 for x in taken):
                            continue
                        moved = {**across, room: lane}
                        if (new := _cost(moved, level, edges)) < cost - 1e-9:
                            across, cost, improved = moved, new, True
        best = min(best, (cost, across), key=lambda found: found[0])
    return {room: (x, level[room]) for room, x in best[1].items()}


def _cost(across: dict[str, float], level: dict[str, float], edges: list[tuple[str, str]]) -> float:
    """How bad a drawing is: arrows behind boxes, then crossings, then length."""
    lines = [(across[a], level[a], across[b], level[b]) for a, b in edges]
    cost = 0.0
    for x0, y0, x1, y1 in lines:
        cost += 0.15 * abs(x1 - x0) ** 1.5
        for room, x in across.items():
            y = level[room]
            if y1 < y < y0 and abs(x0 + (x1 - x0) * (y0 - y) / (y0 - y1) - x) < BOX_WIDTH / 2 + 0.25:
                cost += 12
    for number, (x0, y0, x1, y1) in enumerate(lines):
        for u0, v0, u1, v1 in lines[:number]:
            top, bottom = min(y0, v0), max(y1, v1)
            if bottom < top:

                def at(y: float, line: tuple[float, float, float, float]) -> float:
                    return line[0] + (line[2] - line[0]) * (line[1] - y) / (line[1] - line[3])

                before = at(top, (x0, y0, x1, y1)) - at(top, (u0, v0, u1, v1))
                after = at(bottom, (x0, y0, x1, y1)) - at(bottom, (u0, v0, u1, v1))
                cost += before * after < -1e-9
    return cost


def main() -> None:
    """Write the data and the drawing."""
    facts = describe()
    DATA.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    draw(facts)
    print(f"{DRAWING.relative_to(ROOT)}: {sum(map(len, facts['imports'].values()))} imports between folders")


if __name__ == "__main__":
    main()
