"""ZIP files of pictures, unpacked once into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from doppelgram.dataset.listing import CAPTURE_FILE, IMAGE_ENDINGS
from doppelgram.dataset.records.json_files import is_json
from doppelgram.dataset.tables import TABLE_ENDINGS
from doppelgram.errors import DoppelgramError
from doppelgram.weights import cache_folder

_READ = (*sorted(IMAGE_ENDINGS), *TABLE_ENDINGS, ".html", ".txt")
_MOST_BYTES = 64 * 2**30  # of all files together, so that a packed nothing does not fill a disk


def holds_capture(file: Path) -> bool:
    """Whether a ZIP file is one of 4CAT's, with a list of its pictures in it."""
    try:
        with zipfile.ZipFile(file) as packed:
            return any(PurePosixPath(name).name == CAPTURE_FILE for name in packed.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def unpacked(file: Path) -> Path:
    """The folder with a ZIP file's pictures, tables and JSON; unpacked again where the file has changed.

    Raises:
        DoppelgramError: it is no ZIP file, is damaged, or does not fit on the disk.
    """
    try:
        status = file.stat()
        mark = hashlib.sha256(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}".encode()).hexdigest()[:24]
        target = cache_folder() / "archives" / mark
        if target.is_dir():
            return target
        aside = target.with_name(f"{mark}.{os.getpid()}.part")
        with zipfile.ZipFile(file) as packed:
            entries = [entry for entry in packed.infolist() if _wanted(entry)]
            if sum(entry.file_size for entry in entries) > _MOST_BYTES:
                raise DoppelgramError(f"{file}: holds more than {_MOST_BYTES // 2**30} GB; unpack it yourself")
            try:
                for entry in entries:
                    packed.extract(entry, aside)
                aside.mkdir(parents=True, exist_ok=True)
                os.replace(aside, target)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        return target
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as problem:  # encrypted, unknown packing
        raise DoppelgramError(f"{file}: cannot be unpacked: {getattr(problem, 'strerror', None) or problem}") from None


def located(root: Path, path: str) -> Path:
    """Where the file of a relative path lies: below ``root``, or, of ``some.zip/inside.jpg``, where it was unpacked.

    Raises:
        DoppelgramError: the ZIP file cannot be unpacked.
    """
    for found in re.finditer(r"\.zip/", path, re.IGNORECASE):
        archive = root / path[: found.end() - 1]
        if archive.is_file():
            return unpacked(archive) / path[found.end() :]
    return root / path


def _wanted(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    inside = not entry.is_dir() and bool(parts) and ".." not in parts and not entry.filename.startswith("/")
    return inside and (is_json(parts[-1]) or parts[-1].lower().endswith(_READ))
