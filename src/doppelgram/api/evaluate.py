"""Say how good a model is: on its own held-out part, on other images, or on a list of pairs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.api.folders import check_folder
from doppelgram.console import progress_bar
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.arrangements import evaluate_arrangement_pairs
from doppelgram.evaluation.evaluate import evaluate_pairs
from doppelgram.evaluation.judging import embed_collection, fitted_on, judge, own_threshold
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.images.report import quoted
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.bundle import load_model
from doppelgram.models.files import embed_files
from doppelgram.models.model import Model
from doppelgram.reports.evaluation import write_evaluation
from doppelgram.training.run import RUN_FILE, SPLIT_FILE, open_run


def evaluate(
    run: Path | str,
    *,
    gallery: Path | str | None = None,
    query: Path | str | None = None,
    pairs: Path | str | None = None,
    root: Path | str | None = None,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    out: Path | str | None = None,
    part: str = "",
    knn: int = 1,
    seed: int = 0,
    console: Console | None = None,
) -> EvaluationResult:
    """Evaluate a model.

    Without ``gallery`` and ``pairs`` the run's own images are used: its training part is the gallery, its test part
    (or ``part``) the queries. With a gallery alone each of its images is asked of the others. Images with the same
    bytes as a query are never its answer.

    Args:
        run: a run folder, or a model folder if ``gallery`` or ``pairs`` is given.
        gallery: folder or table of labelled images to find answers in.
        query: folder or table of labelled images to ask about.
        pairs: CSV with ``path_a,path_b,same``; the pair metrics are then of these pairs.
        root: where the CSV's relative paths start; its own folder by default.
        weights: for a model of places and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them, by default ``keypoints.json``
            beside the images.
        out: folder for ``metrics.json``, ``metrics.md``, ``details.json`` and figures.
        part: ``test``, ``val`` or ``train``: the part of the run's split to ask about.
        knn: number of neighbours that vote in k-NN classification.
        seed: of the drawn pairs and of the bootstrap.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: something given cannot be used, or there is nothing to evaluate.
    """
    console = console or Console(stderr=True)
    if query is not None and gallery is None:
        raise DoppelgramError("--query needs --gallery: the images in which the answers are looked for")
    if root is not None and pairs is None:
        raise DoppelgramError("--root goes with --pairs")
    if weights is not None and not Path(weights).expanduser().is_dir():
        raise DoppelgramError(f"{weights}: there is no such folder of weights")
    run = Path(run).expanduser()
    if out is not None:
        check_folder(Path(out).expanduser())
    model = load_model(run, weights=weights, keypoints=keypoints)
    settings: dict[str, Any] = {"model": model.fingerprint, "knn": knn, "seed": seed}
    results: list[EvaluationResult] = []
    if gallery is not None or pairs is None:
        results.append(_retrieval(model, run, gallery, query, part, knn, seed, settings, console))
    if pairs is not None:
        results.append(
            _given_pairs(
                model, Path(pairs).expanduser(), Path(root).expanduser() if root else None, seed, settings, console
            )
        )
    result = replace(_joined(results), settings=settings)
    if out is not None:
        write_evaluation(result, out)
    return result


def _joined(results: Sequence[EvaluationResult]) -> EvaluationResult:
    """Retrieval of the first, pairs of the last: pairs that were given stand before pairs that were drawn."""
    first, last = results[0], results[-1]
    if first is last:
        return first
    evidence = replace(
        first.evidence, distances=last.evidence.distances, same=last.evidence.same, threshold=last.evidence.threshold
    )
    drawn = {name: metric for name, metric in first.metrics.items() if not name.startswith(("pair_", "tar_"))}
    return EvaluationResult({**drawn, **last.metrics}, [*first.notes, *last.notes], evidence=evidence)


def _labelled(model: Model | ArrangementModel, data: Path | str) -> Collection:
    wanted = str(model.recipe.get("data", {}).get("label", ""))
    return read_collection(data, label=wanted).labelled()


def _retrieval(
    model: Model | ArrangementModel, run: Path, gallery: Path | str | None, query: Path | str | None, part: str,
    knn: int, seed: int, settings: dict[str, Any], console: Console,
) -> EvaluationResult:  # fmt: skip
    if gallery is None:
        return _own_part(model, run, part, knn, seed, settings, console)
    if part:
        raise DoppelgramError("--part is of the run's own images; it does not go with --gallery")
    threshold = own_threshold(model)
    answers = embed_collection(model, _labelled(model, gallery), console, what="gallery")
    settings["gallery"] = str(gallery)
    if query is None:
        notes = [f"Each image of {gallery} was asked of the others.", *_seen_before(run, answers.collection)]
        result = judge(model, answers, knn=knn, threshold=None if len(notes) > 1 else threshold, seed=seed)
        return replace(result, notes=[*notes, *result.notes])
    wanted = _labelled(model, query)
    settings["query"] = str(query)
    if not set(answers.collection.labels.tolist()) & set(wanted.labels.tolist()):
        raise DoppelgramError(f"{query} and {gallery} have no class in common, so no answer could be right")
    asked = embed_collection(model, wanted, console, what="queries")
    notes = [f"The images of {query} were asked of those of {gallery}.", *_seen_before(run, asked.collection)]
    result = judge(model, answers, asked, knn=knn, threshold=None if len(notes) > 1 else threshold, seed=seed)
    return replace(result, notes=[*notes, *result.notes])


def _seen_before(run: Path, asked: Collection) -> list[str]:
    """A note if images that are asked about helped to make the model: figures on them flatter."""
    if not (run / RUN_FILE).is_file() or not (run / SPLIT_FILE).is_file():
        return []
    own = open_run(run)
    root = own.data if own.data.is_dir() else own.data.parent
    used = {os.path.realpath(root / name) for name, part in own.split().parts.items() if part != "test"}
    count = sum(os.path.realpath(path) in used for path in asked.paths)
    if not count:
        return []
    return [
        f"{count} of the {len(asked)} images asked about were used to train or choose this model: its figures flatter."
    ]


def _own_part(
    model: Model | ArrangementModel, run: Path, part: str, knn: int, seed: int, settings: dict[str, Any],
    console: Console,
) -> EvaluationResult:  # fmt: skip
    if not (run / RUN_FILE).is_file():
        raise DoppelgramError(f"{run}: is a model without its run, so it has no images; give --gallery or --pairs")
    if part not in ("", "train", "val", "test"):
        raise DoppelgramError(f"--part is '{part}'; it is train, val or test")
    own = open_run(run)
    split = own.split()
    collection = own.collection()
    rows = split.rows(collection)
    chosen = part or ("test" if len(rows["test"]) else "val")
    if not len(rows[chosen]):
        which = f"{part} part" if part else "test part and no val part"
        raise DoppelgramError(f"{run}: its split has no {which} among the images that are there; give --gallery")
    part = settings["part"] = chosen
    wanted = np.sort(np.concatenate([rows["train"], rows[part]])) if part != "train" else rows["train"]
    found = embed_collection(model, collection.take(wanted), console)
    rows = split.rows(found.collection)
    threshold = own_threshold(model)
    if fitted_on(model) == part:
        threshold = None  # chosen on these very images: let it be chosen on one half of them and reported on the other
    queries, gallery = found.take(rows[part]), found.take(rows["train"])
    note = f"The {part} part of {run} was asked of its training part."
    if part == "val":
        note += " The epoch that was kept was chosen on these images."
    if part == "train" or not set(queries.collection.labels.tolist()) & set(gallery.collection.labels.tolist()):
        why = "" if part == "train" else ", since none of its classes is in the training part"
        note = f"Each image of the {part} part of {run} was asked of the others in it{why}."
        result = judge(model, queries, knn=knn, threshold=threshold, seed=seed)
    else:
        result = judge(model, gallery, queries, knn=knn, threshold=threshold, seed=seed)
    return replace(result, notes=[note, *result.notes])


def _given_pairs(
    model: Model | ArrangementModel, file: Path, root: Path | None, seed: int, settings: dict[str, Any],
    console: Console,
) -> EvaluationResult:  # fmt: skip
    left, right, same = read_pairs(file, root)
    paths: Sequence[Path] = sorted(set(left) | set(right))
    with progress_bar(console, "embedding pairs", len(paths)) as advance:
        loaded = embed_files(model, paths, progress=advance, keep_duplicates=True)
    loaded.report.raise_if_nothing_readable()
    place = {paths[position]: row for row, position in enumerate(loaded.kept.tolist())}
    usable = np.array([a in place and b in place for a, b in zip(left, right, strict=True)])
    notes = []
    if not usable.all():
        gone = next(p for a, b in zip(left, right, strict=True) for p in (a, b) if p not in place)
        left_out = f"{int((~usable).sum())} of {len(usable)} pairs left out"
        notes.append(f"{left_out}: an image could not be read, such as {quoted(str(gone))}")
        console.print(loaded.report.summary(), style="yellow", highlight=False, markup=False, soft_wrap=True)
    if not usable.any():
        raise DoppelgramError(f"{file}: not one pair could be read; are the paths relative to {root or file.parent}?")
    a = np.array([place[path] for path, use in zip(left, usable, strict=True) if use])
    b = np.array([place[path] for path, use in zip(right, usable, strict=True) if use])
    hashes = np.array(loaded.hashes)
    itself = hashes[a] == hashes[b]
    if itself.any():
        count = int(itself.sum())
        notes.append(f"{count:,} pair{'' if count == 1 else 's'} of an image with itself (the same bytes) left out.")
        a, b, usable = a[~itself], b[~itself], np.flatnonzero(usable)[~itself]
        if not len(a):
            raise DoppelgramError(f"{file}: every pair is of an image with itself")
    settings["pairs"] = str(file)
    first, second, ids = loaded.vectors[a], loaded.vectors[b], (hashes[a].tolist(), hashes[b].tolist())
    threshold = own_threshold(model)
    if isinstance(model, Model):
        distances = np.linalg.norm(first.astype(np.float64) - second, axis=1)
        result = evaluate_pairs(distances, same[usable], *ids, threshold=threshold, seed=seed)
    else:
        result = evaluate_arrangement_pairs(
            model.space, first, second, same[usable], *ids, threshold=threshold, seed=seed
        )
    return replace(result, notes=[*notes, *result.notes])
