"""Arrangements among posts, and who set them: ours ready-made beside the two recipes that people have used for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from common import machine
from doppelgram.api.trace import trace
from doppelgram.console import SilentProgress
from doppelgram.dataset.posts.posts import seconds_of
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.rolemodels.validation.truth import MIN_POSTS, TruthScores, score_trace
from environments import CannotRun, environment, run_tool, versions
from section import Section, figure

EARLIEST = "Doppelgram, the earliest of each arrangement"
OURS, SIFT = "Doppelgram, ready-made", "SIFT pair scores, as MotiveDetection does it"
EQUAL, NEAR = "the same perceptual hash, as 4CAT merges images", "hashes that agree by 90 %, as 4CAT joins them"
SETS = ("posts", "posts_views")
LINKS = (8, 12, 20, 30, 50)  # matches from which on two photographs are linked
AGREE = {EQUAL: 1.0, NEAR: 0.9}


def compare(options: Any) -> Section:
    """Run all of them on both sets."""
    section = Section(
        "Arrangements and their originators",
        "Posts of people who pose before places, where it is known who copied whom; only pictures, authors and times "
        "are given. An arrangement is a pose before a place (`posts`) or before one view of a place (`posts_views`). "
        "Of what a recipe groups, the earliest post is taken for the originator. The SIFT recipe is told each post's "
        f"place, which the others are not, and has that number of matches of {', '.join(map(str, LINKS))} from which "
        "photographs are linked which agrees best with the truth, which nobody would know.",
        [OURS],
        [OURS, EARLIEST, SIFT, EQUAL, NEAR],
        machine=machine(),
    )
    for name in SETS:
        cells: dict[str, dict[str, Any]] = {}
        for kind, run in ((OURS, _ours), (SIFT, _sift), ("hashes", _hashes)):
            try:
                cells |= run(name, options)
            except CannotRun as problem:
                for tool in (EQUAL, NEAR) if kind == "hashes" else (kind,):
                    section.cannot[tool] = f"did not run: {problem}"
        for measure, unit, better in (
            ("adjusted Rand", "", "higher"),
            ("pairs, F1", "", "higher"),
            ("originator first", "%", "higher"),
            ("processor time", "s", "lower"),
        ):
            section.add(name, measure, better, unit, {tool: found.get(measure) for tool, found in cells.items()})
    section.notes += [
        f"Originator first: of arrangements of {MIN_POSTS} posts or more; ties count against. “{EARLIEST}” does with "
        "our arrangements what is done with the others' groups.",
        "Neither recipe knows poses. Neither gives an order in time, a probability or a test against chance; the "
        "earliest of a group is our reading of what it would say.",
        "Processor time is from files to groups, estimating poses and embedding included.",
    ]
    opencv, hashes = versions("sift", "opencv-python-headless"), versions("imagehash", "ImageHash")
    section.versions = {SIFT: f"OpenCV {opencv}", EQUAL: f"imagehash {hashes}"}
    return section


def most(options: Any) -> int:
    """How many posts of a set are looked at."""
    return 80 if options.small else sys.maxsize


def photographs(data: Path, name: str, most: int, *, place: bool = False) -> list[dict[str, Any]]:
    """The posts of a set with what a tool may know; their places only where it has to be told."""
    table = pd.read_csv(data / name / "posts.csv", dtype=str, keep_default_na=False)[:most]
    times = seconds_of(pd.to_datetime(table["timestamp"], utc=True))
    found = [
        {"path": path, "file": str(data / name / path), "author": author, "time": float(when)}
        for path, author, when in zip(table["path"], table["author"], times, strict=True)
    ]
    if place:
        truth = pd.read_csv(data / name / "truth.csv", dtype=str, keep_default_na=False)
        known = (table if "place" in table else truth).set_index("path")["place"]
        found = [{**each, "place": known[each["path"]]} for each in found]
    return found


def as_trace(posts: Sequence[Mapping[str, Any]], groups: Sequence[int] | np.ndarray) -> Any:
    """What a grouping says, in the form of a trace: the earliest of a group set it, the others followed that one."""
    group, when = np.asarray(groups), np.array([each["time"] for each in posts])
    score, parent = np.zeros(len(group)), [""] * len(group)
    for number in np.unique(group[group >= 0]):
        rows = np.flatnonzero(group == number)
        first = int(rows[np.argmin(when[rows])])
        score[first] = len(rows) - 1
        for row in rows[rows != first]:
            parent[row] = posts[first]["path"]
    return SimpleNamespace(
        role_models=pd.DataFrame(
            {
                "path": [each["path"] for each in posts],
                "arrangement": ["" if each < 0 else str(each) for each in group],
                "parent": parent,
                "timestamp": pd.to_datetime(when, unit="s", utc=True),
                "score": score,
            }
        )
    )


def pair_f1(found: Sequence[str], true: Sequence[str]) -> float:
    """Agreement about pairs: twice those together in both, by those together in either; empty means alone."""
    codes = [pd.factorize(np.asarray(labels, dtype=object))[0] for labels in (found, true)]
    apart = [np.asarray(labels, dtype=object) == "" for labels in (found, true)]
    together = [
        np.triu((code[:, None] == code[None]) & ~alone[:, None], 1) for code, alone in zip(codes, apart, strict=True)
    ]
    both, either = (together[0] & together[1]).sum(), together[0].sum() + together[1].sum()
    return float(2 * both / either) if either else 1.0


def scored(found: Any, truth: Path, seconds: float) -> dict[str, Any]:
    """The cells of one tool on one set."""
    scores: TruthScores = score_trace(found, truth)
    table = pd.read_csv(truth, dtype=str, keep_default_na=False).set_index("path")["arrangement"]
    posts = found.role_models[["path", "arrangement"]]
    true = posts["path"].map(table).fillna("").to_numpy(dtype=object)
    shown = np.array([bool(each) and not each.endswith("_zz") for each in true])
    f1 = pair_f1(posts["arrangement"].to_numpy(dtype=object)[shown], true[shown])
    return {
        "adjusted Rand": round(scores.adjusted_rand, 3),
        "pairs, F1": round(f1, 3),
        "originator first": figure({"value": scores.originator_first, "low": scores.low, "high": scores.high})
        if scores.arrangements
        else None,
        "processor time": round(seconds, 1),
    }


def _ours(name: str, options: Any) -> dict[str, dict[str, Any]]:
    data, folder = options.data / name, options.scratch / f"trace-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_csv(data / "posts.csv", dtype=str, keep_default_na=False)[: most(options)]
    table[["path", "author", "timestamp"]].to_csv(folder / "posts.csv", index=False)
    started = time.process_time()
    found = trace(
        read_posts(folder / "posts.csv", root=data),
        "arrangements",
        catalog=folder / "catalog",
        weights=options.weights,
        places=False,
        view=False,
        progress=SilentProgress(),
    )
    ours = scored(found, data / "truth.csv", time.process_time() - started)
    first = "originator first"
    return {OURS: ours, EARLIEST: {first: scored(by_the_earliest(found), data / "truth.csv", 0.0)[first]}}


def by_the_earliest(found: Any) -> Any:
    """A trace's arrangements, each with its earliest post as the one who set it."""
    posts = found.role_models
    groups = np.unique(posts["arrangement"].to_numpy(dtype=str), return_inverse=True)[1]
    times = np.nan_to_num(seconds_of(posts["timestamp"]), nan=np.inf)
    named = [{"path": path, "time": float(when)} for path, when in zip(posts["path"], times, strict=True)]
    return as_trace(named, np.where(posts["arrangement"] == "", -1, groups))


def _sift(name: str, options: Any) -> dict[str, dict[str, Any]]:
    posts = photographs(options.data, name, most(options), place=True)
    job = {"photographs": posts, "links": LINKS}
    answer, used = run_tool(environment("sift", options.peers), "sift_pairs.py", job, options.scratch / f"sift-{name}")
    truth = options.data / name / "truth.csv"
    ways = [scored(as_trace(posts, groups), truth, used.processor) for groups in answer["groups"].values()]
    return {SIFT: max(ways, key=lambda way: way["adjusted Rand"])}


def _hashes(name: str, options: Any) -> dict[str, dict[str, Any]]:
    posts = photographs(options.data, name, most(options))
    job = {"photographs": posts, "agree": list(AGREE.values())}
    python = environment("imagehash", options.peers)
    answer, used = run_tool(python, "hash_network.py", job, options.scratch / f"hashes-{name}")
    truth = options.data / name / "truth.csv"
    return {
        tool: scored(as_trace(posts, answer["groups"][str(agree)]), truth, used.processor)
        for tool, agree in AGREE.items()
    }
