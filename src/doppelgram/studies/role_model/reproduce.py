"""The role-model study rerun on anyone's posts: each rung of its ladder, beside its published figure."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.loading import load_images
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import written_whole
from doppelgram.images.framing import Framing
from doppelgram.models.finder_settings import READY_MADE as KEYPOINTS
from doppelgram.numbers import duration
from doppelgram.reports.figures import write_figure
from doppelgram.studies.experiment import open_experiment
from doppelgram.studies.role_model.data import (
    PROTOCOLS,
    TEST_PAIRS,
    VALIDATION_PAIRS,
    Posts,
    Trial,
    make_trial,
    read_ladder_posts,
)
from doppelgram.studies.role_model.figure import ladder_figure, masks_picture
from doppelgram.studies.role_model.leak import LEAKY_FOLDER, measure_leaky
from doppelgram.studies.role_model.ours import measure_ours, measure_ready, ours_overrides
from doppelgram.studies.role_model.plan import BACKBONE, Rung, ladder
from doppelgram.studies.role_model.poses import draw_masks, estimator_for, people_in
from doppelgram.studies.role_model.report import Ladder, write_ladder
from doppelgram.studies.role_model.rungs import RungResult, StudyData, measure_rung
from doppelgram.training.networks import make_network
from doppelgram.weights import cache_folder

_QUICK_PAIRS = 400
_SHOWN = 224  # side of the photographs in the report where no rung says another


def reproduce_role_model(
    data: Path | str,
    out: Path | str,
    *,
    weights: Path | str | None = None,
    groups: Path | str | None = None,
    protocol: str = "both",
    backbones: Sequence[str] = (BACKBONE,),
    estimator: str = "",
    pose_weights: Path | str | None = None,
    quick: bool = False,
    ours: bool = True,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Path:
    """Train and measure every rung of the study's ladder, and write a report.

    Finished rungs are kept, and the same call again continues a rung where it was interrupted.

    Args:
        data: posts, ``<place>/<pose>/<image>`` or a table with both columns.
        out: folder for everything; new, or started by the same call.
        weights: folder of pretrained weights: the backbone's and the pose estimator's.
        groups: table with ``path``, ``person`` and ``photo``, none of which may straddle the division; by default
            ``truth.csv`` beside the posts. Without one the photographs are divided one by one, and the report says so.
        protocol: ``closed`` (test places and poses are known from training), ``open`` (whole ones are held out), or
            ``both``.
        backbones: as `make_backbone` takes them; with several, every network is trained with each.
        estimator: who finds the people; by default the posts' own ``keypoints.json``, or else MoveNet, and for our own
            model what its recipe names.
        pose_weights: the estimator's weights, where they do not lie in ``weights``.
        quick: small pictures, few epochs and few pairs: a rehearsal.
        ours: whether the ready-made model is asked and our own trained, too, and both set at the top.
        only: keys of the rungs to measure now, all by default; a later call may measure others.
        overrides: ``key=value`` changes to every pair network's recipe.
        seed: of division, pairs, weights and batches.
        progress: where progress is shown; the terminal by default.

    Returns:
        The report, ``report.html``; beside it ``report.md``, ``ladder.csv`` and ``ladder.json``.

    Raises:
        DoppelgramError: data, weights or settings that cannot be used, or an ``out`` started otherwise.
        Interrupted: stopped by Ctrl-C.
    """
    progress = progress or TerminalProgress()
    data, out = Path(data).expanduser(), Path(out).expanduser()
    folder = Path(weights).expanduser() if weights is not None else None
    if protocol not in (*PROTOCOLS, "both"):
        raise DoppelgramError(f"protocol is '{protocol}'; it is one of {', '.join(PROTOCOLS)} or both")
    # Before anything else, so that wrong keys, missing weights and missing tables leave nothing behind.
    every = ladder(backbones, quick=quick, overrides=overrides, ours=ours)
    unknown = sorted(set(only) - {rung.key for rung in every})
    if unknown:
        raise DoppelgramError(f"there is no rung '{unknown[0]}'; there are {', '.join(rung.key for rung in every)}")
    rungs = [rung for rung in every if not only or rung.key in only]
    everything, grouped = read_ladder_posts(data, Path(groups).expanduser() if groups is not None else None)
    finder = estimator_for(data, estimator, folder, Path(pose_weights).expanduser() if pose_weights else None)
    for recipe in (rung.recipe for rung in every if rung.recipe is not None and rung.kind == "cosine"):
        make_network(recipe.model, recipe.data.size, folder, seed)
    settings: dict[str, Any] = {
        "data": os.path.abspath(data),
        "groups": os.path.abspath(groups) if groups is not None else "",
        "backbones": list(backbones),
        "estimator": finder.name,
        "quick": quick,
        "set": list(overrides),
        "seed": seed,
    }
    open_experiment(out, settings, results=(*PROTOCOLS, LEAKY_FOLDER))
    started = time.perf_counter()
    own = finder.name if estimator or finder.name == KEYPOINTS else ""
    changes = ours_overrides(own, backbones[0], quick=quick)
    plan = _Plan(data, out, rungs, changes, everything, grouped, finder, settings, protocol, folder)
    try:
        return _measure_all(plan, progress)
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(f"{out}: interrupted; the same command continues from here") from None
    finally:
        shutil.rmtree(out / "scratch", ignore_errors=True)
        progress.note(duration(time.perf_counter() - started))


@dataclass(frozen=True)
class _Plan:
    """What one call of `reproduce_rolemodel` is to do, checked.

    Attributes:
        data: folder or table of the posts.
        out: folder for everything.
        rungs: which are measured now.
        changes: to the recipe of our own model.
        everything: the posts, also those without a pose.
        grouped: whether persons and photos are known.
        finder: who finds the people.
        settings: of the call, as they are written down.
        protocol: ``closed``, ``open`` or ``both``.
        weights: folder of pretrained weights.
    """

    data: Path
    out: Path
    rungs: Sequence[Rung]
    changes: Sequence[str]
    everything: Collection
    grouped: bool
    finder: Any
    settings: Mapping[str, Any]
    protocol: str
    weights: Path | None


def _measure_all(plan: _Plan, progress: Progress) -> Path:
    out, rungs, settings = plan.out, plan.rungs, plan.settings
    everything, grouped, finder, protocol = plan.everything, plan.grouped, plan.finder, plan.protocol
    seed = int(settings["seed"])
    size = max((rung.recipe.data.size for rung in rungs if rung.recipe is not None), default=_SHOWN)
    images = load_images(everything, Framing(size), progress)
    posed = np.flatnonzero(images.collection.column("pose") != "")
    posts = Posts.of(images.collection.take(posed), grouped)
    notes: list[str] = []
    trials: dict[str, Trial] = {}
    for name in PROTOCOLS if protocol == "both" else (protocol,):
        pairs = (_QUICK_PAIRS, _QUICK_PAIRS) if settings["quick"] else (TEST_PAIRS, VALIDATION_PAIRS)
        try:
            trials[name] = make_trial(
                name, images.collection, posts, seed=seed, test_pairs=pairs[0], validation_pairs=pairs[1]
            )
        except DoppelgramError as problem:
            if protocol != "both" or name == PROTOCOLS[0]:
                raise
            reason = str(problem).removeprefix(f"{everything.root}: ")
            notes.append(f"The {name} protocol is left out: {reason}.")
            progress.note(notes[-1])
    sides = {rung.mask for rung in rungs if rung.mask}
    people = people_in(posts.collection.paths, finder, cache_folder() / "poses", progress) if sides else []
    nobody = sum(one is None or len(one) == 0 for one in people)
    if nobody:
        notes.append(f"No person was found in {nobody:,} of {len(people):,} posts; their skeleton masks are empty.")
    masks = {side: draw_masks(people, side) for side in sides}
    study = StudyData(posts, [images.hashes[row] for row in posed], masks, out, plan.weights, seed, progress)
    study.pixels_at[size] = images.pixels[posed]
    climbed: dict[str, dict[str, RungResult]] = {name: {} for name in trials}
    leaky: dict[str, RungResult] = {}

    def report() -> Path:
        # in the ladder's order, whatever order they were climbed in
        ordered = {
            name: {rung.key: each[rung.key] for rung in rungs if rung.key in each} for name, each in climbed.items()
        }
        pictures = _pictures(out, rungs, ordered, images.pixels[posed], masks)
        return write_ladder(out, Ladder(rungs, trials, ordered, leaky, settings, grouped, notes, pictures))

    def measure(rung: Rung, trial: Trial) -> RungResult:
        if rung.kind == "ready":
            return measure_ready(study, rung, trial)
        if rung.kind == "ours":
            return measure_ours(study, rung, trial, plan.data, plan.changes)
        return measure_rung(study, rung, trial)

    # What takes minutes comes first, and what takes long is written down rung by rung.
    quick_ones = [rung for rung in rungs if rung.frozen or rung.kind == "ready"]
    page = out
    later = sorted((rung for rung in rungs if rung not in quick_ones), key=lambda rung: rung.kind != "ours")
    for rung in [*quick_ones, *later]:
        for name, trial in trials.items():
            progress.note(f"{rung.title}, {name} protocol")
            try:
                climbed[name][rung.key] = measure(rung, trial)
            except Interrupted:
                raise
            except DoppelgramError as problem:
                if rung.kind not in ("ready", "ours"):
                    raise
                notes.append(f"“{rung.title}” is left out of the {name} protocol: {problem}.")
                progress.note(notes[-1])
        if rung.frozen and rung.kind == "pairs":
            leaky[rung.key] = measure_leaky(study, rung)
        if rung not in quick_ones or rung is quick_ones[-1]:
            page = report()
    return page


def _pictures(
    out: Path,
    rungs: Sequence[Rung],
    climbed: Mapping[str, Mapping[str, RungResult]],
    pixels: NDArray[np.uint8],
    masks: Mapping[int, NDArray[np.uint8]],
) -> list[tuple[Path, str]]:
    figures = out / "figures"
    caption = "Every rung with its 95 % interval; the test pairs' photographs were never trained on"
    made = [(write_figure(ladder_figure(rungs, climbed), figures / "ladder.png", dpi=130), caption)]
    for side, drawn in masks.items():
        file = figures / f"masks-{side}.png"
        with written_whole(file) as aside:
            Image.fromarray(masks_picture(pixels, drawn[:, 0])).save(aside)
        made.append((file, "Posts, and below each the pose mask that the networks see beside it"))
    return made
