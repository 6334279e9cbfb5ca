"""Compare two photographs by place and pose, and say why: in words, in numbers, and in a picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from doppelgram.api.chosen import chosen_model
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import keep_inputs
from doppelgram.models.arrangement import require_arrangement
from doppelgram.models.bundle import load_model
from doppelgram.models.finder_settings import READY_MADE, FinderSettings
from doppelgram.models.ready_made.registry import READY_MADE as READY_MADE_MODELS
from doppelgram.reports.crops import check_png
from doppelgram.reports.pair import (
    ImageComparison,
    bars_of_model,
    bars_of_skeleton,
    both_sides,
    by_model,
    by_skeleton,
    compared_by,
    photographs_with_people,
    picture_of,
    with_view,
)
from doppelgram.reports.pair_picture import draw_comparison
from doppelgram.saliency.arrangement import arrangement_saliency
from doppelgram.saliency.maps import PairSaliency
from doppelgram.training.run import Run
from doppelgram.view.finder import asked_view


def compare_images(
    image_a: Path | str,
    image_b: Path | str,
    *,
    model: Run | Path | str | None = None,
    out: Path | str | None = None,
    estimator: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
    view: bool | None = None,
    saliency: bool = True,
) -> ImageComparison:
    """Compare two photographs by place and pose.

    By an estimator or keypoints in place of a model only the skeletons are compared, limb by limb, and nothing is said
    of the place.

    Args:
        image_a: a photograph.
        image_b: another.
        model: run, run or model folder, or name of a ready-made model, of places and poses. By default
            ``arrangements``, if no estimator and no keypoints are given.
        out: PNG to draw photographs, skeletons, scores and reasons into.
        estimator: what finds people, to compare skeletons alone.
        weights: folder in which the weights of what finds people are looked up first.
        keypoints: file of ready-made keypoints, likewise.
        progress: where remarks go; the terminal by default.
        view: whether matched points are looked for, which tell whether both show the same view; by default where the
            extra ``view`` is installed.
        saliency: whether the picture shows which parts of both places and which joints bring them together.

    Raises:
        DoppelgramError: an image cannot be read, the model is of another kind, or what finds people or points cannot
            be run.
    """
    paths = [Path(image).expanduser() for image in (image_a, image_b)]
    if out is not None:
        keep_inputs([check_png(out)], paths)
    names = str(image_a), str(image_b)
    progress = progress or TerminalProgress()
    if model is None and not estimator and keypoints is None and "arrangements" in READY_MADE_MODELS:
        model = chosen_model(None, "arrangements", progress)
    views = asked_view(view, weights)
    maps: PairSaliency | None = None
    if model is None:
        settings = FinderSettings(estimator or (READY_MADE if keypoints else "movenet"))
        photographs = photographs_with_people(settings, weights, keypoints, paths, names)
        answer, reasons, which = by_skeleton(photographs)
        bars = bars_of_skeleton(answer)
        footer = f"Skeletons by {settings.estimator}, compared without training. A model adds place and probabilities."
    else:
        if estimator:
            raise DoppelgramError("--estimator goes without --model: a model brings the one that it was trained with")
        loaded = require_arrangement(
            load_model(model, weights=weights, keypoints=keypoints),
            f"{model}: this model compares whole images, not place and pose; use verify",
        )
        photographs, compared = compared_by(loaded, paths, names)
        answer, reasons, which = by_model(loaded, photographs, compared)
        bars = bars_of_model(answer)
        if out is not None and saliency:
            maps = arrangement_saliency(loaded, both_sides(photographs), progress=progress)
        footer = (
            f"Model {loaded.fingerprint[:8]} ({Path(model).name}), people by {loaded.finder_settings.estimator}. "
            "Probabilities of place and pose hold against an even chance, "
            "that of both if every second pair were the same."
        )
    matched = views.compare([(paths[0], paths[1])])[0] if views is not None else None
    if matched is not None:
        answer = with_view(answer, matched, asked=bool(view))
    if out is not None:
        picture = picture_of(answer, photographs, reasons, which, bars, footer)
        drawn = replace(picture, view=matched if matched is not None and matched.said else None, saliency=maps)
        draw_comparison(drawn, Path(out).expanduser())
        answer = replace(answer, picture=str(out))
    return answer
