"""The images that a model gets most wrong, for a person who wants to clean the data."""

from __future__ import annotations

import csv as csv_format
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import JOIN, Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.evaluation.collection import embed_collection
from doppelgram.files import keep_inputs, written_whole
from doppelgram.images.read import Photograph
from doppelgram.label_errors.duplicates import appearance, copies
from doppelgram.label_errors.find import KINDS, Kind, LabelError, find_label_errors
from doppelgram.label_errors.neighbourhood import LabelledImages
from doppelgram.models.bundle import load_model
from doppelgram.reports.contact_sheet import Card, Picture, Section, draw_contact_sheet
from doppelgram.space.exact import Float32
from doppelgram.training.run import RUN_FILE, open_run

T = TypeVar("T")

HEADINGS: Mapping[Kind, tuple[str, str]] = {
    "label": (
        "Suspected label errors",
        "The image's neighbours agree on another class. Beside it: the nearest of that class, then the nearest of its "
        "own.",
    ),
    "copy": (
        "Copies",
        "The same photograph under different labels (first), or in different parts of the split.",
    ),
    "pair": (
        "Nearest wrong pairs",
        "Two images of different classes that the metric holds to be alike.",
    ),
    "outlier": (
        "Outliers",
        "Images far from the others of their class. Beside each: the most typical of its class, then the nearest.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One row of the answer and of the CSV.

    Attributes:
        category: ``label``, ``copy``, ``pair`` or ``outlier``.
        rank: 1 is the worst of its category.
        score: 0 to 1, comparable within a category; see `doppelgram.label_errors.find.find_label_errors`.
        path: the image, as the collection spells it.
        label: its label.
        part: its part of the run's split; empty where there is none.
        suggested: the class that it probably belongs to, for suspected label errors.
        other_path: the image that tells most beside it.
        other_label: that image's label.
        other_part: that image's part.
        distance: between the two embeddings; None without another image.
        reason: what was found, in a sentence.
    """

    category: Kind
    rank: int
    score: float
    path: str
    label: str
    part: str
    suggested: str
    other_path: str
    other_label: str
    other_part: str
    distance: float | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON writes it."""
        return asdict(self)


@dataclass(frozen=True)
class LabelErrors:
    """What was found among how many images, the categories in order, each with its worst first."""

    images: int
    findings: Sequence[Finding]
    notes: Sequence[str] = ()

    def counts(self) -> dict[str, int]:
        """Number of findings of each category."""
        listed = [finding.category for finding in self.findings]
        return {kind: listed.count(kind) for kind in KINDS}

    def worst(self, most: int) -> list[Finding]:
        """So many findings, as evenly of each category as there are."""
        return _shared_out([[one for one in self.findings if one.category == kind] for kind in KINDS], most)


def list_label_errors(
    run: Path | str,
    data: Path | str | None = None,
    *,
    part: str = "all",
    out: Path | str | None = None,
    csv: Path | str | None = None,
    most: int = 40,
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    progress: Progress | None = None,
) -> LabelErrors:
    """Find suspected label errors, copies, wrong pairs and outliers with a trained model.

    Args:
        run: run folder, or a model folder if ``data`` is given.
        data: folder or table of labelled images; by default all images of the run.
        part: ``train``, ``val`` or ``test`` reports on that part of the run alone (all others still are neighbours).
        out: PNG for a contact sheet.
        csv: CSV for all findings.
        most: findings on the contact sheet, shared out among the categories.
        weights: for a model of parts and poses: folder in which what finds people is looked up first.
        keypoints: for one that takes ready-made keypoints: the file that holds them.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: no such model or images, a part that is not there, or a file that cannot be written.
    """
    progress = progress or TerminalProgress()
    run = Path(run).expanduser()
    out, csv = (Path(file).expanduser() if file is not None else None for file in (out, csv))
    if out is not None and out.suffix.lower() != ".png":
        raise DoppelgramError(f"{out}: a contact sheet is a PNG; let its name end in .png")
    if part not in ("all", "train", "val", "test"):
        raise DoppelgramError(f"--part is '{part}'; it is train, val, test or all")
    if most < 1:
        raise DoppelgramError(f"-n is {most}; ask for 1 finding or more")
    model = load_model(run, weights=weights, keypoints=keypoints)
    collection, parts = _images(run, data, part, str(model.recipe.get("data", {}).get("label", "")))
    keep_inputs([file for file in (out, csv) if file is not None], [Path(data or run), *collection.paths])
    part_of = dict(zip(collection.names, parts.tolist(), strict=True))
    # Copies are what is looked for here, so they are kept.
    found = embed_collection(model, collection, progress, keep_duplicates=True, note=_appearance)
    collection = found.collection
    parts = np.array([part_of[name] for name in collection.names], dtype=np.str_)
    requested = None if part == "all" else parts == part
    images = LabelledImages(found.space, found.vectors, collection.labels, found.hashes, parts, requested)
    errors = find_label_errors(images, copies(found.hashes, np.stack(found.notes)))
    notes = []
    if (np.isin(parts, ("train", "extra"))).any():
        notes.append(
            "Training draws an image to the others of its label, so errors among training images hide; "
            "to bring more of them out, train on the other parts or stop earlier."
        )
    answer = LabelErrors(len(collection), _findings(errors, collection, parts), notes)
    if csv is not None:
        _write_csv(answer.findings, csv)
    if out is not None:
        subtitle = f"{len(collection):,} images of {run}" + (f", the {part} part" if part != "all" else "")
        sections = _sections(errors, collection, parts, most)
        draw_contact_sheet("What the metric gets most wrong", subtitle, sections, out)
    return answer


def _images(run: Path, data: Path | str | None, part: str, label: str) -> tuple[Collection, np.ndarray[Any, Any]]:
    """The labelled images and the part of each, empty where there is no split."""
    if data is not None:
        if part != "all":
            raise DoppelgramError("--part is of the run's own images; it does not go with DATA")
        collection = read_collection(data, label=label).labelled()
        return collection, np.full(len(collection), "", dtype="<U5")
    if not (run / RUN_FILE).is_file():
        raise DoppelgramError(f"{run}: is a model without its run, so it has no images; give DATA")
    own = open_run(run)
    collection = own.collection()
    rows = own.split().rows(collection)
    parts = np.full(len(collection), "", dtype="<U5")
    for name in PARTS:
        parts[rows[name]] = name
    if part != "all" and not len(rows[part]):
        raise DoppelgramError(f"{run}: its split has no {part} part among the images that are there")
    return collection, parts


def _appearance(photograph: Photograph) -> Float32:
    """What a photograph looks like from afar, (768,)."""
    pixels: Any = photograph.pixels
    found: Float32 = appearance(pixels[None])[0]
    return found


def _findings(
    errors: Mapping[Kind, Sequence[LabelError]], collection: Collection, parts: np.ndarray[Any, Any]
) -> list[Finding]:
    names, labels = collection.names, collection.labels.tolist()
    findings = []
    for kind in KINDS:
        for rank, error in enumerate(errors[kind], start=1):
            row, other = error.row, error.others[0] if error.others else None
            findings.append(
                Finding(
                    kind, rank, round(error.score, 4), names[row], labels[row], str(parts[row]), error.suggested,
                    "" if other is None else names[other],
                    "" if other is None else labels[other],
                    "" if other is None else str(parts[other]),
                    None if math.isnan(error.distance) else round(error.distance, 4),
                    error.reason,
                )
            )  # fmt: skip
    return findings


def _write_csv(findings: Sequence[Finding], file: Path) -> None:
    with written_whole(file) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv_format.DictWriter(stream, [field.name for field in fields(Finding)])
        writer.writeheader()
        writer.writerows(finding.to_dict() for finding in findings)


def _shared_out(kinds: Sequence[Sequence[T]], most: int) -> list[T]:
    """The first of each kind, then the second of each, and so on."""
    return [one for turn in zip_longest(*kinds) for one in turn if one is not None][:most]


def _sections(
    errors: Mapping[Kind, Sequence[LabelError]], collection: Collection, parts: np.ndarray[Any, Any], most: int
) -> list[Section]:
    """The worst of each kind, as evenly many of each as there are."""
    shown = set(map(id, _shared_out([errors[kind] for kind in KINDS], most)))
    paths, names, labels = collection.paths, collection.names, collection.labels.tolist()

    def picture(row: int) -> Picture:
        return Picture(paths[row], " · ".join(labels[row].split(JOIN)), str(parts[row]))

    sections = []
    for kind in KINDS:
        title, about = HEADINGS[kind]
        cards = [
            Card(
                picture(error.row), [picture(other) for other in error.others],
                _title(error, labels), error.reason, names[error.row],
            )
            for error in errors[kind] if id(error) in shown
        ]  # fmt: skip
        total = len(errors[kind])
        number = "none found" if not total else f"{len(cards):,} of {total:,}" if len(cards) < total else f"{total:,}"
        sections.append(Section(f"{title}: {number}", about if total else "Nothing stands out.", cards))
    return sections


def _title(error: LabelError, labels: Sequence[str]) -> str:
    label = " · ".join(labels[error.row].split(JOIN))
    other = " · ".join(labels[error.others[0]].split(JOIN)) if error.others else ""
    return {
        "label": f"{label}: rather {' · '.join(error.suggested.split(JOIN))}?  ({error.score:.2f})",
        "copy": f"{label} = {other}" if label != other else f"{label}, twice",
        "pair": f"{label} or {other}?",
        "outlier": f"{label}: is it one?  ({error.score:.2f})",
    }[error.kind]
