"""Faces: who is it, are two the same person, what a photograph costs, and the nearest of ten thousand known faces."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from common import machine
from doppelgram.api.split import split_data
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.evaluate import evaluate_embeddings
from doppelgram.evaluation.intervals import wilson
from doppelgram.evaluation.task import EmbeddedSet
from doppelgram.models.bundle import load_model
from doppelgram.space.euclidean import EuclideanSpace
from environments import CannotRun, environment, run_tool, versions
from faces import HELD_OUT, hold_out
from section import Section, figure

OURS, DLIB, DEEPFACE, PLAIN = "Doppelgram, faces ready-made", "face_recognition", "deepface", "a plain loop over a list"
KNOWN = 10_000
# What each says two faces of one person are nearer than.
THRESHOLDS = {DLIB: 0.6, DEEPFACE: 0.6}


def compare(options: Any) -> Section:
    """Describe the same photographs by each, and score them by one and the same code."""
    gallery, queries, strangers = (
        names[: 12 if options.small else None] for names in photographs(options, known=3, asked=2, others=3)
    )
    files = [options.data / "lfw" / name for name in (*gallery, *queries, *strangers)]
    section = Section(
        "Faces",
        f"LFW: {len(queries)} photographs of 62 people among {len(gallery)} others of them, and all pairs of "
        f"{len(strangers)} photographs of {len({name.split('/')[0] for name in strangers})} more people, whom no "
        "threshold has seen. A photograph without a face that is found counts as wrong; of pairs it is left out. "
        "The same weights do the describing in all three: dlib's network, which packages carry.",
        [OURS],
        [OURS, DLIB, DEEPFACE, PLAIN],
        machine=machine(),
    )
    cells: dict[str, dict[str, Any]] = {}
    for tool, run in ((OURS, _ours), (DLIB, _dlib), (DEEPFACE, _deepface)):
        print(f"faces by {tool}", flush=True)
        try:
            vectors, threshold, took = run(files, options)
            cells[tool] = {**scored(vectors, threshold, gallery, queries, strangers, options.seed), **took}
        except CannotRun as problem:
            section.cannot[tool] = str(problem)
    cells[PLAIN] = {"search, processor time": round(plain_search(), 2)}
    for measure, unit, better in (
        ("who is it, 1-NN", "%", "higher"),
        ("no face found", "", "lower"),
        ("the same person or not, AUC", "%", "higher"),
        ("judged rightly at its own threshold", "%", "higher"),
        ("a photograph, processor time", "ms", "lower"),
        ("search, processor time", "ms", "lower"),
    ):
        task = f"the nearest of {KNOWN:,}" if measure.startswith("search") else "LFW"
        section.add(task, measure, better, unit, {tool: cell.get(measure) for tool, cell in cells.items()})
    section.notes += [
        "Own threshold: ours is that of the calibration, which was fitted on 50 other people and gives a "
        "probability too; face_recognition and deepface have one fixed distance and no probability. Same "
        "and different pairs weigh equally.",
        f"The plain loop is ours: {KNOWN:,} vectors of 128 numbers in a Python list, one distance after the other, as "
        "a pickled list is searched.",
        "The recipe trained on LFW itself is behind our own ready-made model: "
        "[faces](../benchmarks/results/ready_made_faces.md).",
    ]
    section.versions = {DLIB: versions("face_recognition", "face-recognition", "dlib-bin")}
    return section


def photographs(options: Any, known: int, asked: int, others: int) -> tuple[list[str], list[str], list[str]]:
    """Names of photographs: a gallery and queries of 62 people, and photographs of people kept out of all training."""
    file = options.scratch / "lfw.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    lfw = options.data / "lfw"
    split_data(lfw, "image", file, seed=options.seed, evaluate_on=options.data / "lfw62.txt")
    whole = read_split(file)
    split, held = hold_out(whole, options.seed)
    # The first half of those kept out chose the ready-made model's calibration.
    unseen = set(held[HELD_OUT // 2 :])
    return (
        some([name for name, part in split.parts.items() if part == "train"], known),
        some([name for name, part in split.parts.items() if part == "test"], asked),
        some([name for name in whole.parts if name.split("/")[0] in unseen], others),
    )


def some(names: Sequence[str], most: int) -> list[str]:
    """At most so many photographs of each person, in order."""
    taken: dict[str, int] = {}
    kept = []
    for name in sorted(names):
        person = name.split("/")[0]
        if taken.get(person, 0) < most:
            taken[person] = taken.get(person, 0) + 1
            kept.append(name)
    return kept


def scored(
    vectors: np.ndarray,
    threshold: float,
    gallery: Sequence[str],
    queries: Sequence[str],
    strangers: Sequence[str],
    seed: int,
) -> dict[str, Any]:
    """The cells of one tool, of vectors (n, dim) of gallery, queries and strangers, NaN where no face was found."""
    names = np.array([name.split("/")[0] for name in (*gallery, *queries, *strangers)])
    found = np.isfinite(vectors).all(1)
    ends = np.cumsum([0, len(gallery), len(queries), len(strangers)])
    sets = []
    for start, end in pairwise(ends):
        rows = np.flatnonzero(found[start:end]) + start
        sets.append(EmbeddedSet(vectors[rows].astype(np.float32), names[rows]))
    space = EuclideanSpace(vectors.shape[1])
    closed = evaluate_embeddings(space, sets[0], sets[1], seed=seed).to_dict()["knn_accuracy"]
    asked = len(queries)
    opened = evaluate_embeddings(space, sets[2], threshold=threshold, seed=seed).to_dict()
    right = round(closed["value"] * closed["n"])
    low, high = wilson(right, asked)
    return {
        "who is it, 1-NN": {"value": round(right / asked, 4), "low": round(low, 4), "high": round(high, 4)},
        "no face found": int((~found).sum()),
        "the same person or not, AUC": figure(opened["pair_auc"]),
        "judged rightly at its own threshold": figure(opened["pair_accuracy"]),
    }


def _ours(files: list[Path], options: Any) -> tuple[np.ndarray, float, dict[str, float]]:
    model = load_model("faces")
    vectors, times = np.full((len(files), model.dim), np.nan, np.float32), []
    for row, file in enumerate(files):
        started = time.process_time()
        with contextlib.suppress(DoppelgramError):  # no face
            vectors[row] = model.embed_images([file])[0]
        times.append(time.process_time() - started)
    known = np.random.default_rng(0).standard_normal((KNOWN, model.dim)).astype(np.float32) * 0.1
    index, searches = model.space.index(known), []
    for vector in known[:50] + np.float32(0.001):
        started = time.process_time()
        index.nearest(vector[None], 1)
        searches.append(time.process_time() - started)
    took = {
        "a photograph, processor time": 1000 * float(np.median(times)),
        "search, processor time": 1000 * float(np.median(searches)),
    }
    return vectors, float(model.space.threshold), {name: round(value, 2) for name, value in took.items()}


def _dlib(files: list[Path], options: Any) -> tuple[np.ndarray, float, dict[str, float]]:
    return _tool("face_recognition", "faces_dlib.py", DLIB, files, options)


def _deepface(files: list[Path], options: Any) -> tuple[np.ndarray, float, dict[str, float]]:
    return _tool("deepface", "faces_deepface.py", DEEPFACE, files, options)


def _tool(
    name: str, script: str, tool: str, files: list[Path], options: Any
) -> tuple[np.ndarray, float, dict[str, float]]:
    folder = options.scratch / f"faces-{name}"
    job = {"files": [str(file) for file in files], "known": KNOWN}
    answer, _ = run_tool(environment(name, options.peers), script, job, folder)
    took = {"a photograph, processor time": round(answer["photograph_ms"], 2)}
    if "search_ms" in answer:
        took["search, processor time"] = round(answer["search_ms"], 2)
    return np.load(folder / "vectors.npy"), THRESHOLDS[tool], took


def plain_search() -> float:
    """Milliseconds, median of five, to go through a list of vectors in Python."""
    rng = np.random.default_rng(0)
    known = [vector.tolist() for vector in rng.standard_normal((KNOWN, 128))]
    took = []
    for number in range(5):
        asked, started = known[number], time.process_time()
        best = float("inf")
        for each in known:
            best = min(best, sum((a - b) ** 2 for a, b in zip(asked, each, strict=True)))
        took.append(time.process_time() - started)
    return 1000 * float(np.median(took))
