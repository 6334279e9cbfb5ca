"""Keypoints of posts: seconds for 1,000 of them, how many people are found, and how well raw poses tell postures apart.

    python benchmarks/keypoints.py --data DIR --weights DIR [--estimators "movenet;..."] [--posts N]

``DIR`` holds ``posts/`` with ``posts.csv`` and ``truth.csv``. The pose accuracy is that of the nearest neighbour among
the posts of other people, without any training: normalised skeletons, mirror images allowed. Posts without a person
found count as wrong.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import machine, with_interval, write
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.intervals import wilson
from doppelgram.numbers import percent
from doppelgram.pose.estimators.movenet import MoveNet
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.extras import find_people
from doppelgram.pose.matching import MEASURES, pose_similarity
from doppelgram.pose.people import People
from doppelgram.pose.squares import letterbox
from doppelgram.weights import find_weights

WHOLE = "movenet, whole picture only"
BARE = "_zz"


class WholePicture(MoveNet):
    """MoveNet as it is: one look at the letterboxed photograph, whoever is there."""

    def _found(self, image: Any) -> People:
        keypoints = self.look(image, letterbox(*image.size))[None]
        return People(keypoints, keypoints[..., 2].mean(1), *image.size)


def posts(data: Path) -> pd.DataFrame:
    """Posts with the pose and the person that each shows; bare places have no person."""
    table = pd.read_csv(data / "posts/posts.csv").merge(pd.read_csv(data / "posts/truth.csv"), on="path")
    return table.assign(file=[data / "posts" / path for path in table["path"]]).fillna({"person": ""})


def nearest(people: list[People | None], table: pd.DataFrame, measure: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """For each post whether the most similar pose of another person has its label, bool (n,)."""
    n = len(people)
    keypoints = np.full((n, 18, 3), np.nan, np.float32)
    for row, one in enumerate(people):
        if one is not None and len(one):
            keypoints[row] = one.keypoints[0]
    poses, persons = (np.array(table[name].tolist(), object) for name in ("pose", "person"))
    right = np.zeros(n, bool)
    for rows in np.array_split(np.arange(n), max(1, n // 50)):
        table_of = pose_similarity(keypoints[rows, None], keypoints[None], measure, mirror=True)  # type: ignore[arg-type]
        for row, similarity in zip(rows, table_of, strict=True):
            allowed = np.where(np.isnan(similarity) | (persons == persons[row]), -np.inf, similarity)
            best = allowed == allowed.max()
            # Of several equally near ones the worst counts.
            right[row] = np.isfinite(allowed.max()) and bool((poses[best] == poses[row]).all())
    return right


def main() -> None:
    """Run and write results/keypoints.{md,json}."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--estimators", default=f"{WHOLE};movenet;movenet-thorough;mediapipe")
    parser.add_argument("--posts", type=int, default=0, help="only so many posts, evenly picked; 0: all")
    options = parser.parse_args()
    table = posts(options.data)
    if options.posts:
        rows = np.linspace(0, len(table) - 1, options.posts).astype(int)
        table = table.iloc[np.unique(rows)].reset_index(drop=True)
    shown = (table["pose"] != BARE).to_numpy()
    posed = table[shown]
    results: dict[str, Any] = {}
    for name in options.estimators.split(";"):
        try:
            estimator = (
                WholePicture(find_weights("movenet_lightning", options.weights))
                if name == WHOLE
                else make_estimator(name, options.weights)
            )
        except DoppelgramError as problem:
            print(f"{name}: left out: {problem}")
            continue
        start = time.perf_counter()
        found = find_people(table["file"].tolist(), estimator)
        seconds = time.perf_counter() - start
        counts = np.array([len(one) if one is not None else 0 for one in found])
        of_posts = [one for one, show in zip(found, shown, strict=True) if show]
        accuracy = {}
        for measure in MEASURES:
            right = nearest(of_posts, posed, measure)
            low, high = wilson(int(right.sum()), len(right))
            accuracy[measure] = {"value": float(right.mean()), "low": low, "high": high, "n": len(right)}
        results[name] = {
            "seconds": seconds,
            "seconds_per_1000": seconds / len(table) * 1000,
            "posts_with_people": float((counts[shown] > 0).mean()),
            "bare_places_with_people": float((counts[~shown] > 0).mean()) if (~shown).any() else None,
            "accuracy": accuracy,
        }
        print(f"{name}: {seconds:.1f} s, {accuracy}", flush=True)
    result = {"machine": machine(), "images": len(table), "posts": int(shown.sum()), "estimators": results}
    write("keypoints", result, report(result))


def report(result: dict[str, Any]) -> str:
    """The table as Markdown."""
    cores = result["machine"]["cores"]
    lines = [
        "# Keypoints of posts",
        "",
        f"{result['images']:,} images, {result['posts']:,} of them with a person who poses; {cores} cores of "
        f"{result['machine']['processor']}. The accuracy is that of the nearest neighbour of another person, by raw "
        "normalised keypoints, with a 95 % interval (Wilson).",
        "",
        "| estimator | s for 1,000 | posts with people | bare places with people | OKS | PCK@0.2 | limb angles |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in result["estimators"].items():
        cells = [with_interval(one["accuracy"][measure], 1) for measure in MEASURES]
        bare = "" if one["bare_places_with_people"] is None else percent(one["bare_places_with_people"])
        facts = [name, f"{one['seconds_per_1000']:.1f}", percent(one["posts_with_people"]), bare, *cells]
        lines.append(f"| {' | '.join(facts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
