"""What is in a catalog and how it lies there."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from doppelgram.catalog.beside import names_beside
from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.folder import plain_errors
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.versions import Version
from doppelgram.numbers import count, listing, size

_SHOWN = 5


@dataclass(frozen=True)
class CatalogInfo:
    """What is in a catalog.

    Attributes:
        location: where it lies.
        rows: images, or faces where each has a row.
        labelled: rows with a label.
        labels: how many rows each label has, the most frequent first.
        columns: label columns.
        fingerprint: of the model that fills it.
        dim: size of the embeddings.
        created: UTC time in ISO 8601.
        faces: ``all`` where each face of a photograph has a row; else empty.
        beside: names of the further models whose vectors lie beside.
        bytes: of everything that lies there, old versions included.
        fragments: pieces of the table.
        versions: that can be read, oldest first.
        indexes: of the engine, as ``column: kind, rows that are in it``.
        as_of: version that all this is of; None for the latest.
    """

    location: str
    rows: int
    labelled: int
    labels: dict[str, int]
    columns: list[str]
    fingerprint: str
    dim: int
    created: str
    faces: str
    beside: list[str]
    bytes: int
    fragments: int
    versions: list[Version]
    indexes: list[str]
    as_of: int | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For a person."""
        what = "face" if self.faces else "image"
        shown = [f"{name} ({number:,})" for name, number in list(self.labels.items())[:_SHOWN]]
        more = len(self.labels) - len(shown)
        last, oldest = self.versions[-1], self.versions[0]
        names = [name for version in self.versions for name in version.names]
        kept = f"; kept: {listing(names)}" if names else ""
        of = f"{self.location}" + (f" as of version {self.as_of}" if self.as_of is not None else "")
        return [
            f"{of}: {count(self.rows, what)}, {self.labelled:,} with a label",
            *([f"labels: {', '.join(shown)}{f' and {more:,} more' if more else ''}"] if shown else []),
            *([f"label columns: {', '.join(self.columns)}"] if self.columns else []),
            f"model: {self.fingerprint[:16]}, {self.dim:,} numbers an image; created {self.created}",
            *([f"vectors of other models beside: {', '.join(self.beside)}"] if self.beside else []),
            f"size: {size(self.bytes)}, {count(self.fragments, 'fragment')}, "
            + (f"index: {'; '.join(self.indexes)}" if self.indexes else "no index"),
            f"versions: {len(self.versions):,}, from {oldest.number} ({oldest.when:%Y-%m-%d %H:%M} UTC) to "
            f"{last.number} ({last.when:%Y-%m-%d %H:%M} UTC){kept}",
        ]


def info_of(catalog: Catalog) -> CatalogInfo:
    """What is in a catalog.

    Raises:
        DoppelgramError: it cannot be read.
    """
    entries = catalog.entries()
    labels = Counter(entry.label for entry in entries if entry.label)
    columns = dict.fromkeys(name for entry in entries for name in entry.columns or {} if name not in FOUND_COLUMNS)
    versions = catalog.versions()
    with plain_errors(catalog.location, "read"):
        beside, total = names_beside(catalog.location), catalog.location.size()
    return CatalogInfo(
        str(catalog.location),
        len(entries),
        labels.total(),
        dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
        list(columns),
        catalog.fingerprint,
        catalog.dim,
        catalog.created,
        catalog.faces,
        beside,
        total,
        catalog.fragments(),
        versions,
        catalog.indexes(),
        catalog.as_of,
    )
