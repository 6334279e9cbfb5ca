"""Files to vectors, by whichever model, a few photographs in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.images.framing import Framing
from doppelgram.images.read import Photograph, read
from doppelgram.images.report import LoadReport
from doppelgram.models.embedder import Embedder, embed_stream
from doppelgram.pose.people import People


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
        poses: of how many people each vector holds the pose, int64 (m,); None for models that look for nobody.
    """

    vectors: NDArray[np.float32]
    kept: NDArray[np.int64]
    hashes: list[str]
    report: LoadReport
    faces: list[int | None]
    people: list[People]
    poses: NDArray[np.int64] | None


def embed_files(
    model: Embedder,
    paths: Sequence[Path],
    *,
    framing: Framing | None = None,
    keep_duplicates: bool = False,
    requested: bool = False,
    progress: Callable[[int], None] | None = None,
) -> EmbeddedFiles:
    """Read and embed files, each once; none that cannot be read stops the others.

    Args:
        model: of any kind.
        paths: the files.
        framing: another than the model's own, for a model of whole images.
        keep_duplicates: whether files with the same bytes as an earlier one are kept in the result.
        requested: whether each was asked for by itself, so that ready-made keypoints have to name all of them.
        progress: called with 1 after each file.

    Raises:
        DoppelgramError: what finds people or faces cannot be run, or ready-made keypoints are of other photographs.
            An unreadable file is an outcome in the report.
    """
    model.require_named(paths, every=requested)
    want = model.want if framing is None else replace(model.want, framing=framing)
    report = LoadReport()
    kept: list[int] = []

    def noted() -> Iterator[Photograph]:
        for position, photograph in enumerate(photographs):
            report.outcomes.append(photograph.outcome)
            if photograph.pixels is not None:
                kept.append(position)
            yield photograph
            if progress is not None:
                progress(1)

    vectors = [np.empty((0, model.dim), dtype=np.float32)]
    hashes: list[str] = []
    faces: list[int | None] = []
    people: list[People] = []
    poses: list[NDArray[np.int64]] = []
    with closing(read(paths, want, keep_duplicates=keep_duplicates)) as photographs:
        for piece, embedded in embed_stream(model, noted(), want):
            vectors.append(embedded.vectors)
            hashes += [photograph.digest for photograph in piece]
            faces += [photograph.faces for photograph in piece]
            people += embedded.people or []
            poses += [] if embedded.poses is None else [embedded.poses]
    return EmbeddedFiles(
        np.concatenate(vectors),
        np.array(kept, dtype=np.int64),
        hashes,
        report,
        faces,
        people,
        np.concatenate(poses) if poses else None,
    )
