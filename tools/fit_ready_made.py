"""Fit the numbers of the ready-made models that their package carries, and say how they do on images kept aside.

    python tools/fit_ready_made.py things --data LANDMARKS [--cache FILE]
    python tools/fit_ready_made.py arrangements --data LANDMARKS --posts POSTS [--cache FILE] [--weights DIR]
    python tools/fit_ready_made.py faces --data LFW --without lfw62.txt [--cache FILE]

``LFW`` is a folder of photographs, one folder a person; the calibration of `faces` is fitted on 50 people drawn from
those that the list does not name, and `benchmarks/ready_made_faces.py` asks 50 others and those of the list.

``LANDMARKS`` is a folder of photographs, one folder a landmark. Everything is chosen and measured on one half of the
landmarks with numbers fitted on the other; what is written is then fitted on all of them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from doppelgram.console import TerminalProgress
from doppelgram.dataset.read import read_collection
from doppelgram.evaluation.collection import embed_collection
from doppelgram.evaluation.joint_fit import fit_joint, fit_joint_search, pair_kinds
from doppelgram.evaluation.roc import Roc, pair_statistics
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.space_fit import calibrate_embedding
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.images.augment import to_float
from doppelgram.images.read import Want, read
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.bundle import load_model
from doppelgram.models.compiled import compiled
from doppelgram.models.embed_files import embed_files
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.models.ready_made.arrangements import FITTED, MEAN, untrained_arrangements
from doppelgram.models.ready_made.description import HERE
from doppelgram.models.ready_made.things import THINGS
from doppelgram.models.towers import unit
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration
from doppelgram.studies.role_model.protocols import read_grouped_posts

PROGRESS = TerminalProgress()
# From here on two photographs are more likely the same arrangement than not. The threshold that tells most pairs of the
# posts rightly, 0.27, holds for hard pairs of the same place from another view alone; in a trace it joins nearly all.
_EVEN = 0.5
_PART = Calibration(1.0, 0.0, 1.0, 1, 1, "nothing")
_UNFITTED = JointCalibration(_PART, _PART, 1.0, 1.0, 0.0, 0.0, 0.5, rule="both")
Array = np.ndarray[Any, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    models = parser.add_subparsers(dest="model", required=True)
    things = models.add_parser("things", help="mean and calibration of `things`")
    things.add_argument("--data", type=Path, required=True, help="photographs, one folder a landmark")
    things.add_argument("--cache", type=Path, help="file in which the features are kept")
    arrangements = models.add_parser("arrangements", help="mean and calibration of `arrangements`")
    arrangements.add_argument("--data", type=Path, required=True, help="photographs, one folder a landmark")
    arrangements.add_argument("--posts", type=Path, required=True, help="folder of posts.csv and truth.csv")
    arrangements.add_argument("--weights", type=Path, help="folder to look weights up in first")
    arrangements.add_argument("--cache", type=Path, help="file in which the features of the landmarks are kept")
    faces = models.add_parser("faces", help="calibration of `faces`")
    faces.add_argument("--data", type=Path, required=True, help="photographs, one folder a person")
    faces.add_argument("--without", type=Path, required=True, help="list of people who are left out")
    faces.add_argument("--cache", type=Path, help="file in which the numbers are kept")
    given = parser.parse_args(arguments)
    if given.model == "things":
        fit_things(given.data, given.cache)
    elif given.model == "arrangements":
        fit_arrangements(given.data, given.posts, given.weights, given.cache)
    else:
        fit_faces(given.data, given.without, given.cache)


def fit_things(data: Path, cache: Path | None) -> None:
    """Write ``things.npy``, the mean of features, and ``things.json``, what their distance means."""
    features, labels = _features(data, cache)
    halves = np.isin(labels, sorted(set(labels.tolist()))[::2])
    for name, fitted, asked in (("first", ~halves, halves), ("second", halves, ~halves)):
        mean = features[fitted].mean(0)
        d, same = _pairs(unit(features[asked] - mean), labels[asked])
        raw, same_raw = _pairs(unit(features[asked]), labels[asked])
        print(f"{name} half of the landmarks: AUC {_auc(d, same):.3f} (not centred {_auc(raw, same_raw):.3f})")
    mean = features.mean(0)
    fitted_on = f"{len(labels):,} photographs of {len(set(labels.tolist()))} landmarks (same: the same landmark)"
    calibration = calibrate_embedding(EmbeddedSet(unit(features - mean), labels), fitted_on=fitted_on)
    np.save(HERE / "things.npy", mean.astype(np.float32))
    text = json.dumps(calibration.to_dict(), indent=1)
    (HERE / "things.json").write_text(text + "\n", encoding="utf-8")
    print(text)


def fit_arrangements(data: Path, posts: Path, weights: Path | None, cache: Path | None) -> None:
    """Write ``arrangements.npy``, the mean of places, and ``arrangements.json``, what distances mean.

    The mean is of photographs of landmarks that are no places of the posts. The calibration is of pairs of every second
    place and every second pose of the posts, of different persons before different photographs; what is measured
    elsewhere is measured on the others.
    """
    offset = unit(_features(data, cache)[0]).mean(0)
    np.save(HERE / MEAN, offset.astype(np.float32))
    grouped = read_grouped_posts(posts)
    names = {kind: sorted(set(grouped.column(kind)) - {""})[::2] for kind in ("place", "pose")}
    chosen = np.isin(grouped.column("place"), names["place"]) & np.isin(grouped.column("pose"), names["pose"])
    fitted = grouped.take(np.flatnonzero(chosen))
    backbone = make_backbone("efficientnet_lite2")
    model = untrained_arrangements(backbone, tuple(offset.tolist()), _UNFITTED, weights)
    found = embed_collection(model, fitted, PROGRESS, what="posts")
    groups = [found.collection.column(name) for name in ("person", "photo")]
    apart = np.logical_and(*(group[:, None] != group[None] for group in groups))
    place, pose = (found.collection.column(kind) for kind in ("place", "pose"))
    kinds = pair_kinds(place, pose, apart, seed=0)
    fitted_on = f"posts of {len(names['place'])} places and {len(names['pose'])} poses"
    space = model.space.adapted(found.vectors)
    joint = replace(fit_joint(space, found.vectors, kinds, fitted_on), threshold=_EVEN)
    space = replace(space, calibration=joint)
    joint = replace(joint, search=fit_joint_search(space, found.vectors, place, pose, apart))
    text = json.dumps(joint.to_dict(), indent=1)
    (HERE / FITTED).write_text(text + "\n", encoding="utf-8")
    print(text)


def fit_faces(data: Path, without: Path, cache: Path | None) -> None:
    """Write ``faces.json``, what the distance of two faces means."""
    left_out = set(without.read_text(encoding="utf-8").split())
    people = sorted(folder.name for folder in data.iterdir() if folder.is_dir() and folder.name not in left_out)
    asked = sorted(random.Random(0).sample(people, 100)[:50])
    files = [file for person in asked for file in sorted((data / person).glob("*.jpg"))]
    kept: dict[str, Array] = {}
    if cache is not None and cache.is_file():
        with np.load(cache) as numbers:
            kept = dict(zip(numbers["names"].tolist(), numbers["vectors"], strict=True))
    names = [f"{file.parent.name}/{file.name}" for file in files]
    missing = [file for file, name in zip(files, names, strict=True) if name not in kept]
    if missing:
        found = embed_files(load_model("faces"), missing, keep_duplicates=True)
        new = {
            f"{missing[at].parent.name}/{missing[at].name}": row
            for at, row in zip(found.kept, found.vectors, strict=True)
        }
        kept |= new
    names = [name for name in names if name in kept and np.isfinite(kept[name]).all()]
    labels = np.array([name.split("/")[0] for name in names])
    text = f"{len(names):,} photographs of 50 people of LFW (same: the same person)"
    vectors = np.stack([kept[name] for name in names]).astype(np.float32)
    calibration = calibrate_embedding(EmbeddedSet(vectors, labels), fitted_on=text)
    written = json.dumps(calibration.to_dict(), indent=1)
    (HERE / "faces.json").write_text(written + "\n", encoding="utf-8")
    print(written)


def _features(data: Path, cache: Path | None) -> tuple[Array, Array]:
    """Features (n, dim), and the landmark of each."""
    if cache is not None and cache.is_file():
        with np.load(cache, allow_pickle=False) as kept:
            return kept["features"], kept["labels"]
    collection = read_collection(data).labelled()
    tower = THINGS.build(None).tower
    run = compiled(_Features(tower.network), tower.framing.size)
    found, labels = [], []
    with PROGRESS.bar("embedding", len(collection)) as advance:
        photographs = read(collection.paths, Want(tower.framing), keep_duplicates=True)
        for photograph, label in zip(photographs, collection.labels.tolist(), strict=True):
            if photograph.pixels is not None:
                found.append(run(to_float(photograph.pixels[None]))[0])
                labels.append(label)
            advance(1)
    features, names = np.stack(found), np.array(labels, dtype=np.str_)
    if cache is not None:
        np.savez(cache, features=features, labels=names)
    return features, names


class _Features(nn.Module):
    """What a network's head is given."""

    def __init__(self, network: EmbeddingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.features(images)


def _pairs(vectors: Array, labels: Array) -> tuple[Array, Array]:
    """Distances of pairs drawn evenly, as many of the same as there are or 20,000, and as many different, and which."""
    task = make_task(EmbeddedSet(vectors, labels, [str(row) for row in range(len(labels))]))
    left, right, same = sample_pairs(task)
    distances = np.linalg.norm(vectors[left].astype(np.float64) - vectors[right], axis=1)
    return distances, np.arange(len(left)) < same


def _auc(distances: Array, same: Array) -> float:
    order = np.argsort(distances, kind="stable")
    return float(pair_statistics(Roc(distances[order], same[order]), np.ones((1, len(same))))[0, 0])


if __name__ == "__main__":
    main()
