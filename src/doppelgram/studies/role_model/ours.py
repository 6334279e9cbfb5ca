"""The top of the ladder: our own models, the ready-made one and the one that is trained, asked the same pairs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.result import Metric
from doppelgram.models.finder_settings import READY_MADE as KEYPOINTS
from doppelgram.studies.role_model.data import Trial
from doppelgram.studies.role_model.plan import ARRANGEMENTS, BACKBONE, Rung
from doppelgram.studies.role_model.rungs import RungResult, StudyData, read_rung, write_rung
from doppelgram.studies.role_model.scores import score_pairs

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel

RECIPE = "posts"


def ours_overrides(estimator: str, backbone: str, *, quick: bool) -> list[str]:
    """What the ladder's own settings change in the recipe ``posts``.

    Args:
        estimator: who finds the people; empty for the recipe's own. With ready-made keypoints nobody looks at the
            photographs, so that no weights are needed, and people are not covered in them.
        backbone: of the image towers.
        quick: whether a rehearsal will do.
    """
    changes = [f"arrangement.estimator={estimator}"] if estimator else []
    if estimator == KEYPOINTS:
        changes.append('arrangement.segmenter=""')
    if backbone != BACKBONE:
        changes += [f"towers.*.backbone={backbone}", "towers.*.frozen_layers=1"]
    if quick:
        changes += ["towers.*.epochs=1", "towers.*.copies=1", "towers.*.size=64"]
        changes += ["towers.keypoints.epochs=10", "towers.embedding.epochs=10"]
    return changes


def measure_ours(study: StudyData, rung: Rung, trial: Trial, data: Path, overrides: Sequence[str]) -> RungResult:
    """Train our own model on a trial's training part, or take what an earlier call has made, and ask it the pairs.

    Threshold and figures are taken as for every other rung, from the joint probability of the same arrangement.

    Args:
        study: photographs and folders.
        rung: ``ours``.
        trial: the protocol.
        data: folder or table of the posts.
        overrides: changes to the recipe.

    Raises:
        DoppelgramError: weights are missing.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    from doppelgram.api.train import train
    from doppelgram.models.arrangement import require_arrangement
    from doppelgram.models.bundle import load_model

    folder = study.out / trial.name / rung.key
    done = read_rung(folder, rung)
    if done is not None:
        return done
    split = folder / "split.csv"
    trial.split.write(split)
    started = time.perf_counter()
    run = train(
        data,
        RECIPE,
        folder / "run",
        overrides=overrides,
        split=split,
        weights=study.weights,
        seed=study.seed,
        resume=True,
        progress=study.progress,
    )
    seconds = float(run.facts.get("training_seconds", time.perf_counter() - started))
    otherwise = f"{run.folder}: holds no model of places and poses; choose another --out"
    model = require_arrangement(load_model(run.folder, weights=study.weights), otherwise)
    metrics = _asked(study, model, trial)
    facts: dict[str, Any] = {"seconds": round(seconds, 1), "recipe": RECIPE}
    write_rung(folder, metrics, facts)
    return RungResult(rung, metrics, facts)


def measure_ready(study: StudyData, rung: Rung, trial: Trial) -> RungResult:
    """Ask the ready-made model of arrangements a trial's pairs, or take what an earlier call has written down.

    Nothing is trained; the threshold is chosen on the validation pairs, as for every other rung.

    Args:
        study: photographs and folders.
        rung: ``arrangements``.
        trial: the protocol.

    Raises:
        DoppelgramError: a package or weights are missing; the sentence has the command that brings them.
    """
    from doppelgram.models.arrangement import require_arrangement
    from doppelgram.models.ready_made.registry import open_ready_made

    folder = study.out / trial.name / rung.key
    done = read_rung(folder, rung)
    if done is not None:
        return done
    model = require_arrangement(open_ready_made(ARRANGEMENTS, study.weights), f"{ARRANGEMENTS}: knows no arrangements")
    started = time.perf_counter()
    metrics = _asked(study, model, trial)
    facts = {"seconds": round(time.perf_counter() - started, 1), "fitted_on": model.calibration.place.fitted_on}
    write_rung(folder, metrics, facts)
    return RungResult(rung, metrics, facts)


def _asked(study: StudyData, model: ArrangementModel, trial: Trial) -> dict[str, Metric]:
    """Figures of a model's joint distance on a trial's pairs; each photograph is embedded once."""
    from doppelgram.models.embed_files import embed_files

    asked = (trial.validation, trial.test)
    rows = np.unique(np.concatenate([part for pairs in asked for part in (pairs.a, pairs.b)]))
    paths = study.posts.collection.paths
    with study.progress.bar("photographs, by our model", len(rows)) as advance:
        embedded = embed_files(model, [paths[row] for row in rows], progress=advance)
    if len(embedded.kept) != len(rows):
        raise DoppelgramError(f"{study.posts.collection.root}: photographs changed or vanished meanwhile")
    found = []
    for pairs in asked:
        places = [np.searchsorted(rows, side) for side in (pairs.a, pairs.b)]
        found.append(model.space.distance(*(embedded.vectors[place] for place in places)))
    return score_pairs(found[0], found[1], trial, study.posts, seed=study.seed)
