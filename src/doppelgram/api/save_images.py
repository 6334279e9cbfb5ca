"""Images in memory, written once as files, since everything here reads files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.collection import Collection
from doppelgram.dataset.in_memory.kept import KeptImages
from doppelgram.dataset.in_memory.tables import rows_in_memory
from doppelgram.dataset.loading import tell_notes
from doppelgram.dataset.read import as_collection, read_in_memory
from doppelgram.dataset.times import Clock


def save_images(
    data: Any,
    folder: Path | str,
    *,
    label: str = "",
    timezone: str = "UTC",
    columns: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Collection:
    """Write images that are in memory into a folder, and return them with all that is said of them.

    Bytes of a file stay as they are, pixels become PNG. A file is named by its content, so that the same images give
    the same files, and in a catalog the same rows, however often they are written. What is a file already stays where
    it is.

    Args:
        data: a dataset of Hugging Face or torch, a DataFrame or an Arrow table; a column holds Pillow images, bytes,
            arrays (uint8, or fractions from 0 to 1) or paths.
        folder: where images are written; made if it is not there.
        label: column to compare by, as for `read_collection`; by default one of classes, if there is one.
        timezone: of times that name none, by its IANA name.
        columns: what the data calls a column: ``{"path": "photo"}`` names that of the images.
        progress: where progress is shown; the terminal by default.

    Returns:
        The images, for `train`, `index` and everything else.

    Raises:
        DoppelgramError: the data holds no images, one of them is none, or the folder cannot be written to.
    """
    target, progress = Path(folder).expanduser(), progress or TerminalProgress()
    rows = rows_in_memory(data)
    with progress.bar("writing images", rows.count if rows else 0) as advance:
        kept = KeptImages(target)
        found = read_in_memory(data, Clock(timezone), target, columns, keep=kept, progress=advance)
    tell_notes(found, progress)
    return as_collection(found, label=label)
