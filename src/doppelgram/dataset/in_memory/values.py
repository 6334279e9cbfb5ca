"""One image in memory, in whichever form a library holds it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source

_SPANS = "a tensor or array of an image holds uint8, 0 to 255, or fractions from 0 to 1"


def is_nothing(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def is_image(value: Any) -> bool:
    """Whether a value is an image in memory: Pillow's, an array or tensor, or Hugging Face's ``{"bytes", "path"}``."""
    if isinstance(value, Mapping):
        return set(value) == {"bytes", "path"}
    return isinstance(value, Image.Image) or getattr(value, "ndim", 0) in (2, 3)


def in_a_row(images: Any) -> Any:
    """Several images, as they are given.

    Raises:
        DoppelgramError: it is one image alone, or has no length, such as a generator.
    """
    alone = is_path(images) or isinstance(images, (bytes, bytearray, Image.Image))
    if alone or (getattr(images, "ndim", 0) == 3 and images.shape[2] == 3):
        raise DoppelgramError("this is one image alone; give a list of images")
    if not hasattr(images, "__len__"):
        raise DoppelgramError(f"a {type(images).__name__} has no length; give a list of images")
    return images


def is_path(value: Any) -> bool:
    """Whether a value is text or a path."""
    return isinstance(value, (str, os.PathLike))


def unwrapped(value: Any) -> Any:
    """What stands in Hugging Face's ``{"bytes", "path"}``: the bytes of a file, or else its absolute path."""
    if not isinstance(value, Mapping):
        return value
    found = value["bytes"] if value["bytes"] is not None else value["path"]
    return os.path.abspath(found) if isinstance(found, str) else found


def source_of(value: Any, where: str) -> Source:
    """A value as `images.read` takes it: a path, bytes, Pillow's image or an array (h, w, 3).

    Args:
        value: a path, Pillow's image, a file's bytes, an array or tensor, or Hugging Face's ``{"bytes", "path"}``.
        where: what to call it in an error.

    Raises:
        DoppelgramError: it is none of these. What bytes hold is found out when they are read.
    """
    value = unwrapped(value)
    if is_path(value):
        return Path(value)
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, Image.Image):
        return value
    if getattr(value, "ndim", 0) in (2, 3):
        return pixels_of(value, where)
    if is_nothing(value):
        raise DoppelgramError(f"{where}: there is no image; leave it out")
    raise DoppelgramError(f"{where}: a {type(value).__name__} is no image; give a path, a Pillow image, bytes or array")


def pixels_of(value: Any, where: str) -> NDArray[np.uint8]:
    """An array or tensor as uint8 (h, w, 3): grey or in colours, channels first or last.

    Args:
        value: uint8, or fractions from 0 to 1; (h, w), (h, w, 1 or 3) or (1 or 3, h, w).
        where: what to call it in an error.

    Raises:
        DoppelgramError: another shape, or other numbers, as those of a normalised tensor.
    """
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except TypeError:  # numbers that numpy does not have, such as bfloat16
        raise DoppelgramError(f"{where}: {_SPANS}, not {value.dtype}") from None
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] not in (1, 3) and array.shape[0] in (1, 3):
        array = np.moveaxis(array, 0, 2)
    if array.shape[2] not in (1, 3) or not array.size:
        raise DoppelgramError(f"{where}: an array of shape {np.shape(value)} is no image in grey or three colours")
    if np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):
            raise DoppelgramError(f"{where}: {_SPANS}; leave normalisation out of the dataset's transform")
        array = np.rint(array * 255).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise DoppelgramError(f"{where}: {_SPANS}, not {array.dtype}")
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))
