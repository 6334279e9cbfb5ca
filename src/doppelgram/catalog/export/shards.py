"""A catalog as tar files of pictures with a JSON file beside each, as WebDataset and others read them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from doppelgram.catalog.export.rows import Rows
from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.catalog.rows import file_of
from doppelgram.files import written_whole

_FACTS = ("id", "path", "name", "label", "columns", "author", "timestamp")
PER_SHARD = 10_000


@dataclass
class Shards:
    """What was written.

    Attributes:
        files: tar files.
        images: how many images are in them.
        unread: paths of images whose original could not be read, or is another photograph now, which are left out.
    """

    files: list[Path] = field(default_factory=list)
    images: int = 0
    unread: list[str] = field(default_factory=list)


def write_shards(rows: Rows, file: Path, *, originals: bool = False, per_shard: int = PER_SHARD) -> Shards:
    """Write ``NAME-000000.tar`` and so on; they appear together, and what is left of a longer series of that name goes.

    Of an image there are ``ID.jpg`` (or the original's own ending) and ``ID.json``.

    Args:
        rows: what is written.
        file: ``NAME.tar``.
        originals: whether the photographs themselves are read and put in, not the catalog's small pictures.
        per_shard: images in a file.
    """
    done, samples = Shards(), _Samples(rows, originals)
    pending = iter(samples)
    sample = next(pending, None)
    with ExitStack() as whole:  # an export that fails leaves an earlier one as it was, not a mixture of both
        while sample is not None:
            target = _shard(file, len(done.files))
            with tarfile.open(whole.enter_context(written_whole(target)), "w") as tar:
                for _ in range(per_shard):
                    if sample is None:
                        break
                    key, ending, picture, facts = sample
                    _put(tar, f"{key}{ending}", picture)
                    _put(tar, f"{key}.json", json.dumps(facts, ensure_ascii=False).encode())
                    done.images += 1
                    sample = next(pending, None)
            done.files.append(target)
    for number in count(len(done.files)):
        # Whoever reads all files of this name would read images twice, or such as are not in the catalog any more.
        try:
            _shard(file, number).unlink()
        except FileNotFoundError:
            break
    done.unread = samples.unread
    return done


def _shard(file: Path, number: int) -> Path:
    return file.with_name(f"{file.stem}-{number:06}.tar")


class _Samples:
    """Key, ending, picture and facts of each image."""

    def __init__(self, rows: Rows, originals: bool) -> None:
        self._rows, self._originals = rows, originals
        self.unread: list[str] = []

    def __iter__(self) -> Iterator[tuple[str, str, bytes, dict[str, Any]]]:
        wanted = _FACTS if self._originals else (*_FACTS, "thumbnail")
        for piece in self._rows.pieces(wanted):
            for row in piece.to_pylist():
                picture, ending = row.pop("thumbnail", b""), ".jpg"
                if self._originals:
                    path = Path(row["path"])
                    # What comes after the first dot of a name says what a file is, so the ending must be one word.
                    ending = path.suffix.lower() or ".bin"
                    try:
                        picture = path.read_bytes()
                    except OSError:
                        picture = b""
                    # What lies there by now may be another photograph, of which nothing is known.
                    if hashlib.sha256(picture).hexdigest() != file_of(row["id"]):
                        self.unread.append(row["path"])
                        continue
                columns = json.loads(row["columns"])
                row["columns"] = {name: value for name, value in columns.items() if name not in FOUND_COLUMNS}
                row["timestamp"] = row["timestamp"].isoformat() if row["timestamp"] else None
                yield row["id"].replace("#", "-"), ending, picture, row


def _put(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))
