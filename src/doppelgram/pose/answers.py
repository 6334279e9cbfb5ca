"""Answers of a network by content hash: in memory, and in Parquet files that are only ever added, each whole."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from doppelgram.errors import DoppelgramError
from doppelgram.files import written_whole

T = TypeVar("T")

# From so many files on they are put together into one.
_MANY = 24
# Seconds of work that a killed process may lose.
_EVERY = 20.0


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How an answer lies in a row of a Parquet file.

    Attributes:
        columns: Arrow type of each column by its name: ``int32``, ``binary`` or ``floats``.
        to_row: an answer's value for each column.
        from_row: the inverse. ValueError, TypeError and DoppelgramError mean that the row is damaged.
    """

    columns: Mapping[str, str]
    to_row: Callable[[T], Mapping[str, Any]]
    from_row: Callable[[Mapping[str, Any]], T]


class AnswerCache(Generic[T]):
    """Answers by the SHA-256 of a photograph's bytes, of one estimator or segmenter; for several threads at a time.

    ``<folder>/<key>/<name>.parquet`` holds a row for each photograph: its digest and its answer. Several processes may
    add at the same time. A file that cannot be read counts as not being there.
    """

    def __init__(self, folder: Path | None, key: str, codec: Codec[T]) -> None:
        """Name the place; nothing is read or made yet.

        Args:
            folder: that the answers of all estimators lie in; None keeps them in memory only.
            key: of this one.
            codec: how its answers are written.
        """
        self._folder = folder and folder / re.sub(r"[^A-Za-z0-9._-]", "_", key)
        self._codec = codec
        self._lock = threading.Lock()
        self._answers: dict[str, T] | None = None
        self._fresh: dict[str, T] = {}
        self._written = time.monotonic()

    def get(self, digest: str) -> T | None:
        """The answer for a file of this content, None if there is none."""
        with self._lock:
            return self._loaded().get(digest)

    def put(self, digest: str, answer: T) -> None:
        """Keep an answer; it is written within some seconds, or by `flush`.

        Raises:
            DoppelgramError: the folder cannot be written.
        """
        with self._lock:
            self._loaded()[digest] = answer
            self._fresh[digest] = answer
            late = time.monotonic() - self._written > _EVERY
        if late:
            self.flush()

    def flush(self) -> None:
        """Write what was not written yet, whole or not at all.

        Raises:
            DoppelgramError: the folder cannot be written.
        """
        with self._lock:
            if self._folder is not None and self._fresh:
                self._write(self._fresh)
                files = self._files()
                if len(files) >= _MANY:
                    self._write(self._read(files))
                    for file in files:
                        with suppress(OSError):
                            file.unlink()
            self._fresh = {}
            self._written = time.monotonic()

    def _loaded(self) -> dict[str, T]:
        if self._answers is None:
            self._answers = self._read(self._files())
        return self._answers

    def _files(self) -> list[Path]:
        found = self._folder.glob("*.parquet") if self._folder is not None else ()
        return sorted(file for file in found if not file.name.startswith("."))

    def _read(self, files: list[Path]) -> dict[str, T]:
        import pyarrow
        import pyarrow.parquet

        answers: dict[str, T] = {}
        for file in files:
            try:
                for row in pyarrow.parquet.read_table(file, partitioning=None).to_pylist():
                    answers[str(row["digest"])] = self._codec.from_row(row)
            except (OSError, ValueError, KeyError, TypeError, DoppelgramError, pyarrow.ArrowException):
                continue  # as if it were not there: what it held is found again
        return answers

    def _write(self, answers: Mapping[str, T]) -> None:
        import pyarrow
        import pyarrow.parquet

        assert self._folder is not None
        types = {
            "int32": pyarrow.int32(),
            "binary": pyarrow.binary(),
            "floats": pyarrow.list_(pyarrow.float32()),
        }
        rows = [self._codec.to_row(answer) for answer in answers.values()]
        columns = {
            name: pyarrow.array([row[name] for row in rows], types[kind]) for name, kind in self._codec.columns.items()
        }
        table = pyarrow.table({"digest": pyarrow.array(list(answers), pyarrow.string()), **columns})
        with written_whole(self._folder / f"{uuid.uuid4().hex}.parquet") as aside:
            pyarrow.parquet.write_table(table, aside)
