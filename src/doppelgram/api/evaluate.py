"""Say how good a model is: on its own held-out part, on other images, or on a list of pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.files import check_folder
from doppelgram.models.bundle import load_model
from doppelgram.reports.evaluation import write_evaluation
from doppelgram.training.evaluation import ModelEvaluation, joined
from doppelgram.training.run import Run


def evaluate(
    run: Run | Path | str,
    *,
    gallery: Collection | Path | str | None = None,
    query: Collection | Path | str | None = None,
    pairs: Path | str | None = None,
    root: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    out: Path | str | None = None,
    part: str = "",
    knn: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> EvaluationResult:
    """Evaluate a model.

    Without ``gallery`` and ``pairs`` the run's own images are used: its training part is the gallery, its test part
    (or ``part``) the queries. With a gallery alone each of its images is looked for among the others. Images with the
    same bytes as a query are never its answer.

    Args:
        run: a run or its folder, or if ``gallery`` or ``pairs`` is given a model folder or the name of a ready-made
            model.
        gallery: labelled images to find answers in: a folder, a table or a collection.
        query: likewise, labelled images to look for.
        pairs: CSV with ``path_a,path_b,same``; the pair metrics are then of these pairs.
        root: where the CSV's relative paths start; its own folder by default.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them, by default ``keypoints.json``
            beside the images.
        out: folder for ``metrics.json``, ``metrics.md``, ``details.json`` and figures.
        part: ``test``, ``val`` or ``train``: the part of the run's split to look for.
        knn: number of neighbours that vote in k-NN classification.
        seed: of the drawn pairs and of the bootstrap.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or there is nothing to evaluate.
    """
    if query is not None and gallery is None:
        raise DoppelgramError("--query needs --gallery: the images in which the answers are looked for")
    if root is not None and pairs is None:
        raise DoppelgramError("--root goes with --pairs")
    if weights is not None and not Path(weights).expanduser().is_dir():
        raise DoppelgramError(f"{weights}: there is no such folder of weights")
    if gallery is not None and part:
        raise DoppelgramError("--part is of the run's own images; it does not go with --gallery")
    if out is not None:
        check_folder(Path(out).expanduser())
    model = load_model(run, weights=weights, keypoints=keypoints)
    this = ModelEvaluation(model, Path(run).expanduser(), knn, seed, progress or TerminalProgress())
    results: list[EvaluationResult] = []
    if gallery is not None:
        results.append(this.in_gallery(gallery, query))
    elif pairs is None:
        results.append(this.own_part(part))
    if pairs is not None:
        results.append(this.given_pairs(Path(pairs).expanduser(), Path(root).expanduser() if root else None))
    result = replace(joined(results), settings=this.settings)
    if out is not None:
        write_evaluation(result, out)
    return result
