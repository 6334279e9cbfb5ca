"""Room for the pixels of many images: in memory, or in a file that is mapped into it."""

import math
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doppelgram.errors import DoppelgramError


def allocate(shape: tuple[int, ...], *, in_memory_up_to: int, scratch: Path | None = None) -> NDArray[np.uint8]:
    """Return an uninitialised uint8 array of ``shape``.

    Args:
        shape: of the array.
        in_memory_up_to: bytes; a larger array is mapped from a file.
        scratch: folder for that file, made if need be. The ``.npy`` file stays there for the caller to delete.
            None takes an unnamed file in the system's folder for temporary files, which is gone with the array.

    Raises:
        DoppelgramError: the folder cannot be written or has too little space.
    """
    size = math.prod(shape)
    if size <= in_memory_up_to:
        return np.empty(shape, dtype=np.uint8)
    folder = Path(tempfile.gettempdir()) if scratch is None else scratch
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Writing to a mapped file on a full disk would kill the process, so ask first.
        free = shutil.disk_usage(folder).free
        if free < size:
            raise DoppelgramError(
                f"The images need {size:,} bytes as pixels, and the folder {str(folder)!r} has {free:,} free: "
                "choose a smaller image size or a scratch folder with more room."
            )
        if scratch is None:
            with tempfile.TemporaryFile(dir=folder) as file:
                # The mapping keeps the unnamed file alive after it is closed here.
                return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        handle, name = tempfile.mkstemp(prefix="pixels-", suffix=".npy", dir=folder)
        os.close(handle)
        mapped: NDArray[np.uint8] = np.lib.format.open_memmap(name, mode="w+", dtype=np.uint8, shape=shape)
        return mapped
    except OSError as error:
        raise DoppelgramError(f"The folder {str(folder)!r} cannot hold the pixels: {error.strerror}.") from error
