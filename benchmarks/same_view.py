"""Matched points of the same view: how well they tell it, and how often they would say it of different places.

    python benchmarks/same_view.py --data DIR --weights DIR [--views N] [--pairs N]

``DIR`` holds ``posts_views/`` with its ``truth.csv``. A *same* pair shows one view in two photographs by different
people. Pairs of other places are drawn at random among the same pictures; those with the same cut-out person in both
are told apart, since a person who was not masked well matches too. The threshold that half of the places asks for (one
point more than any random pair of different places there) is said beside the one that the program has; the figures are
of the other half. The baseline is the cosine of EfficientNet-Lite2's pooled features.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from common import machine, machine_line, with_interval, write
from doppelgram.evaluation.intervals import wilson
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.numbers import number
from doppelgram.pose.segmenter import make_segmenter
from doppelgram.view.finder import ViewFinder
from doppelgram.view.points import open_xfeat
from doppelgram.view.same_view import ENOUGH, same_view

KINDS = ("same view", "other place", "other place, same person", "same place, other view")
Pairs = list[tuple[int, int]]


def same_pairs(table: pd.DataFrame, views: int, rng: np.random.Generator) -> Pairs:
    """At most three pairs of each of so many views, of pictures whose place was photographed by different people."""
    groups = [rows.drop_duplicates("photo").index.to_numpy() for _, rows in table.groupby("view")]
    groups = [rng.permutation(rows) for rows in groups if len(rows) > 1]
    chosen = [groups[k] for k in rng.permutation(len(groups))[:views]]
    return [(int(rows[k]), int(rows[k + 1])) for rows in chosen for k in range(min(3, len(rows) - 1))]


def other_pairs(table: pd.DataFrame, rows: list[int], kind: str, count: int, rng: np.random.Generator) -> Pairs:
    """So many random pairs of a kind among these rows, fewer if there are not enough, none of them twice."""
    found: set[tuple[int, int]] = set()
    place, view, person = (table[name].to_numpy() for name in ("place", "view", "person"))
    for _ in range(400 * count):
        a, b = sorted(int(row) for row in rng.choice(rows, 2, replace=False))
        same_person = bool(person[a]) and person[a] == person[b]
        fits = {
            "other place": place[a] != place[b] and not same_person,
            "other place, same person": place[a] != place[b] and same_person,
            "same place, other view": place[a] == place[b] and view[a] != view[b],
        }[kind]
        if fits:
            found.add((a, b))
        if len(found) == count:
            break
    return sorted(found)


def pooled(files: list[Path], weights: Path) -> NDArray[np.float32]:
    """EfficientNet-Lite2's pooled features with unit length, people included."""
    backbone = make_backbone("efficientnet_lite2", weights=weights).eval()
    mean, std = (np.array(numbers, np.float32) for numbers in (backbone.mean, backbone.std))
    found = []
    with torch.inference_mode():
        for file in files:
            pixels = np.array(Image.open(file).convert("RGB").resize((320, 320)), np.float32) / 255
            found.append(backbone(torch.from_numpy((pixels - mean) / std).permute(2, 0, 1)[None])[0].numpy())
    features = np.stack(found)
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))


def main() -> None:
    """Measure, and write ``same_view.json`` and ``same_view.md``."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("--weights", type=Path, required=True)
    options.add_argument("--views", type=int, default=70)
    options.add_argument("--pairs", type=int, default=400)
    given = options.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    facts = machine()
    folder = given.data / "posts_views"
    table = pd.read_csv(folder / "truth.csv").fillna({"person": ""})
    same = same_pairs(table, given.views, rng)
    rows = sorted({row for pair in same for row in pair})
    counts = {"other place": given.pairs}
    pairs = {"same view": same} | {
        kind: other_pairs(table, rows, kind, counts.get(kind, given.pairs // 2), rng) for kind in KINDS[1:]
    }
    used = sorted({row for of_kind in pairs.values() for pair in of_kind for row in pair})
    files = {row: folder / table["path"][row] for row in used}
    finder = ViewFinder(open_xfeat(given.weights), make_segmenter(weights=given.weights))
    start = time.process_time()
    points = dict(zip(used, finder.points([files[row] for row in used]), strict=True))
    a_photograph = (time.process_time() - start) / len(used)
    start = time.process_time()
    scores = {
        kind: np.array([same_view(points[a], points[b]).points for a, b in of_kind], np.float64)  # type: ignore[arg-type]
        for kind, of_kind in pairs.items()
    }
    a_pair = (time.process_time() - start) / sum(map(len, pairs.values()))
    features = dict(zip(used, pooled([files[row] for row in used], given.weights), strict=True))
    cosine = {kind: np.array([float(features[a] @ features[b]) for a, b in of_kind]) for kind, of_kind in pairs.items()}
    # Places in two halves; a pair of different places belongs to the half of its first one.
    names = rng.permutation(table["place"].unique())
    choosing = set(names[: len(names) // 2])
    first = {kind: np.array([table["place"][a] in choosing for a, _ in of_kind]) for kind, of_kind in pairs.items()}
    threshold = int(scores["other place"][first["other place"]].max()) + 1
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        reported = scores[kind][~first[kind]]
        said = int((reported >= ENOUGH).sum())
        share, low, high = said / len(reported), *wilson(said, len(reported))
        quantiles = np.quantile(reported, [0.1, 0.5, 0.9, 1]).tolist()
        kinds[kind] = {
            "n": len(reported),
            "said": {"value": share, "low": low, "high": high, "n": len(reported)},
            "quantiles": dict(zip(("10 %", "50 %", "90 %", "most"), quantiles, strict=True)),
        }
        if kind != "same view":
            for name, values in (("points", scores), ("cosine", cosine)):
                both = [values[which][~first[which]] for which in ("same view", kind)]
                truth = np.repeat([1, 0], [len(part) for part in both])
                kinds[kind][f"auc_{name}"] = float(roc_auc_score(truth, np.concatenate(both)))
    result = {
        "machine": facts,
        "threshold": ENOUGH,
        "threshold_of_the_other_half": threshold,
        "seconds": {"a photograph": a_photograph, "a pair": a_pair},
        "kinds": kinds,
    }
    write("same_view", result, markdown(result))


def markdown(result: dict[str, Any]) -> str:
    """The result as a page."""
    lines = [
        "# Same view: matched points",
        "",
        f"Half of the places, those that chose nothing. Said from {result['threshold']} matched points on; one more "
        f"than any random pair of the other half has would be {result['threshold_of_the_other_half']}.",
        "",
        "| pairs | n | said to be the same view | points: 10 %, median, 90 %, most | AUC of same views against them | "
        "cosine of pooled features: AUC |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for kind, facts in result["kinds"].items():
        points = ", ".join(f"{value:.0f}" for value in facts["quantiles"].values())
        aucs = [number(facts.get(name), 3) for name in ("auc_points", "auc_cosine")]
        lines.append(f"| {kind} | {facts['n']} | {with_interval(facts['said'], 1)} | {points} | {' | '.join(aucs)} |")
    seconds = {name: f"{1000 * value:.0f} ms" for name, value in result["seconds"].items()}
    lines += [
        "",
        f"Processor time, coarse (others worked on the machine): {seconds['a photograph']} a photograph with the mask "
        f"of people, {seconds['a pair']} a pair.",
        "",
        machine_line(result["machine"]),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
