"""Every colour mode that a file may have, to RGB."""

import numpy as np
from PIL import Image

# Whites of sensors: a grey of 10, 12 or 14 bits is kept in 16 without being scaled.
_WHITES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))
_WHITE = (255, 255, 255)


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a loaded ``image`` as a new image in mode RGB, transparent parts over white.

    CMYK is converted without a profile; Pillow has already put right the inverted values of Adobe's JPEGs.
    """
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _from_integers(image)
    if image.mode == "F":
        return _stretched(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", image.size, _WHITE)
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    return image.convert("RGB")


def _from_integers(image: Image.Image) -> Image.Image:
    # Pillow's own conversion would cut everything above 255 off to white.
    values = np.asarray(image)
    if values.dtype.itemsize > 2 and (values.min() < 0 or values.max() > 65535):
        return _stretched(values)
    white = next(white for white in _WHITES if values.max() <= white)
    scaled = (values.astype(np.uint32) * 255 + white // 2) // white
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def _stretched(values: np.ndarray) -> Image.Image:
    """Map smallest to black and largest to white: 32-bit numbers have no agreed white point."""
    grey = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    grey -= low
    if high > low:
        grey *= 255 / (high - low)
    return Image.fromarray(np.rint(grey).clip(0, 255).astype(np.uint8)).convert("RGB")
