"""Pictures that tests draw."""

from __future__ import annotations

import numpy as np
from PIL import Image


def stripes(kind: int, rng: np.random.Generator, size: int = 40) -> Image.Image:
    """A picture of class ``kind``: stripes whose direction and spacing are the class, whose colours are not."""
    y, x = np.mgrid[:size, :size] / size
    angle, waves = kind * 0.7, 3 + kind % 3
    wave = np.sin(2 * np.pi * waves * (x * np.cos(angle) + y * np.sin(angle)) + rng.uniform(0, 6))
    dark, light = rng.integers(0, 110, 3), rng.integers(140, 255, 3)
    pixels = np.where(wave[..., None] > 0, light, dark) + rng.normal(0, 8, (size, size, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
