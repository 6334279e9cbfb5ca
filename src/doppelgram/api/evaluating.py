"""Say how good a model is: on its own held-out part, on other images, or on a list of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from doppelgram.api.loading import Images, load_images, progress_bar
from doppelgram.api.run import RUN_FILE, open_run
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.readers import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.evaluate import evaluate_embeddings, evaluate_pairs
from doppelgram.evaluation.figures import write_figures
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.images.batch import load_pixels
from doppelgram.images.report import quoted
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model


def evaluate(
    run: Path | str,
    *,
    gallery: Path | str | None = None,
    query: Path | str | None = None,
    pairs: Path | str | None = None,
    root: Path | str | None = None,
    weights: Path | str | None = None,
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
        weights: folder with weights, for models that do not carry all of theirs (those of this version do).
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
    model = load_model(run)
    settings: dict[str, Any] = {"model": model.fingerprint, "knn": knn, "seed": seed}
    results: list[EvaluationResult] = []
    if gallery is not None or pairs is None:
        results.append(_retrieval(model, Path(run), gallery, query, part, knn, seed, settings, console))
    if pairs is not None:
        results.append(_given_pairs(model, Path(pairs), Path(root) if root else None, seed, settings, console))
    result = replace(_joined(results), settings=settings)
    if out is not None:
        result.write(Path(out))
        write_figures(Path(out), result)
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


def _embed(model: Model, images: Images, console: Console, what: str) -> np.ndarray[Any, Any]:
    with progress_bar(console, f"embedding {what}", len(images.pixels)) as advance:
        return model.embed_pixels(images.pixels, progress=advance)


def _labelled(model: Model, data: Path | str) -> Collection:
    wanted = str(model.recipe.get("data", {}).get("label", ""))
    return read_collection(data, label=wanted).labelled()


def _retrieval(
    model: Model, run: Path, gallery: Path | str | None, query: Path | str | None, part: str, knn: int, seed: int,
    settings: dict[str, Any], console: Console,
) -> EvaluationResult:  # fmt: skip
    threshold = model.calibration.threshold if model.calibration else None
    if gallery is not None:
        if part:
            raise DoppelgramError("--part is of the run's own images; it does not go with --gallery")
        answers = load_images(_labelled(model, gallery), model.framing, console, what="gallery")
        found = _embed(model, answers, console, "gallery")
        settings["gallery"] = str(gallery)
        if query is None:
            return evaluate_embeddings(
                found, answers.collection.labels, gallery_ids=answers.hashes,
                knn=knn, threshold=threshold, seed=seed,
            )  # fmt: skip
        asked = load_images(_labelled(model, query), model.framing, console, what="queries")
        settings["query"] = str(query)
        return evaluate_embeddings(
            found, answers.collection.labels, _embed(model, asked, console, "queries"), asked.collection.labels,
            gallery_ids=answers.hashes, query_ids=asked.hashes, knn=knn, threshold=threshold, seed=seed,
        )  # fmt: skip

    if not (run / RUN_FILE).is_file():
        raise DoppelgramError(
            f"{run}: is a model without its run, which has no images of its own; give --gallery or --pairs"
        )
    own = open_run(run)
    split = own.split()
    counts = split.counts()
    part = part or ("test" if counts.get("test") else "val")
    if part not in ("train", "val", "test"):
        raise DoppelgramError(f"--part is '{part}'; it is train, val or test")
    if not counts.get(part):
        raise DoppelgramError(
            f"{run}: its split has no {part} part; name another --part, or give --gallery and --query"
        )
    collection = own.collection()
    rows = split.rows(collection)
    wanted = np.sort(np.concatenate([rows["train"], rows[part]])) if part != "train" else rows["train"]
    images = load_images(collection.take(wanted), model.framing, console)
    found = _embed(model, images, console, "images")
    rows = split.rows(images.collection)
    labels, hashes = images.collection.labels, np.array(images.hashes)
    settings["part"] = part
    if part == "train":
        return evaluate_embeddings(found, labels, gallery_ids=images.hashes, knn=knn, threshold=threshold, seed=seed)
    if model.calibration is not None and model.calibration.fitted_on == part:
        threshold = None  # chosen on these very images: let it be chosen on one half of them and reported on the other
    gallery_rows, query_rows = rows["train"], rows[part]
    return evaluate_embeddings(
        found[gallery_rows], labels[gallery_rows], found[query_rows], labels[query_rows],
        gallery_ids=hashes[gallery_rows], query_ids=hashes[query_rows], knn=knn, threshold=threshold, seed=seed,
    )  # fmt: skip


def _given_pairs(
    model: Model, file: Path, root: Path | None, seed: int, settings: dict[str, Any], console: Console
) -> EvaluationResult:
    left, right, same = read_pairs(file, root)
    paths: Sequence[Path] = sorted(set(left) | set(right))
    with progress_bar(console, "reading pairs", len(paths)) as advance:
        loaded = load_pixels(paths, model.framing, progress=advance, keep_duplicates=True)
    loaded.report.raise_if_nothing_readable()
    with progress_bar(console, "embedding pairs", len(loaded.pixels)) as advance:
        found = model.embed_pixels(loaded.pixels, progress=advance).astype(np.float64)
    place = {paths[position]: row for row, position in enumerate(loaded.kept.tolist())}
    usable = np.array([a in place and b in place for a, b in zip(left, right, strict=True)])
    notes = []
    if not usable.all():
        gone = next(p for a, b in zip(left, right, strict=True) for p in (a, b) if p not in place)
        left_out = f"{int((~usable).sum())} of {len(usable)} pairs left out"
        notes.append(f"{left_out}: an image could not be read, such as {quoted(str(gone))}")
        console.print(loaded.report.summary(), style="yellow", highlight=False, markup=False)
    if not usable.any():
        raise DoppelgramError(f"{file}: not one pair could be read; are the paths relative to {root or file.parent}?")
    a = np.array([place[path] for path, use in zip(left, usable, strict=True) if use])
    b = np.array([place[path] for path, use in zip(right, usable, strict=True) if use])
    distances = np.linalg.norm(found[a] - found[b], axis=1)
    hashes = np.array(loaded.hashes)
    threshold = model.calibration.threshold if model.calibration else None
    settings["pairs"] = str(file)
    result = evaluate_pairs(
        distances, same[usable], hashes[a].tolist(), hashes[b].tolist(), threshold=threshold, seed=seed
    )
    return replace(result, notes=[*notes, *result.notes])
