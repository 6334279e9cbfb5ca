"""Sections of `ready_made.py` about places, arrangements and role models: of photographs that nothing was trained on.

The calibration of `arrangements` was fitted to every second place and every second pose of `posts`; where a section
hangs on it, that is said.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from doppelgram.api.trace import trace
from doppelgram.console import SilentProgress, TerminalProgress
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.evaluation.verification import pair_metrics
from doppelgram.images.framing import Framing
from doppelgram.images.read import Want, read
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.bundle import load_model
from doppelgram.models.embed_files import embed_files
from doppelgram.models.finder import open_finder
from doppelgram.models.networks.masked import MaskedPooling
from doppelgram.models.place_tower import MaskedTower
from doppelgram.models.towers import unit
from doppelgram.rolemodels.validation.truth import score_trace
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.studies.role_model.protocols import open_protocol, read_grouped_posts
from posts import PAIRS, Questions, fit_joint
from ready_made import SETS, Options, Table, fair_pairs, labelled, macro_auc, pooled_auc

PROGRESS = TerminalProgress()
Array = NDArray[Any]


@dataclass
class Embedded:
    """A set and its vectors by a model, row by row."""

    rows: pd.DataFrame
    vectors: Array
    space: ArrangementSpace


def ready(options: Options) -> dict[str, ArrangementModel]:
    """The ready-made model, and the same with the tower of a run of recipe `places` if there is one."""
    names = {"ready-made": "arrangements"}
    if options.places:
        names["with recipe places"] = f"arrangements:{options.places}"
    found = {}
    for title, name in names.items():
        model = load_model(name, weights=options.weights)
        assert isinstance(model, ArrangementModel)
        found[title] = model
    return found


def embedded(options: Options, name: str, model: ArrangementModel, *, everything: bool = False) -> Embedded:
    """A set by a model, its space adapted to it; kept in the cache. Bare places are left out unless asked for."""
    rows = pd.read_csv(options.data / name / "posts.csv", dtype=str, keep_default_na=False) if everything else None
    rows = labelled(options.data, name) if rows is None else rows
    files = [options.data / name / path for path in rows["path"]]
    kept = options.cache / f"arrangements-{name}-{len(files)}-{model.fingerprint[:12]}.npy"
    if not kept.is_file():
        with PROGRESS.bar(f"embedding {name}", len(files)) as advance:
            found = embed_files(model, files, keep_duplicates=True, progress=advance)
        assert len(found.kept) == len(files)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, found.vectors)
    vectors = np.load(kept)
    return Embedded(rows, vectors, model.space.adapted(vectors))


def unmasked(options: Options, name: str, rows: pd.DataFrame, backbone: str) -> Array:
    """Places (n, dim) of a set by a backbone as it came, people and all."""
    kept = options.cache / f"unmasked-{name}-{len(rows)}-{backbone}.npy"
    if not kept.is_file():
        tower = MaskedTower(MaskedPooling(make_backbone(backbone, weights=options.weights)).eval(), Framing(320))
        squares, found = [], []
        for photograph in read(rows["file"].tolist(), Want(WholePhotograph(640)), keep_duplicates=True):
            squares.append(tower.inputs(np.asarray(photograph.pixels), [], None))
            if len(squares) == 16:
                found.append(tower.embed(np.concatenate(squares)))
                squares.clear()
        found += [tower.embed(np.concatenate(squares))] if squares else []
        np.save(kept, np.concatenate(found))
    return np.asarray(np.load(kept))


def place(options: Options) -> Table:
    """Same place or not, by the place alone."""
    table = Table(
        "Unseen places: macro AUC over fair pairs, as above, of place embeddings. In the second column pairs of "
        "different places show the same pose, so that people give nothing away. Nothing was chosen on either set; the "
        "offset is the mean of photographs of 108 landmarks, which are no places of `posts` but are those of "
        "`posts_views`."
    )
    models = ready(options)
    for name in SETS:
        main = embedded(options, name, models["ready-made"])
        rows, space = main.rows, main.space
        left, right = fair_pairs(rows)
        places, poses = (rows[column].to_numpy() for column in ("place", "pose"))
        same = places[left] == places[right]
        raw = main.vectors[:, : space.place_dim]
        plain = unmasked(options, name, rows, "efficientnet_lite2")
        offset, shift = np.array(space.offset), np.array(space.shift)
        ways = {
            "untouched: MobileNetV2": unmasked(options, name, rows, "mobilenet_v2_imagenet"),
            "untouched: EfficientNet-Lite2": plain,
            "its map without people": raw,
            "centred on landmarks, people and all": unit(plain - offset),
            "the map without people, centred on landmarks (as for a lone pair)": unit(raw - offset),
            "the map without people, centred on the set's own mean": unit(raw - raw.mean(0)),
            "ready-made: the map without people, centred on both": unit(raw - offset - shift),
        }
        for title, model in models.items():
            if title != "ready-made":
                ours = embedded(options, name, model)
                ways[title] = ours.space.split(ours.vectors)[0]
        alike = same | (poses[left] == poses[right])
        for way, vectors in ways.items():
            distance = np.linalg.norm(vectors[left].astype(np.float32) - vectors[right], axis=1)
            row = table.rows.setdefault(way, {})
            row[name] = macro_auc(distance, same, left, right, rows, "place")
            if name == "posts":
                row["posts, the same pose"] = macro_auc(
                    distance[alike], same[alike], left[alike], right[alike], rows, "place"
                )
    return table


def joint(options: Options) -> Table:
    """Same arrangement or not."""
    table = Table(
        "Unseen arrangements: AUC over all fair pairs together, of the joint probability; *hard*: different pairs "
        "share the place or the pose. The weights of both were fitted on half of the places and poses of `posts`."
    )
    for title, model in ready(options).items():
        for name in SETS:
            found = embedded(options, name, model)
            left, right = fair_pairs(found.rows)
            places, poses = (found.rows[column].to_numpy() for column in ("place", "pose"))
            same_place, same_pose = (names[left] == names[right] for names in (places, poses))
            same, hard = same_place & same_pose, same_place | same_pose
            # The vectors of all pairs, side by side, would fill eleven gigabytes. A search ranks by negated log-odds.
            keys, _ = found.space.index(found.vectors).ranker("").keys(found.vectors)
            distance = keys[left, right]
            row = table.rows.setdefault(title, {})
            for column, of in ((name, np.ones(len(left), dtype=bool)), (f"{name}, hard", hard)):
                row[column] = pooled_auc(distance[of], same[of], left[of], right[of], found.rows)
    return table


def protocol(options: Options) -> Table:
    """The open protocol of `posts.py`, asked without any training on it."""
    table = Table(
        "The open protocol of `posts.py`: hard pairs of places and poses that its training part does not show. Only "
        "the weights and the threshold come from its validation part; nothing is trained."
    )
    posts = read_grouped_posts(options.data / "posts")
    questions = Questions.of(posts, open_protocol(posts, seed=0))
    for title, model in ready(options).items():
        found = embed_files(model, [Path(path) for path in posts.paths], keep_duplicates=True)
        space = model.space.adapted(found.vectors)
        fitted = fit_joint(space, found.vectors, questions.kinds("val"), "validation part")
        a, b, same = questions.pairs["test"]
        for way, calibration in (("weights of the validation part", fitted), ("its own weights", space.calibration)):
            asked = replace(space, calibration=calibration)
            said = asked.compare(found.vectors[a], found.vectors[b])
            metrics, _ = pair_metrics(said.distance, same, a, b, threshold=asked.threshold)
            table.rows[f"{title}, {way}"] = {
                "pairs told rightly": figure(metrics["pair_accuracy"]),
                "AUC": figure(metrics["pair_auc"]),
            }
    table.notes.append(f"Up to {PAIRS:,} pairs, half of them different.")
    return table


def views(options: Options) -> Table:
    """The fair pairs that come with `posts_views`."""
    table = Table(
        "`pairs.csv` of `posts_views`, whose copies keep the view: half of the pairs show the same view and pose, a "
        "quarter the view in another pose, a quarter the pose at another place. The threshold is the model's own."
    )
    # Of the pairs that differ, those that differ in this part alone.
    kinds = {"place": "same-pose-other-place", "pose": "same-view-other-pose"}
    for title, model in ready(options).items():
        found = embedded(options, "posts_views", model, everything=True)
        pairs = pd.read_csv(options.data / "posts_views" / "pairs.csv", dtype={"path_a": str, "path_b": str})
        row_of = {path: row for row, path in enumerate(found.rows["path"])}
        a, b = (pairs[column].map(row_of).to_numpy() for column in ("path_a", "path_b"))
        same, kind = pairs["same"].to_numpy() == 1, pairs["kind"].to_numpy()
        said = found.space.compare(found.vectors[a], found.vectors[b])
        metrics, _ = pair_metrics(said.distance, same, a, b, threshold=found.space.threshold)
        row = {"pairs told rightly": figure(metrics["pair_accuracy"]), "AUC": figure(metrics["pair_auc"])}
        for part in kinds:
            of = same | (kind == kinds[part])
            distance = np.nan_to_num(said.parts[part].distance, nan=9.0)
            figures, _ = pair_metrics(distance[of], same[of], a[of], b[of], threshold=1.0)
            row[f"{part}: AUC"] = figure(figures["pair_auc"])
        table.rows[title] = row
    return table


def traces(options: Options) -> Table:
    """Role models without any label: arrangements and originators against the truth."""
    table = Table(
        "Traced from pictures, authors and times alone: agreement of the arrangements found with the true ones, and "
        "how often the true originator leads (arrangements of eight posts or more; 95 % by Wilson)."
    )
    for name in SETS:
        data = options.data / name
        bare = pd.read_csv(data / "posts.csv", dtype=str, keep_default_na=False)[["path", "author", "timestamp"]]
        for title, model in ready(options).items():
            with tempfile.TemporaryDirectory() as temporary:
                file = Path(temporary) / "posts.csv"
                bare.to_csv(file, index=False)
                posts = read_posts(file, root=data)
                folder = options.cache / f"catalog-{name}-{model.fingerprint[:12]}"
                found = trace(
                    posts,
                    "arrangements" if title == "ready-made" else f"arrangements:{options.places}",
                    catalog=folder,
                    weights=options.weights,
                    places=False,
                    view=False,
                    progress=SilentProgress(),
                )
                scores = score_trace(found, data / "truth.csv")
            table.rows[f"{name}, {title}"] = {
                "adjusted Rand": scores.adjusted_rand,
                "originator first": {"value": scores.originator_first, "low": scores.low, "high": scores.high},
                "arrangements": scores.arrangements,
            }
    return table


def cost(options: Options) -> Table:
    """What one photograph costs to embed."""
    files = labelled(options.data, "posts")["file"].tolist()[::18]
    table = Table(
        f"Milliseconds a photograph, {len(files) - 8} posts, from file to vector, after the first eight: of processor "
        "time, all cores together, and by the clock, which other work on the machine lengthens."
    )
    for title, model in ready(options).items():
        with tempfile.TemporaryDirectory() as empty, patch.dict(os.environ, DOPPELGRAM_CACHE=empty):
            model = replace(model, _finder=open_finder(model.finder_settings, options.weights))
            embed_files(model, files[:8], keep_duplicates=True)
            started = time.process_time(), time.perf_counter()
            embed_files(model, files[8:], keep_duplicates=True)
            used = time.process_time() - started[0], time.perf_counter() - started[1]
        each = (round(1000 * seconds / len(files[8:])) for seconds in used)
        table.rows[title] = dict(zip(("processor ms", "ms by the clock"), each, strict=True))
    return table


def figure(metric: Any) -> dict[str, float]:
    """A figure with its interval, as the tables want it."""
    return {"value": metric.value, "low": metric.low, "high": metric.high, "n": metric.n}


SECTIONS: Mapping[str, Any] = {
    "place": place,
    "joint": joint,
    "open protocol": protocol,
    "views": views,
    "traces": traces,
    "cost": cost,
}
