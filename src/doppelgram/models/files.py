"""Files to vectors, by whichever kind of model, a few whole photographs in memory at a time."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.batch import load_pixels
from doppelgram.images.decode import OUT_OF_MEMORY, BrokenImage, MissingImage, decode, read_file
from doppelgram.images.framing import Framing
from doppelgram.images.ordered import in_order
from doppelgram.images.report import FileOutcome, LoadReport, Status, quoted
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.model import Embeddings, Model

if TYPE_CHECKING:
    from doppelgram.pose.people import People

# Whole photographs in memory at a time; at 1,280 pixels each takes up to 5 MB.
AT_ONCE = 32


@dataclass(frozen=True)
class EmbeddedFiles:
    """The files that could be read.

    Attributes:
        vectors: float32 (m, dim), in the order of the input.
        kept: int64 (m,), the position in the input of each.
        hashes: SHA-256 of each kept file's bytes.
        report: one outcome for each input path.
        faces: for each kept file how many faces were found; None where none were looked for.
        people: for each kept file who was found; empty for models that look for nobody.
    """

    vectors: Embeddings
    kept: NDArray[np.int64]
    hashes: list[str]
    report: LoadReport
    faces: list[int | None]
    people: list[People]


def embed_files(
    model: Model | ArrangementModel,
    paths: Sequence[Path],
    *,
    framing: Framing | WholePhotograph | None = None,
    keep_duplicates: bool = False,
    asked: bool = False,
    progress: Callable[[int], None] | None = None,
) -> EmbeddedFiles:
    """Read and embed files; none that cannot be read stops the others.

    Args:
        model: of either kind.
        paths: the files.
        framing: another than the model's own, for a model of whole images.
        keep_duplicates: whether files with the same bytes as an earlier one are kept in the result.
        asked: whether each was asked for by itself, so that ready-made keypoints have to name all of them.
        progress: called with 1 after each file.

    Raises:
        DoppelgramError: what finds people or faces cannot be run, or ready-made keypoints are of other photographs.
            An unreadable file is an outcome in the report.
    """
    if isinstance(model, Model):
        own = framing if isinstance(framing, Framing) else model.framing
        loaded = load_pixels(paths, own, progress=progress, keep_duplicates=keep_duplicates)
        vectors = model.embed_pixels(loaded.pixels)
        return EmbeddedFiles(vectors, loaded.kept, loaded.hashes, loaded.report, loaded.faces, [])
    model.finder.require_named(paths, every=asked)
    return _embed_photographs(model, paths, keep_duplicates, progress or (lambda count: None))


@dataclass(frozen=True)
class _Read:
    status: Status
    reason: str = ""
    digest: str = ""
    pixels: NDArray[np.uint8] | None = None


def _embed_photographs(
    model: ArrangementModel, paths: Sequence[Path], keep_duplicates: bool, progress: Callable[[int], None]
) -> EmbeddedFiles:
    model.finder.prefetch(paths, progress)  # which is most of the work
    first: dict[str, int] = {}  # digest to position in the input
    kept: list[int] = []
    hashes: list[str] = []
    vectors: dict[str, Embeddings] = {}
    people: dict[str, People] = {}
    report = LoadReport()
    chunk: list[tuple[str, Path, NDArray[np.uint8]]] = []

    def embed() -> None:
        if chunk:
            digests, files, photographs = zip(*chunk, strict=True)
            seen = model.embed_photographs(photographs, files)
            vectors.update(zip(digests, seen.vectors, strict=True))
            people.update(zip(digests, seen.people, strict=True))
            chunk.clear()

    framing = model.framing
    with warnings.catch_warnings(), closing(in_order(lambda path: _read(path, framing), paths)) as reads:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # what matters of odd metadata is in the report
        for position, (path, read) in enumerate(zip(paths, reads, strict=True)):
            status, reason = read.status, read.reason
            if read.pixels is not None and read.digest in first:
                status, reason = "duplicate", f"same bytes as {quoted(str(paths[first[read.digest]]))}"
            report.outcomes.append(FileOutcome(str(path), status, reason))
            if status == "ok" or (status == "duplicate" and keep_duplicates):
                kept.append(position)
                hashes.append(read.digest)
            if status == "ok" and read.pixels is not None:
                first[read.digest] = position
                chunk.append((read.digest, path, read.pixels))
            if len(chunk) == AT_ONCE:
                embed()
        embed()
    found = np.stack([vectors[digest] for digest in hashes]) if hashes else np.empty((0, model.dim), dtype=np.float32)
    return EmbeddedFiles(
        found, np.array(kept, dtype=np.int64), hashes, report, [None] * len(kept), [people[digest] for digest in hashes]
    )


def _read(path: Path, framing: WholePhotograph) -> _Read:
    try:
        data = read_file(path)
        pixels = framing.frame(decode(data, at_least=framing.at_least)).pixels
        return _Read("ok", "", hashlib.sha256(data).hexdigest(), pixels)
    except MissingImage:
        return _Read("missing", "no such file")
    except BrokenImage as error:
        return _Read("broken", error.reason)
    except MemoryError:
        return _Read("broken", OUT_OF_MEMORY)
