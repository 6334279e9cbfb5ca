"""Label errors as rows of an answer and of a CSV."""

from __future__ import annotations

import csv as csv_format
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from doppelgram.dataset.collection import Collection
from doppelgram.files import written_whole
from doppelgram.label_errors.find import KINDS, Kind, LabelError

T = TypeVar("T")


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
        return shared_out([[one for one in self.findings if one.category == kind] for kind in KINDS], most)


def findings_of(
    errors: Mapping[Kind, Sequence[LabelError]], collection: Collection, parts: np.ndarray[Any, Any]
) -> list[Finding]:
    names, labels = collection.names, collection.labels.tolist()
    findings = []
    for kind in KINDS:
        for rank, error in enumerate(errors[kind], start=1):
            row, other = error.row, error.others[0] if error.others else None
            findings.append(
                Finding(
                    kind,
                    rank,
                    round(error.score, 4),
                    names[row],
                    labels[row],
                    str(parts[row]),
                    error.suggested,
                    "" if other is None else names[other],
                    "" if other is None else labels[other],
                    "" if other is None else str(parts[other]),
                    None if math.isnan(error.distance) else round(error.distance, 4),
                    error.reason,
                )
            )
    return findings


def write_csv(findings: Sequence[Finding], file: Path) -> None:
    with written_whole(file) as aside, aside.open("w", encoding="utf-8", newline="") as stream:
        writer = csv_format.DictWriter(stream, [field.name for field in fields(Finding)])
        writer.writeheader()
        writer.writerows(finding.to_dict() for finding in findings)


def shared_out(kinds: Sequence[Sequence[T]], most: int) -> list[T]:
    """The first of each kind, then the second of each, and so on."""
    return [one for turn in zip_longest(*kinds) for one in turn if one is not None][:most]
