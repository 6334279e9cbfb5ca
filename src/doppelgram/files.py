"""Files that are written whole or not at all, and folders that are checked before the work."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from doppelgram.errors import DoppelgramError


def check_folder(folder: Path) -> None:
    """See that files can be written into a folder, or that it can be made; nothing is made yet.

    Raises:
        DoppelgramError: it is a file or lies in one, or it may not be written to.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        what = "is a file" if there == folder else f"lies in the file {there}"
        raise DoppelgramError(f"{folder}: {what}, and a folder is needed; choose another --out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise DoppelgramError(f"{folder}: may not be written to; choose another --out")


def keep_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over what is read, whatever links lead there.

    Args:
        outputs: files that are about to be written.
        inputs: files that are read.

    Raises:
        DoppelgramError: one of the outputs is one of the inputs.
    """
    read = {os.path.realpath(file) for file in inputs}
    for file in outputs:
        if os.path.realpath(file) in read:
            raise DoppelgramError(f"{file}: would be written over, but it is read here; choose another name or folder")


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A name beside ``file`` to write under, which takes the file's place once the block is done.

    A block that fails or is interrupted leaves the file as it was, and nothing beside it. Folders above it are made.
    The name ends as the file's own does, by which libraries choose a format.

    Raises:
        DoppelgramError: the file is a folder or cannot be written.
    """
    if file.is_dir():
        raise DoppelgramError(f"{file}: cannot be written, since it is a folder; name a file")
    aside = file.with_name(f".{file.stem}.{secrets.token_hex(4)}.part{file.suffix}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        os.replace(aside, file)
    except OSError as problem:
        raise DoppelgramError(f"{file}: cannot be written: {problem.strerror or problem}") from problem
    finally:
        with suppress(OSError):
            aside.unlink()
