"""People of a collection as a Parquet file, one row a photograph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import KEYPOINT_NAMES

_NUMBERS = 3 * len(KEYPOINT_NAMES)


def write_people(file: Path, people: Mapping[str, People], estimator: str) -> None:
    """Write people by the names of their photographs.

    Columns: ``path``; ``width`` and ``height`` of the upright photograph; ``people``, how many were found; and with an
    entry for each of them, the most prominent first: ``score`` (0 to 1), ``prominence`` (0 to 1), ``passer_by`` and
    ``keypoints`` (54 numbers: x, y, confidence of 18 joints, missing ones NaN). The file's metadata name the estimator
    and the joints.

    Args:
        file: replaced whole.
        people: by path as it should stand in the file.
        estimator: key of the estimator.

    Raises:
        DoppelgramError: the file cannot be written.
    """
    import pyarrow
    import pyarrow.parquet

    numbers = pyarrow.list_(pyarrow.list_(pyarrow.float32()))
    floats = pyarrow.list_(pyarrow.float32())
    values = list(people.values())
    table = pyarrow.table(
        {
            "path": pyarrow.array(list(people), pyarrow.string()),
            "width": pyarrow.array([one.width for one in values], pyarrow.int32()),
            "height": pyarrow.array([one.height for one in values], pyarrow.int32()),
            "people": pyarrow.array([len(one) for one in values], pyarrow.int32()),
            "score": pyarrow.array([one.score for one in values], floats),
            "prominence": pyarrow.array([one.prominence.astype(np.float32) for one in values], floats),
            "passer_by": pyarrow.array([one.passers_by.tolist() for one in values], pyarrow.list_(pyarrow.bool_())),
            "keypoints": pyarrow.array([list(one.keypoints.reshape(len(one), _NUMBERS)) for one in values], numbers),
        }
    ).replace_schema_metadata({"estimator": estimator, "joints": ",".join(KEYPOINT_NAMES)})
    with written_whole(file) as aside:
        pyarrow.parquet.write_table(table, aside)


def read_people(file: Path) -> dict[str, People]:
    """Read what `write_people` wrote: people by path.

    Raises:
        DoppelgramError: it is not such a file.
    """
    import pyarrow
    import pyarrow.parquet

    needed = ["path", "width", "height", "score", "keypoints"]
    try:
        rows = pyarrow.parquet.read_table(file, columns=needed, partitioning=None).to_pylist()
    except (OSError, pyarrow.ArrowException) as problem:
        reason = " ".join(str(problem).split())[:80]
        raise DoppelgramError(
            f"{file}: is not a table of keypoints as `doppelgram pose` writes it ({reason})"
        ) from None
    found = {}
    for number, row in enumerate(rows):
        try:
            points = np.array(row["keypoints"], np.float32)
            if points.size and points.shape[1:] != (_NUMBERS,):
                raise ValueError
            people = People(
                points.reshape(-1, len(KEYPOINT_NAMES), 3), np.array(row["score"]), row["width"], row["height"]
            )
        except (TypeError, ValueError, DoppelgramError):
            raise DoppelgramError(f"{file}: row {number} ({row['path']}) holds no usable keypoints") from None
        found[str(row["path"])] = people
    return found
