"""Files to vectors, by whichever model, so many photographs in memory at a time as it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.faces.face import FaceBox
from doppelgram.images.read import Photograph, Source, read
from doppelgram.images.report import LoadReport
from doppelgram.models.embedder import Embedder, embed_stream
from doppelgram.pose.extras import PEOPLE
from doppelgram.pose.people import People
from doppelgram.space.exact import Float32


@dataclass(frozen=True)
class EmbeddedFiles:
    """The files that could be read; by a model that is asked for all faces, each face of each file.

    Attributes:
        vectors: float32 (m, dim), in the order of the input.
        kept: int64 (m,), the position in the input of each.
        hashes: SHA-256 of each kept file's bytes.
        report: one outcome for each input path.
        faces: for each kept file how many faces were found; None where none were looked for.
        people: for each kept file who was found; None for models that look for nobody.
        notes: what was noted of each kept photograph.
        shown: for each kept file which face its vector is of; None by models that tell no faces apart.
    """

    vectors: Float32
    kept: NDArray[np.int64]
    hashes: list[str]
    report: LoadReport
    faces: list[int | None]
    people: list[People] | None
    notes: list[Any] = field(default_factory=list)
    shown: list[FaceBox | None] = field(default_factory=list)


def embed_files(
    model: Embedder,
    paths: Sequence[Source],
    *,
    keep_duplicates: bool = False,
    requested: bool = False,
    note: Callable[[Photograph], Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> EmbeddedFiles:
    """Read and embed files; none that cannot be read stops the others.

    Args:
        model: of any kind.
        paths: the files; images in memory are embedded likewise, and have no hash.
        keep_duplicates: whether files with the same bytes as an earlier one are kept in the result.
        requested: whether each was asked for by itself, so that ready-made keypoints have to name all of them.
        note: called with each kept photograph while its pixels are in memory; what it returns is kept.
        progress: called with 1 after each file.

    Raises:
        DoppelgramError: what finds people or faces cannot be run, or ready-made keypoints are of other photographs.
            An unreadable file is an outcome in the report.
    """
    model.require_named([Path(one) for one in paths if isinstance(one, (str, Path))], every=requested)
    want, report = model.want, LoadReport()
    vectors = [np.empty((0, model.dim), dtype=np.float32)]
    people: list[People] | None = [] if PEOPLE in want.extras else None
    kept: list[int] = []
    embedded: list[Photograph] = []
    notes: list[Any] = []

    def followed() -> Iterator[Photograph]:
        for position, photograph in enumerate(photographs):
            outcome = photograph.outcome
            report.outcomes.append(outcome if outcome.path else replace(outcome, path=f"image {position}"))
            for each in photograph.each_face():
                if each.pixels is not None:
                    kept.append(position)
                yield each
            if progress is not None:
                progress(1)

    with closing(read(paths, want, keep_duplicates=keep_duplicates)) as photographs:
        for piece, found in embed_stream(model, followed()):
            vectors.append(found.vectors)
            if people is not None:
                people += found.people or []
            notes += [note(photograph) for photograph in piece] if note is not None else []
            embedded += [replace(photograph, pixels=None, extras={}) for photograph in piece]
    return EmbeddedFiles(
        np.concatenate(vectors),
        np.array(kept, dtype=np.int64),
        [one.digest for one in embedded],
        report,
        [one.faces for one in embedded],
        people,
        notes,
        [one.face for one in embedded],
    )
