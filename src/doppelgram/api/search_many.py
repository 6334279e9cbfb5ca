"""The images of a catalog that look most like each of many photographs, written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doppelgram.api.chosen import looked_at
from doppelgram.catalog.search.batch import ENDINGS, Answered, blocks_of_answers, photographs_of, write_answers
from doppelgram.catalog.search.indexed import Asked, searcher_for
from doppelgram.catalog.search.vector_index import AUTO
from doppelgram.catalog.search.where import parse_where
from doppelgram.console import Progress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.files import keep_inputs
from doppelgram.reports.crops import asked_detector


def search_many(
    catalog: Path | str,
    images: Sequence[Path | str],
    out: Path | str,
    k: int = 5,
    *,
    by: str = "",
    where: str = "",
    index: str = AUTO,
    crop: str = "",
    face: str = "",
    weights: Path | str | None = None,
    keypoints: Path | str | None = None,
    as_of: str = "",
    vectors: str = "",
    progress: Progress | None = None,
) -> Answered:
    """Ask a catalog with many photographs, in blocks, so that memory does not grow with them.

    Args:
        catalog: catalog folder, or ``s3://bucket/prefix``.
        images: photographs, and folders of them.
        out: file to write: ``.jsonl``, a line a photograph, or ``.csv``, a row a match.
        k: how many matches of each.
        by: as for `search`; so are the others.
        where: condition that an image has to fulfil to be found.
        index: how neighbours are found.
        crop: what is cut out of the given photographs.
        face: which face of them asks.
        weights: as for `index`.
        keypoints: as for `index`; of the given images.
        as_of: version of the catalog to read.
        vectors: name of another model's vectors beside the catalog's own.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: no such catalog, an empty one, no photograph, or the file cannot be written.
    """
    out, progress = Path(out).expanduser(), progress or TerminalProgress()
    if out.suffix.lower() not in ENDINGS:
        raise DoppelgramError(f"{out}: answers are written as CSV or JSON lines; let its name end in .csv or .jsonl")
    condition = parse_where(where) if where else None
    paths = photographs_of(Path(image).expanduser() for image in images)
    keep_inputs([out], paths)
    store = looked_at(catalog, progress, as_of=as_of, vectors=vectors)
    model = store.load_model(weights=weights, keypoints=keypoints)
    settings = {"by": by, "face": asked_detector(crop, None, model), "faces": face, "where": condition}
    searcher = searcher_for(store, model, Asked(len(paths), k, by, condition, index))
    with progress.bar(f"searching with {len(paths):,} photographs", len(paths)) as advance:
        told = write_answers(blocks_of_answers(searcher, paths, k, advance, **settings), out, model.space.parts)
    if told.problems:
        progress.warning(f"{told.problems:,} of them cannot be searched for; {out.name} says why")
    return told
