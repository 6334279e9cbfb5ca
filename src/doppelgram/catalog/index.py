"""A collection's images into a catalog: what is there already is skipped, what cannot be read is reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from doppelgram.catalog.embed import MODEL_BATCH, THUMBNAIL_SIDE, Chunk, embed_pieces
from doppelgram.catalog.entries import changed_entries, entries_of
from doppelgram.catalog.report import IndexReport
from doppelgram.catalog.rows import Entry, file_of
from doppelgram.catalog.stale import Stale, find_stale
from doppelgram.catalog.store import Catalog
from doppelgram.catalog.writer import Writer
from doppelgram.dataset.collection import Collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.report import FileOutcome, quoted
from doppelgram.models.embedder import Embedder
from doppelgram.models.runtime import in_bulk

ALREADY_PRESENT = "already in the catalog"


def index_collection(
    collection: Collection,
    model: Embedder,
    catalog: Catalog,
    *,
    batch: int = 256,
    thumbnail: int = THUMBNAIL_SIDE,
    prune: bool = False,
    progress: Callable[[int], None] | None = None,
) -> IndexReport:
    """Embed a collection's images and append them to a catalog.

    Photographs are read in threads while the model embeds those before them, and written while it goes on.

    Every file is opened once, and decoded once if it is new. Files are told apart by content. What the catalog holds
    already is not embedded again, so calling this again after an interruption, even a kill, goes on where it stopped;
    at most two chunks are lost. The pixels of two pieces of at most `MODEL_BATCH` images are in memory at a time.

    Where a file's content is in the catalog already, its row is brought up to date if it has this file's path, or
    if the file that it names is gone (the folder was moved): path, name, and whatever the collection says of label,
    label columns, author and time. A further copy of a file that is still there changes nothing.

    Where faces are cut out, by `Catalog.face` or by the model's own framing, a row's label columns are joined by one
    named `FACE_COLUMN`, which says what was found; where people were, by `PEOPLE_COLUMN`, which says who was. By a
    model of faces, `FACE_BOX_COLUMN` says which face a row is of. The rows of a photograph go in together.

    Args:
        collection: the images.
        model: the model that fills this catalog. Where no runtime was chosen for it, what embeds many photographs
            fastest in full precision runs it.
        catalog: to append to.
        batch: files whose rows are appended together, at least.
        thumbnail: long side in pixels of the small pictures that are kept.
        prune: whether images whose files were deleted, or have other content now, are taken out; they are reported
            anyway. Those whose folder may be on a disk that is not connected stay.
        progress: called with numbers of files as they are finished; they add up to ``len(collection)``.

    Raises:
        DoppelgramError: the catalog was filled by another model, or not one file could be read.
    """
    if batch < 1:
        raise DoppelgramError(f"batch is {batch}; it must be 1 or more")
    catalog.require(model.fingerprint)
    if model.runtime is None:
        model = model.with_runtime(in_bulk())
    model = model.with_faces(catalog.faces)
    want = replace(model.with_face(catalog.face).want, thumbnail=thumbnail)
    started = time.perf_counter()
    entries = entries_of(collection)
    known: dict[str, list[Entry]] = {}
    for entry in catalog.entries():
        known.setdefault(file_of(entry.id), []).append(entry)
    report = IndexReport(faces=0 if catalog.faces else None, runtime=str(model.runtime or ""))

    def written(chunk: Chunk, inserted: int) -> None:
        files = len({file_of(row.entry.id) for row in chunk.rows})
        # Fewer than the chunk where another process was faster.
        new = files - min(len(chunk.rows) - inserted, files)
        report.added += new
        report.already_present += files - new
        if report.faces is not None:
            report.faces += inserted
        note(report, chunk, known, {})  # copies of an earlier file of this pass were told as such when they were read

    at_once = min(batch, MODEL_BATCH)
    pieces = embed_pieces(
        entries, model, want, known=lambda digest: digest in known, progress=progress, at_once=at_once
    )
    with Writer(catalog, written) as writer, closing(pieces):
        waiting = Chunk()
        for piece in pieces:
            waiting.extend(piece)
            if len(waiting.outcomes) >= batch:
                writer.put(waiting)
                waiting = Chunk()
        writer.put(waiting)
    finish(report, catalog, collection, known, prune=prune)
    report.seconds = time.perf_counter() - started
    return report


def finish(
    report: IndexReport,
    catalog: Catalog,
    collection: Collection,
    known: Mapping[str, Sequence[Entry]],
    *,
    prune: bool,
) -> None:
    """Bring the rows that were there before up to date once all files were looked at, and complete the report.

    Args:
        report: with digests and outcomes of all of the collection's files.
        catalog: that the files' rows are in.
        collection: the images.
        known: the rows that the catalog held before, by the digest of their file.
        prune: whether those whose files are gone or have other content are taken out.

    Raises:
        DoppelgramError: not one file could be read.
    """
    entries = entries_of(collection)
    held: dict[str, list[Entry]] = {}  # files whose content the catalog had before
    for entry, digest in zip(entries, report.digests, strict=True):
        if digest in known:
            held.setdefault(digest, []).append(replace(entry, id=digest))
    report.updated = catalog.update(changed_entries(known, held, collection))
    counts = report.files.counts()
    report.duplicate, report.missing, report.broken = counts["duplicate"], counts["missing"], counts["broken"]
    report.faceless = counts["faceless"]
    report.files.raise_if_nothing_readable()
    now = {entry.path: digest for entry, digest in zip(entries, report.digests, strict=True) if digest}
    stale = find_stale(catalog.entries(), now, collection.root) if known else Stale()
    # A photograph of which each face has a row is one photograph.
    report.gone, report.replaced, report.away = (
        list(dict.fromkeys(one.path for one in kind)) for kind in (stale.gone, stale.replaced, stale.away)
    )
    if prune:
        report.removed = catalog.remove(stale.ids)
    catalog.tidy()


def note(report: IndexReport, chunk: Chunk, known: Container[str], first: dict[str, str]) -> None:
    """Add a chunk to the report. ``first`` gets the files whose content is new in this pass."""
    report.digests += chunk.digests
    if chunk.without_people is not None:
        report.without_people = [*(report.without_people or []), *chunk.without_people]
    for outcome, digest in zip(chunk.outcomes, chunk.digests, strict=True):
        if outcome.status == "ok" and digest in first:
            outcome = FileOutcome(outcome.path, "duplicate", f"same bytes as {quoted(first[digest])}")
        elif outcome.status == "ok" and digest in known:
            report.already_present += 1
            outcome = FileOutcome(outcome.path, "ok", ALREADY_PRESENT)
        if outcome.status == "ok":
            first[digest] = outcome.path
        report.files.outcomes.append(outcome)
