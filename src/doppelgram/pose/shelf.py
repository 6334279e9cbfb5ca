"""A folder of answers by content hash: Parquet files that are only ever added, each written whole."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from doppelgram.errors import DoppelgramError
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import JOINTS
from doppelgram.writing import written_whole

# From so many files on they are put together into one.
_MANY = 24


class Shelf:
    """People by the SHA-256 of a photograph's bytes, of one estimator.

    ``<folder>/<key>/<name>.parquet`` holds a row for each photograph: ``digest``, ``width``, ``height``, ``score``
    (list of p) and ``keypoints`` (list of p * 18 * 3, missing joints NaN).

    Several processes may add at the same time. A file that cannot be read counts as not being there.
    """

    def __init__(self, folder: Path, key: str) -> None:
        """Name the place; nothing is made yet."""
        self.folder = folder / re.sub(r"[^A-Za-z0-9._-]", "_", key)

    def read(self) -> dict[str, People]:
        """All answers that can be read."""
        return self._read(self._files())

    def write(self, answers: Mapping[str, People]) -> None:
        """Add answers, whole or not at all.

        Raises:
            DoppelgramError: the folder cannot be written.
        """
        self._write(answers)
        files = self._files()
        if len(files) >= _MANY:
            self._write(self._read(files))
            for file in files:
                with suppress(OSError):
                    file.unlink()

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.glob("*.parquet") if not file.name.startswith("."))

    def _read(self, files: list[Path]) -> dict[str, People]:
        import pyarrow.parquet

        answers: dict[str, People] = {}
        for file in files:
            try:
                rows = pyarrow.parquet.read_table(file, partitioning=None).to_pylist()
                for row in rows:
                    points = np.array(row["keypoints"], np.float32).reshape(-1, len(JOINTS), 3)
                    answers[row["digest"]] = People(points, np.array(row["score"]), row["width"], row["height"])
            except (OSError, ValueError, KeyError, TypeError, DoppelgramError):
                continue  # as if it were not there: what it held is found again
        return answers

    def _write(self, answers: Mapping[str, People]) -> None:
        import pyarrow
        import pyarrow.parquet

        table = pyarrow.table(
            {
                "digest": list(answers),
                "width": pyarrow.array([people.width for people in answers.values()], pyarrow.int32()),
                "height": pyarrow.array([people.height for people in answers.values()], pyarrow.int32()),
                "score": pyarrow.array([people.score for people in answers.values()], pyarrow.list_(pyarrow.float32())),
                "keypoints": pyarrow.array(
                    [people.keypoints.reshape(-1) for people in answers.values()], pyarrow.list_(pyarrow.float32())
                ),
            }
        )
        with written_whole(self.folder / f"{uuid.uuid4().hex}.parquet") as aside:
            pyarrow.parquet.write_table(table, aside)
