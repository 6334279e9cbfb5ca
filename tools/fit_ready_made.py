"""Fit the numbers of the ready-made models that their package carries, and say how they do on images kept aside.

    python tools/fit_ready_made.py things --data LANDMARKS [--cache FILE]

``LANDMARKS`` is a folder of photographs, one folder a landmark. Everything is chosen and measured on one half of the
landmarks with numbers fitted on the other; what is written is then fitted on all of them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from doppelgram.console import TerminalProgress
from doppelgram.dataset.read import read_collection
from doppelgram.evaluation.calibration import fit_calibration
from doppelgram.evaluation.roc import Roc, pair_statistics
from doppelgram.evaluation.sampling import sample_pairs
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.images.augment import to_float
from doppelgram.images.read import Want, read
from doppelgram.models.compiled import compiled
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.models.ready_made.description import HERE
from doppelgram.models.ready_made.things import THINGS
from doppelgram.models.towers import unit

PROGRESS = TerminalProgress()
Array = np.ndarray[Any, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    models = parser.add_subparsers(dest="model", required=True)
    things = models.add_parser("things", help="mean and calibration of `things`")
    things.add_argument("--data", type=Path, required=True, help="photographs, one folder a landmark")
    things.add_argument("--cache", type=Path, help="file in which the features are kept")
    given = parser.parse_args(arguments)
    fit_things(given.data, given.cache)


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
    calibration = fit_calibration(*_pairs(unit(features - mean), labels), fitted_on=fitted_on)
    np.save(HERE / "things.npy", mean.astype(np.float32))
    text = json.dumps(calibration.to_dict(), indent=1)
    (HERE / "things.json").write_text(text + "\n", encoding="utf-8")
    print(text)


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
