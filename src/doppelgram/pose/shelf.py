"""A folder of answers by content hash: Parquet files that are only ever added, each written whole."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

T = TypeVar("T")

# From so many files on they are put together into one.
_MANY = 24
# Seconds of work that a killed process may lose.
_EVERY = 20.0


class Shelf(Generic[T]):
    """Answers by the SHA-256 of a photograph's bytes, from one estimator or segmenter.

    ``<folder>/<key>/<name>.parquet`` holds a row for each photograph: ``digest``, and what ``to_row`` makes of an
    answer. Several processes may add at the same time. A file that cannot be read counts as not being there.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        columns: Mapping[str, str],
        to_row: Callable[[T], Mapping[str, Any]],
        from_row: Callable[[Mapping[str, Any]], T],
    ) -> None:
        """Name the place; nothing is made yet.

        Args:
            folder: that the answers of all estimators lie in.
            key: of this one.
            columns: Arrow type of each column by its name: ``int32``, ``binary``, ``floats``.
            to_row: an answer's value for each column.
            from_row: the inverse. ValueError, TypeError and DoppelgramError mean that the row is damaged.
        """
        self.folder = folder / re.sub(r"[^A-Za-z0-9._-]", "_", key)
        self._columns, self._to_row, self._from_row = columns, to_row, from_row

    def read(self) -> dict[str, T]:
        """All answers that can be read."""
        return self._read(self._files())

    def write(self, answers: Mapping[str, T]) -> None:
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

    @contextmanager
    def open(self) -> Iterator[Callable[[str, T], None]]:
        """Yields a function that adds one answer; they are written every few seconds, at the end, and on Ctrl-C."""
        fresh: dict[str, T] = {}
        last = time.monotonic()

        def keep(digest: str, answer: T) -> None:
            nonlocal last
            fresh[digest] = answer
            if time.monotonic() - last > _EVERY:
                self.write(fresh)
                fresh.clear()
                last = time.monotonic()

        try:
            yield keep
        finally:
            if fresh:
                self.write(fresh)

    def _files(self) -> list[Path]:
        return sorted(file for file in self.folder.glob("*.parquet") if not file.name.startswith("."))

    def _read(self, files: list[Path]) -> dict[str, T]:
        import pyarrow
        import pyarrow.parquet

        answers: dict[str, T] = {}
        for file in files:
            try:
                for row in pyarrow.parquet.read_table(file, partitioning=None).to_pylist():
                    answers[str(row["digest"])] = self._from_row(row)
            except (OSError, ValueError, KeyError, TypeError, DoppelgramError, pyarrow.ArrowException):
                continue  # as if it were not there: what it held is found again
        return answers

    def _write(self, answers: Mapping[str, T]) -> None:
        import pyarrow
        import pyarrow.parquet

        types = {
            "int32": pyarrow.int32(),
            "binary": pyarrow.binary(),
            "floats": pyarrow.list_(pyarrow.float32()),
        }
        rows = [self._to_row(answer) for answer in answers.values()]
        columns = {
            name: pyarrow.array([row[name] for row in rows], types[kind]) for name, kind in self._columns.items()
        }
        table = pyarrow.table({"digest": pyarrow.array(list(answers), pyarrow.string()), **columns})
        with written_whole(self.folder / f"{uuid.uuid4().hex}.parquet") as aside:
            pyarrow.parquet.write_table(table, aside)
