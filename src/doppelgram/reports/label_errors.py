"""Label errors drawn: a contact sheet of the worst of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from doppelgram.dataset.collection import JOIN, Collection
from doppelgram.label_errors.find import KINDS, Kind, LabelError
from doppelgram.label_errors.findings import shared_out
from doppelgram.reports.contact_sheet import Card, Picture, Section

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
}


def sections(
    errors: Mapping[Kind, Sequence[LabelError]], collection: Collection, parts: np.ndarray[Any, Any], most: int
) -> list[Section]:
    """The worst of each kind, as evenly many of each as there are."""
    shown = set(map(id, shared_out([errors[kind] for kind in KINDS], most)))
    paths, names, labels = collection.paths, collection.names, collection.labels.tolist()

    def picture(row: int) -> Picture:
        return Picture(paths[row], " · ".join(labels[row].split(JOIN)), str(parts[row]))

    sections = []
    for kind in KINDS:
        title, about = HEADINGS[kind]
        cards = [
            Card(
                picture(error.row),
                [picture(other) for other in error.others],
                _title(error, labels),
                error.reason,
                names[error.row],
            )
            for error in errors[kind]
            if id(error) in shown
        ]
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
