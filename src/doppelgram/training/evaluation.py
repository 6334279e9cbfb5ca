"""One model evaluated: on its run's own images, on others, or on a list of pairs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from doppelgram.console import Progress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import EmbeddedCollection, embed_collection, evaluate_collections
from doppelgram.evaluation.evaluate import evaluate_pairs
from doppelgram.evaluation.folds import fold_accuracies, fold_note
from doppelgram.evaluation.result import EvaluationResult
from doppelgram.images.report import quoted
from doppelgram.models.embed_files import embed_files
from doppelgram.models.embedder import Embedder
from doppelgram.training.run import RUN_FILE, SPLIT_FILE, open_run


@dataclass
class ModelEvaluation:
    """One model being evaluated; ``settings`` says in the end what was done."""

    model: Embedder
    run: Path
    knn: int
    seed: int
    progress: Progress
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def has_run(self) -> bool:
        """Whether the model lies in the run that made it; a ready-made one does not, whatever folder has its name."""
        return self.model.origin is None and (self.run / RUN_FILE).is_file()

    def __post_init__(self) -> None:
        self.settings |= {"model": self.model.fingerprint, "knn": self.knn, "seed": self.seed}

    def in_gallery(self, gallery: Collection | Path | str, query: Collection | Path | str | None) -> EvaluationResult:
        """Other images than the run's, looked for among each other or in a gallery."""
        found = self._embedded(self._read(gallery), "gallery")
        self.settings["gallery"] = str(gallery)
        if query is None:
            notes = [f"Each image of {gallery} was looked for among the others.", *self._seen_before(found.collection)]
            return self._evaluated(found, None, notes, trusted=len(notes) == 1)
        wanted = self._read(query)
        self.settings["query"] = str(query)
        if not set(found.collection.labels.tolist()) & set(wanted.labels.tolist()):
            raise DoppelgramError(f"{query} and {gallery} have no class in common, so no answer could be right")
        queries = self._embedded(wanted, "queries")
        notes = [
            f"The images of {query} were looked for among those of {gallery}.",
            *self._seen_before(queries.collection),
        ]
        return self._evaluated(found, queries, notes, trusted=len(notes) == 1)

    def own_part(self, part: str) -> EvaluationResult:
        """One part of the run's own images, looked for in its training part if they have classes in common."""
        if not self.has_run:
            raise DoppelgramError(
                f"{self.run}: is a model without its run, so it has no images; give --gallery or --pairs"
            )
        if part not in ("", "train", "val", "test"):
            raise DoppelgramError(f"--part is '{part}'; it is train, val or test")
        own = open_run(self.run)
        split, collection = own.split(), own.collection()
        rows = split.rows(collection)
        chosen = part or ("test" if len(rows["test"]) else "val")
        if not len(rows[chosen]):
            which = f"{part} part" if part else "test part and no val part"
            raise DoppelgramError(
                f"{self.run}: its split has no {which} among the images that are there; give --gallery"
            )
        self.settings["part"] = chosen
        wanted = np.sort(np.concatenate([rows["train"], rows[chosen]])) if chosen != "train" else rows["train"]
        found = self._embedded(collection.take(wanted), "images")
        rows = split.rows(found.collection)
        queries, gallery = found.take(rows[chosen]), found.take(rows["train"])
        note = f"The {chosen} part of {self.run} was looked for in its training part."
        if chosen == "val":
            note += " The epoch that was kept was chosen on these images."
        # A threshold that was chosen on these very images is chosen anew on one half and reported on the other.
        trusted = self.model.space.fitted_on != chosen
        if chosen == "train" or not set(queries.collection.labels.tolist()) & set(gallery.collection.labels.tolist()):
            why = "" if chosen == "train" else ", since none of its classes is in the training part"
            note = f"Each image of the {chosen} part of {self.run} was looked for among the others in it{why}."
            return self._evaluated(queries, None, [note], trusted=trusted)
        return self._evaluated(gallery, queries, [note], trusted=trusted)

    def given_pairs(self, file: Path, root: Path | None) -> EvaluationResult:
        """Pairs of photographs whose answer a file knows."""
        left, right, same, fold = read_pairs(file, root)
        paths: Sequence[Path] = sorted(set(left) | set(right))
        with self.progress.bar("embedding pairs", len(paths)) as advance:
            loaded = embed_files(self.model, paths, progress=advance, keep_duplicates=True)
        loaded.report.raise_if_nothing_readable()
        row_of = {paths[position]: row for row, position in enumerate(loaded.kept.tolist())}
        usable = np.array([a in row_of and b in row_of for a, b in zip(left, right, strict=True)])
        notes = []
        if not usable.all():
            gone = next(p for a, b in zip(left, right, strict=True) for p in (a, b) if p not in row_of)
            left_out = f"{int((~usable).sum())} of {len(usable)} pairs left out"
            notes.append(f"{left_out}: an image could not be read, such as {quoted(str(gone))}")
            self.progress.warning(loaded.report.summary())
        if not usable.any():
            raise DoppelgramError(
                f"{file}: not one pair could be read; are the paths relative to {root or file.parent}?"
            )
        a, b = (
            np.array([row_of[path] for path, use in zip(side, usable, strict=True) if use]) for side in (left, right)
        )
        hashes = np.array(loaded.hashes)
        itself = hashes[a] == hashes[b]
        if itself.any():
            count = int(itself.sum())
            notes.append(
                f"{count:,} pair{'' if count == 1 else 's'} of an image with itself (the same bytes) left out."
            )
            a, b, usable = a[~itself], b[~itself], np.flatnonzero(usable)[~itself]
            if not len(a):
                raise DoppelgramError(f"{file}: every pair is of an image with itself")
        self.settings["pairs"] = str(file)
        space = self.model.space.adapted(loaded.vectors)
        compared = space.compare(loaded.vectors[a], loaded.vectors[b])
        if fold is not None and len(np.unique(fold[usable])) > 1:
            notes.append(fold_note(fold_accuracies(compared.distance, same[usable], fold[usable])))
        result = evaluate_pairs(
            compared,
            same[usable],
            hashes[a].tolist(),
            hashes[b].tolist(),
            threshold=space.threshold,
            seed=self.seed,
        )
        return replace(result, notes=[*notes, *result.notes])

    def _read(self, data: Collection | Path | str) -> Collection:
        return as_collection(data, label=str(self.model.recipe.get("data", {}).get("label", ""))).labelled()

    def _embedded(self, collection: Collection, what: str) -> EmbeddedCollection:
        return embed_collection(self.model, collection, self.progress, what=what)

    def _evaluated(
        self,
        gallery: EmbeddedCollection,
        queries: EmbeddedCollection | None,
        notes: Sequence[str],
        *,
        trusted: bool,
    ) -> EvaluationResult:
        threshold = self.model.space.threshold if trusted else None
        result = evaluate_collections(gallery, queries, knn=self.knn, threshold=threshold, seed=self.seed)
        return replace(result, notes=[*notes, *result.notes])

    def _seen_before(self, queries: Collection) -> list[str]:
        """A note if images that are looked for helped to make the model: figures on them flatter."""
        if not self.has_run or not (self.run / SPLIT_FILE).is_file():
            return []
        own = open_run(self.run)
        root = own.data if own.data.is_dir() else own.data.parent
        used = {os.path.realpath(root / name) for name, part in own.split().parts.items() if part != "test"}
        count = sum(os.path.realpath(path) in used for path in queries.paths)
        if not count:
            return []
        return [
            f"{count} of the {len(queries)} images looked for were used to train or choose this model: its figures "
            "flatter."
        ]


def joined(results: Sequence[EvaluationResult]) -> EvaluationResult:
    """Retrieval of the first, pairs of the last: pairs that were given stand before pairs that were drawn."""
    first, last = results[0], results[-1]
    if first is last:
        return first
    evidence = replace(
        first.evidence, distances=last.evidence.distances, same=last.evidence.same, threshold=last.evidence.threshold
    )
    drawn = {name: metric for name, metric in first.metrics.items() if not name.startswith(("pair_", "tar_"))}
    held = {**first.reliability, **last.reliability}
    return EvaluationResult({**drawn, **last.metrics}, [*first.notes, *last.notes], {}, held, evidence)
