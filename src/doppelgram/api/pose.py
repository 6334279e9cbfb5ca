"""Find the people of a collection and their poses, once, and write them down."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.listing import IMAGE_ENDINGS
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError, Interrupted
from doppelgram.files import keep_inputs
from doppelgram.pose.collection import PosedCollection, drawing_files, find_in_collection
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.estimators.registry import make_estimator
from doppelgram.pose.table import write_people
from doppelgram.weights import cache_folder

_TABLES = (".parquet", ".pq")


def estimate_poses(
    data: Collection | Path | str,
    out: Path | str,
    *,
    estimator: str = "movenet",
    weights: Path | str | None = None,
    pose_weights: Path | str | None = None,
    draw: Path | str | None = None,
    cache: Path | str | None = None,
    progress: Progress | None = None,
) -> PosedCollection:
    """Find the people of a folder, a table or one photograph, and write their keypoints as Parquet.

    Answers are kept by the photographs' content and the estimator: a second call looks only at what is new, and after
    an interruption the same call goes on.

    Args:
        data: the photographs: a folder, a table, a collection, or one photograph.
        out: Parquet file, see `doppelgram.pose.table.write_people` for its columns.
        estimator: one of `doppelgram.pose.estimators.registry.ESTIMATORS`.
        weights: folder to look the estimator's weights up in first.
        pose_weights: the estimator's file or folder itself; for ``keypoints`` the ready-made ones.
        draw: folder for each photograph with its skeletons drawn, as a JPEG under the photograph's own name; where two
            differ in their endings only, under the whole names.
        cache: folder for answers; one in the user's cache by default.
        progress: where progress is shown; the terminal by default.

    Raises:
        DoppelgramError: something given cannot be used, or no photograph can be read.
        Interrupted: stopped by Ctrl-C; the same call goes on.
    """
    progress = progress or TerminalProgress()
    out = Path(out).expanduser()
    if out.suffix.lower() not in _TABLES:
        raise DoppelgramError(f"{out}: keypoints are written as Parquet; let its name end in .parquet")
    looker = make_estimator(estimator, _path(weights), _path(pose_weights))
    for note in looker.notes if isinstance(looker, KnownPeople) else ():
        progress.warning(note)
    collection = _collection(data)
    drawn = drawing_files(collection, Path(draw).expanduser()) if draw is not None else {}
    keep_inputs([out, *drawn.values()], [Path(str(data)).expanduser(), *collection.paths])
    tell_notes(collection, progress)
    answers = _path(cache) or cache_folder() / "poses"
    try:
        people, report = find_in_collection(collection, looker, answers, drawn, progress)
    except KeyboardInterrupt:
        raise Interrupted(
            f"{out}: interrupted; what was found is kept, and the same command goes on from here"
        ) from None
    report.raise_if_nothing_readable()
    if report.problems():
        progress.warning(report.summary())
    unnamed = []
    if isinstance(looker, KnownPeople):
        unnamed = [
            name for name, path in zip(collection.names, collection.paths, strict=True) if not looker.knows(path)
        ]
        if len(unnamed) == len(collection):
            raise DoppelgramError(
                f"{looker.source}: names none of the photographs in {data}, such as {unnamed[0]!r}; write one file for "
                "each photograph, called like it, or give the file with the list of their names"
            )
    write_people(out, people, looker.key)
    return PosedCollection(looker.key, people, report, unnamed)


def _path(given: Path | str | None) -> Path | None:
    return Path(given).expanduser() if given is not None else None


def _collection(data: Collection | Path | str) -> Collection:
    if isinstance(data, Collection):
        return data
    data = Path(data).expanduser()
    if data.is_file() and data.suffix.lower() in IMAGE_ENDINGS:
        return Collection(data.parent, pd.DataFrame({"path": [data.name]}))
    return read_collection(data)
