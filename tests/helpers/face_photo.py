"""A photograph of a person that comes with Matplotlib: Grace Hopper, by the US Navy, in the public domain."""

from pathlib import Path

import matplotlib
from PIL import Image

# Her face, measured by hand in the upright photograph of 512 x 600 pixels.
CENTRE, SIDE = (262.0, 215.0), 225.0


def portrait() -> Image.Image:
    """The photograph, RGB."""
    return Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").convert("RGB")


def turned(degrees: float) -> Image.Image:
    """The photograph turned clockwise about its centre, with the canvas of its own size."""
    return portrait().rotate(-degrees, Image.Resampling.BICUBIC)
