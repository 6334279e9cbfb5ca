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
from rich.console import Console

from doppelgram.console import progress_bar
from doppelgram.dataset.collection import JOIN, Collection
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import PARTS
from doppelgram.errors import DoppelgramError
from doppelgram.files import keep_inputs, written_whole
from doppelgram.images.batch import load_pixels
from doppelgram.label_errors.duplicates import appearance, copies
from doppelgram.label_errors.find import KINDS, Kind, Mistake, find_mistakes
from doppelgram.models.bundle import load_image_model
from doppelgram.reports.contact_sheet import Card, Picture, Section, draw_contact_sheet
from doppelgram.training.run import RUN_FILE, open_run

T = TypeVar("T")

HEADINGS: Mapping[Kind, tuple[str, str]] = {
    "label": (
        "Suspected label mistakes",
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
        score: 0 to 1, comparable within a category; see `doppelgram.label_errors.find.find_mistakes`.
        path: the image, as the collection spells it.
        label: its label.
        part: its part of the run's split; empty where there is none.
        suggested: the class that it probably belongs to, for suspected label mistakes.
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
class Mistakes:
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


def list_mistakes(
    run: Path | str,
    data: Path | str | None = None,
    *,
    part: str = "all",
    out: Path | str | None = None,
    csv: Path | str | None = None,
    most: int = 40,
    console: Console | None = None,
) -> Mistakes:
    """Find suspected label mistakes, copies, wrong pairs and outliers with a trained model.

    Args:
        run: run folder, or a model folder if ``data`` is given.
        data: folder or table of labelled images; by default all images of the run.
        part: ``train``, ``val`` or ``test`` reports on that part of the run alone (all others still are neighbours).
        out: PNG for a contact sheet.
        csv: CSV for all findings.
        most: findings on the contact sheet, shared out among the categories.
        console: where progress is shown; standard error by default.

    Raises:
        DoppelgramError: no such model or images, a part that is not there, or a file that cannot be written.
    """
    console = console or Console(stderr=True)
    run = Path(run).expanduser()
    out, csv = (Path(file).expanduser() if file is not None else None for file in (out, csv))
    if out is not None and out.suffix.lower() != ".png":
        raise DoppelgramError(f"{out}: a contact sheet is a PNG; let its name end in .png")
    if part not in ("all", "train", "val", "test"):
        raise DoppelgramError(f"--part is '{part}'; it is train, val, test or all")
    if most < 1:
        raise DoppelgramError(f"-n is {most}; ask for 1 finding or more")
    model = load_image_model(run, "errors")
    collection, places = _images(run, data, part, str(model.recipe.get("data", {}).get("label", "")))
    for note in collection.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    keep_inputs([file for file in (out, csv) if file is not None], [Path(data or run), *collection.paths])
    with progress_bar(console, "reading images", len(collection)) as advance:
        # Copies are what is looked for here, so they are kept.
        loaded = load_pixels(collection.paths, model.framing, progress=advance, keep_duplicates=True)
    loaded.report.raise_if_nothing_readable()
    if loaded.report.problems():
        console.print(loaded.report.summary(), style="yellow", highlight=False, markup=False, soft_wrap=True)
    collection, places = collection.take(loaded.kept), places[loaded.kept]
    with progress_bar(console, "embedding images", len(loaded.pixels)) as advance:
        found = model.embed_pixels(loaded.pixels, progress=advance)
    content = np.array(loaded.hashes)
    mistakes = find_mistakes(
        found, collection.labels, content, copies(content, appearance(loaded.pixels)),
        parts=places, asked=None if part == "all" else places == part,
    )  # fmt: skip
    notes = []
    if (np.isin(places, ("train", "extra"))).any():
        notes.append(
            "Training draws an image to the others of its label, so mistakes among training images hide; "
            "to bring more of them out, train on the other parts or stop earlier."
        )
    answer = Mistakes(len(collection), _findings(mistakes, collection, places), notes)
    if csv is not None:
        _write_csv(answer.findings, csv)
    if out is not None:
        subtitle = f"{len(collection):,} images of {run}" + (f", the {part} part" if part != "all" else "")
        sections = _sections(mistakes, collection, places, most)
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
    places = np.full(len(collection), "", dtype="<U5")
    for name in PARTS:
        places[rows[name]] = name
    if part != "all" and not len(rows[part]):
        raise DoppelgramError(f"{run}: its split has no {part} part among the images that are there")
    return collection, places


def _findings(
    mistakes: Mapping[Kind, Sequence[Mistake]], collection: Collection, places: np.ndarray[Any, Any]
) -> list[Finding]:
    names, labels = collection.names, collection.labels.tolist()
    findings = []
    for kind in KINDS:
        for rank, mistake in enumerate(mistakes[kind], start=1):
            row, other = mistake.row, mistake.others[0] if mistake.others else None
            findings.append(
                Finding(
                    kind, rank, round(mistake.score, 4), names[row], labels[row], str(places[row]), mistake.suggested,
                    "" if other is None else names[other],
                    "" if other is None else labels[other],
                    "" if other is None else str(places[other]),
                    None if math.isnan(mistake.distance) else round(mistake.distance, 4),
                    mistake.reason,
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
    mistakes: Mapping[Kind, Sequence[Mistake]], collection: Collection, places: np.ndarray[Any, Any], most: int
) -> list[Section]:
    """The worst of each kind, as evenly many of each as there are."""
    shown = set(map(id, _shared_out([mistakes[kind] for kind in KINDS], most)))
    paths, names, labels = collection.paths, collection.names, collection.labels.tolist()

    def picture(row: int) -> Picture:
        return Picture(paths[row], " · ".join(labels[row].split(JOIN)), str(places[row]))

    sections = []
    for kind in KINDS:
        title, about = HEADINGS[kind]
        cards = [
            Card(
                picture(mistake.row), [picture(other) for other in mistake.others],
                _title(mistake, labels), mistake.reason, names[mistake.row],
            )
            for mistake in mistakes[kind] if id(mistake) in shown
        ]  # fmt: skip
        total = len(mistakes[kind])
        number = "none found" if not total else f"{len(cards):,} of {total:,}" if len(cards) < total else f"{total:,}"
        sections.append(Section(f"{title}: {number}", about if total else "Nothing stands out.", cards))
    return sections


def _title(mistake: Mistake, labels: Sequence[str]) -> str:
    label = " · ".join(labels[mistake.row].split(JOIN))
    other = " · ".join(labels[mistake.others[0]].split(JOIN)) if mistake.others else ""
    return {
        "label": f"{label}: rather {' · '.join(mistake.suggested.split(JOIN))}?  ({mistake.score:.2f})",
        "copy": f"{label} = {other}" if label != other else f"{label}, twice",
        "pair": f"{label} or {other}?",
        "outlier": f"{label}: is it one?  ({mistake.score:.2f})",
    }[mistake.kind]
