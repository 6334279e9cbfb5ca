"""A collection's images into a catalog: what is there already is skipped, what cannot be read is reported."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from doppelgram.catalog.files import FileRead, decode_file, hash_file
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.seen import PEOPLE_COLUMN, people_text
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.framing import Framing
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, LoadReport, quoted
from doppelgram.numbers import duration

if TYPE_CHECKING:
    from doppelgram.models.arrangement import ArrangementModel
    from doppelgram.models.model import Model

ALREADY_PRESENT = "already in the catalog"
# Beside the label columns of an image whose face was looked for: what was found. No label column is likely to be
# called that.
FACE_COLUMN = "face crop"

# Images that the model sees at a time, so that its activations stay small beside the pixels of a chunk.
_MODEL_BATCH = 64
# For models that look for people: whole photographs in a chunk, each of which takes up to 5 MB, and photographs that
# are looked at side by side before any of them is embedded.
_PHOTOGRAPHS, _LOOKED_AT = 32, 256


@dataclass
class IndexReport:
    """What became of the files of a collection.

    Attributes:
        added: files whose content is new in the catalog.
        already_present: files whose content was there before, under this path or another.
        duplicate: files with the same bytes as an earlier file of the collection.
        missing: files that do not exist.
        broken: files that are there but give no image.
        updated: rows whose path, label, author or time was brought up to date; counted among `already_present`.
        seconds: wall time.
        without_people: paths of the added photographs in which nobody was found, by models that look for people; None
            with other models.
        files: one outcome a file, with reasons, in the collection's order.
    """

    added: int = 0
    already_present: int = 0
    duplicate: int = 0
    missing: int = 0
    broken: int = 0
    updated: int = 0
    seconds: float = 0.0
    without_people: list[str] | None = None
    files: LoadReport = field(default_factory=LoadReport)

    def to_json(self) -> str:
        """Return counts, seconds and outcomes as JSON text in ASCII; who is without people only where that is known."""
        left_out = {"files"} | ({"without_people"} if self.without_people is None else set())
        facts = {key: value for key, value in asdict(self).items() if key not in left_out}
        return json.dumps(facts | json.loads(self.files.to_json()))

    def summary(self, limit: int = 5) -> str:
        """Return one line for a person, naming at most ``limit`` files of each kind that gave nothing new."""
        counts = [f"{self.added:,} added"]
        if self.already_present:
            moved = f" ({self.updated:,} brought up to date)" if self.updated else ""
            counts.append(f"{self.already_present:,} already present{moved}")
        for name in ("duplicate", "missing", "broken"):
            if getattr(self, name):
                counts.append(f"{getattr(self, name):,} {name}")
        line = f"{', '.join(counts)} in {duration(self.seconds)}."
        if self.without_people:
            count = len(self.without_people)
            whose = "its pose counts" if count == 1 else "their poses count"
            line += f" Nobody was found in {count:,} of those added, so {whose} as unknown."
        return f"{line} {self.files.summary(limit)}" if self.duplicate or self.missing or self.broken else line


def index_collection(
    collection: Collection,
    model: Model | ArrangementModel,
    catalog: Catalog,
    *,
    batch: int = 256,
    progress: Callable[[int], None] | None = None,
) -> IndexReport:
    """Embed a collection's images and append them to a catalog, in chunks.

    Files are told apart by content. What the catalog holds already is not embedded again, so calling this again
    after an interruption, even a kill, goes on where it stopped; at most one chunk is lost. One chunk of pixels is
    in memory at a time.

    Where a file's content is in the catalog already, its row is brought up to date if it has this file's path, or
    if the file that it names is gone (the folder was moved): path, name, and whatever the collection says of label,
    label columns, author and time. A further copy of a file that is still there changes nothing.

    Where faces are cut out, by `Catalog.face` or by the model's own framing, a row's label columns are joined by one
    named `FACE_COLUMN`, which says what was found; where people were, by `PEOPLE_COLUMN`, which says who was.

    Args:
        collection: the images.
        model: the model that fills this catalog.
        catalog: to append to.
        batch: images in a chunk.
        progress: called with numbers of files as they are finished; they add up to ``len(collection)``.

    Raises:
        DoppelgramError: the catalog was filled by another model, or not one file could be read.
    """
    if batch < 1:
        raise DoppelgramError(f"batch is {batch}; it must be 1 or more")
    catalog.require(model.fingerprint)
    framing = catalog.framing(model)
    batch = batch if isinstance(framing, Framing) else min(batch, _PHOTOGRAPHS)
    started = time.perf_counter()
    advance = progress or (lambda count: None)
    entries = _entries(collection)
    with closing(in_order(hash_file, [entry.path for entry in entries])) as hashing:
        reads = list(hashing)
    known = {entry.id: entry for entry in catalog.entries()}
    outcomes: list[FileOutcome | None] = [None] * len(entries)
    same: dict[str, list[int]] = {}
    for position, read in enumerate(reads):
        if read.status == "ok":
            same.setdefault(read.digest, []).append(position)
        else:
            outcomes[position] = FileOutcome(entries[position].path, read.status, read.reason)
            advance(1)

    report = IndexReport()
    held = {digest: [replace(entries[p], id=digest) for p in same[digest]] for digest in same if digest in known}
    for positions in (same[digest] for digest in held):
        outcomes[positions[0]] = FileOutcome(entries[positions[0]].path, "ok", ALREADY_PRESENT)
        report.already_present += 1
        advance(1)
    report.updated = _bring_up_to_date(catalog, known, held, collection)

    new = [positions[0] for digest, positions in same.items() if digest not in known]
    look = _look_ahead(model, [Path(entries[position].path) for position in new], advance)
    # Finding people is most of the work, so that where it is done it alone moves the bar.
    embedded = advance if look is None else (lambda count: None)
    chunk: list[tuple[Entry, FileRead]] = []
    nobody: list[str] = []

    def append() -> None:
        inserted = _append(chunk, model, catalog, embedded, nobody)
        report.added += inserted
        # Fewer than the chunk where another process was faster, or a file was changed to a known one meanwhile.
        report.already_present += len(chunk) - inserted
        chunk.clear()

    decoding = in_order(lambda position: decode_file(entries[position].path, framing), new)
    with closing(decoding):
        for number, (position, read) in enumerate(zip(new, decoding, strict=True)):
            if look is not None and number % _LOOKED_AT == 0:
                look(number)
            outcomes[position] = FileOutcome(entries[position].path, read.status, read.reason, read.faces)
            if read.status == "ok":
                chunk.append((_with_faces(replace(entries[position], id=read.digest), read.faces), read))
            else:
                embedded(1)
            if len(chunk) == batch:
                append()
        append()

    for first, *later in same.values():
        for position in later:
            outcomes[position] = _outcome_of_copy(entries[position].path, outcomes[first])
            advance(1)
    report.files.outcomes = [outcome for outcome in outcomes if outcome is not None]
    counts = report.files.counts()
    report.duplicate, report.missing, report.broken = counts["duplicate"], counts["missing"], counts["broken"]
    report.files.raise_if_nothing_readable()
    report.without_people = nobody if look is not None else None
    catalog.compact()
    report.seconds = time.perf_counter() - started
    return report


def _entries(collection: Collection) -> list[Entry]:
    """What the collection says of each of its images, without an id as yet."""
    table = collection.table
    rows = len(collection)
    labels = [table[column].astype(str).tolist() for column in collection.label_columns]
    columns = {
        "path": [os.path.abspath(path) for path in collection.paths],
        "name": collection.names,
        "label": collection.labels.tolist(),
        "columns": [
            dict(zip(collection.label_columns, values, strict=True)) for values in zip(*labels, strict=True)
        ] or [{}] * rows,
        "author": table["author"].astype(str).tolist() if "author" in table else [""] * rows,
        "timestamp": [None] * rows,
    }  # fmt: skip
    if "timestamp" in table:
        moments = table["timestamp"]
        columns["timestamp"] = [None if pd.isna(at) else at.to_pydatetime(warn=False) for at in moments]
    return [Entry("", *values) for values in zip(*columns.values(), strict=True)]


def _with_faces(entry: Entry, faces: int | None) -> Entry:
    if faces is None:
        return entry
    found = {0: "none: the middle was taken", 1: "one"}.get(faces, f"several ({faces}), the largest taken")
    return replace(entry, columns={**(entry.columns or {}), FACE_COLUMN: found})


def _bring_up_to_date(
    catalog: Catalog, known: Mapping[str, Entry], held: Mapping[str, Sequence[Entry]], collection: Collection
) -> int:
    """Rewrite rows whose file moved or of which the collection says something new; returns how many."""
    changed: list[Entry] = []
    for digest, files in held.items():
        old = known[digest]
        entry = next((file for file in files if file.path == old.path), None)
        if entry is None and not os.path.exists(old.path):
            entry = files[0]
        if entry is None:
            continue
        found = {name: value for name, value in (old.columns or {}).items() if name in (FACE_COLUMN, PEOPLE_COLUMN)}
        entry = replace(entry, columns={**(entry.columns or {}), **found})
        # A collection without labels, authors or times says nothing of them, which is no reason to forget them.
        if not collection.label:
            entry = replace(entry, label=old.label, columns={**(old.columns or {}), **(entry.columns or {})})
        if "author" not in collection.table:
            entry = replace(entry, author=old.author)
        if "timestamp" not in collection.table:
            entry = replace(entry, timestamp=old.timestamp)
        if entry != old:
            changed.append(entry)
    return catalog.update(changed)


def _look_ahead(
    model: Model | ArrangementModel, paths: Sequence[Path], progress: Callable[[int], None]
) -> Callable[[int], None] | None:
    """What finds the people of the next ``_LOOKED_AT`` files from a position on; None for models that look for none."""
    from doppelgram.models.arrangement import ArrangementModel

    if not isinstance(model, ArrangementModel):
        return None
    finder = model.finder
    return lambda start: finder.prefetch(paths[start : start + _LOOKED_AT], progress)


def _append(
    chunk: Sequence[tuple[Entry, FileRead]],
    model: Model | ArrangementModel,
    catalog: Catalog,
    progress: Callable[[int], None],
    nobody: list[str],
) -> int:
    """Embed a chunk and write it down; returns how many rows are new. Who shows nobody is added to ``nobody``."""
    from doppelgram.models.arrangement import ArrangementModel

    if not chunk:
        return 0
    entries = [entry for entry, _ in chunk]
    pixels = [read.pixels for _, read in chunk if read.pixels is not None]
    if not isinstance(model, ArrangementModel):
        vectors = model.embed_pixels(np.stack(pixels), batch=_MODEL_BATCH, progress=progress)
    else:
        seen = model.embed_photographs(pixels, [Path(entry.path) for entry in entries])
        vectors = seen.vectors
        entries = [
            replace(entry, columns={**(entry.columns or {}), PEOPLE_COLUMN: people_text(people)})
            for entry, people in zip(entries, seen.people, strict=True)
        ]
        shown = model.space.people_shown(vectors).tolist()
        nobody += [entry.path for entry, count in zip(entries, shown, strict=True) if not count]
    return catalog.add(
        [
            EmbeddedImage(entry, vector, read.thumbnail)
            for entry, vector, (_, read) in zip(entries, vectors, chunk, strict=True)
        ]
    )


def _outcome_of_copy(path: str, first: FileOutcome | None) -> FileOutcome:
    if first is None or first.status == "ok":
        return FileOutcome(path, "duplicate", f"same bytes as {quoted(first.path if first else '')}")
    return FileOutcome(path, first.status, first.reason)
