"""Photographs to the rows of a catalog: the same files and model give the same rows, wherever that is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from doppelgram.catalog.findings import (
    FACE_BOX_COLUMN,
    FACE_COLUMN,
    PEOPLE_COLUMN,
    face_box_text,
    face_text,
    people_text,
)
from doppelgram.catalog.rows import EmbeddedImage, Entry, row_id
from doppelgram.images.read import Photograph, Want, read
from doppelgram.images.report import FileOutcome
from doppelgram.models.embedder import Embedded, Embedder, embed_stream
from doppelgram.pose.extras import PEOPLE
from doppelgram.space.space import unknown_parts

THUMBNAIL_SIDE = 160
"""Long side in pixels of the small pictures that a catalog keeps."""

MODEL_BATCH = 64
"""Images that the model gets at a time, so that its activations and the photographs that wait stay few."""


@dataclass
class Chunk:
    """What became of some files.

    Attributes:
        rows: of those that hold an image, copies of an earlier one left out, in the order of the input; one a
            face where the model is asked for all of them.
        outcomes: one for each file.
        digests: SHA-256 of each file's bytes; empty where the file gave no image.
        without_people: paths of the rows in which nobody was found; None for models that look for nobody.
    """

    rows: list[EmbeddedImage] = field(default_factory=list)
    outcomes: list[FileOutcome] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    without_people: list[str] | None = None

    def extend(self, other: Chunk) -> None:
        """Take in what became of the files that follow."""
        self.rows += other.rows
        self.outcomes += other.outcomes
        self.digests += other.digests
        if other.without_people is not None:
            self.without_people = [*(self.without_people or []), *other.without_people]


def embed_chunk(
    sources: Sequence[Entry],
    model: Embedder,
    want: Want | None = None,
    *,
    known: Callable[[str], bool] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Chunk:
    """Read and embed files, each once; writes nothing.

    Args:
        sources: the files, and what is known of them; their ids do not count.
        model: of any kind.
        want: another than the model's own with a thumbnail, as where faces are cut out.
        known: asked with a file's digest: a file for which it is true is ``ok``, but gives no row.
        progress: called with numbers of files as they are finished; they add up to all.
    """
    want = want or replace(model.want, thumbnail=THUMBNAIL_SIDE)
    whole = _empty(want)
    for piece in embed_pieces(sources, model, want, known=known, progress=progress):
        whole.extend(piece)
    return whole


def embed_pieces(
    sources: Sequence[Entry],
    model: Embedder,
    want: Want,
    *,
    known: Callable[[str], bool] | None = None,
    progress: Callable[[int], None] | None = None,
    at_once: int = MODEL_BATCH,
) -> Generator[Chunk, None, None]:
    """What `embed_chunk` does, piece by piece, while the photographs that follow are read in threads.

    Args:
        sources, model, want, known, progress: of `embed_chunk`.
        at_once: images that the model gets at a time, at most.

    Yields:
        Chunks; together they hold each file once, in order, and all rows of a photograph are in one of them.
    """
    advance = progress or (lambda count: None)
    at_once = min(at_once, model.at_once)
    chunk = _empty(want)
    entries: dict[str, Entry] = {}
    unfinished = ""  # digest of the photograph more faces of which follow
    paths = [Path(entry.path) for entry in sources if _storable(entry.path)]

    def noted(photographs: Iterator[Photograph]) -> Iterator[Photograph]:
        nonlocal unfinished
        for entry in sources:
            if _storable(entry.path):
                photograph = next(photographs)
            else:
                photograph = Photograph(Path(entry.path), "broken", "its path is not valid UTF-8")
            chunk.outcomes.append(photograph.outcome)
            chunk.digests.append(photograph.digest if photograph.usable else "")
            if photograph.pixels is None:
                advance(1)
                continue
            entries[photograph.digest] = replace(entry, id=photograph.digest)
            faces = list(photograph.each_face())
            for number, face in enumerate(faces, start=1):
                unfinished = photograph.digest if number < len(faces) else ""
                yield face

    with closing(read(paths, want, known=known, ahead=at_once)) as photographs:
        for piece, embedded in embed_stream(model, noted(photographs), at_once=at_once):
            chunk.rows += _rows([entries[photograph.digest] for photograph in piece], piece, embedded)
            if chunk.without_people is not None:
                missing = unknown_parts(model.space, embedded.vectors)
                chunk.without_people += [str(one.path) for one, parts in zip(piece, missing, strict=True) if parts]
            advance(sum(_first(photograph) for photograph in piece))
            if not unfinished:
                done, chunk = chunk, _empty(want)
                entries.clear()
                yield done
    yield chunk


def _empty(want: Want) -> Chunk:
    return Chunk(without_people=[] if PEOPLE in want.extras else None)


def _rows(entries: Sequence[Entry], photographs: Sequence[Photograph], embedded: Embedded) -> list[EmbeddedImage]:
    """Rows of photographs that were embedded, with what was found in them among their columns."""
    rows = []
    for number, (entry, photograph) in enumerate(zip(entries, photographs, strict=True)):
        found = {}
        if photograph.face is not None:
            found[FACE_BOX_COLUMN] = face_box_text(photograph.face)
            entry = replace(entry, id=row_id(entry.id, photograph.face.number))
        elif photograph.faces is not None:
            found[FACE_COLUMN] = face_text(photograph.faces)
        if embedded.people is not None:
            found[PEOPLE_COLUMN] = people_text(embedded.people[number])
        entry = replace(entry, columns={**(entry.columns or {}), **found})
        rows.append(EmbeddedImage(entry, embedded.vectors[number], photograph.thumbnail))
    return rows


def _first(photograph: Photograph) -> bool:
    """Whether it is the first that a file gives; others are further faces of it."""
    return photograph.face is None or photograph.face.number == 1


def _storable(path: str) -> bool:
    """Whether a path is text; a folder's own name may hold bytes that are none."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
