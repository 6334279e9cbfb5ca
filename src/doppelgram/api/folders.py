"""Output folders, looked at before the work that is to be written into them."""

from __future__ import annotations

import os
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
