"""How far training images are changed at random; see `doppelgram.images.augment`, which does it."""

from __future__ import annotations

from dataclasses import dataclass

from doppelgram.errors import DoppelgramError

# Largest sensible value of each number: a factor of 0, half a turn, the image's own side; corners keep their order.
_LIMITS = {
    "brightness": 1.0,
    "contrast": 1.0,
    "saturation": 1.0,
    "hue": 0.5,
    "rotate": 180.0,
    "scale": 1.0,
    "shift": 1.0,
    "perspective": 0.4,
    "blur": 1.0,
    "coarse": 1.0,
    "erase": 1.0,
}


@dataclass(frozen=True)
class Augmentation:
    """How far the images of a batch are changed at random; 0 leaves out what it stands beside.

    Attributes:
        brightness: each image is multiplied by a factor from [1 - brightness, 1 + brightness].
        contrast: likewise the distance from its mean grey.
        saturation: likewise the distance from its own grey version.
        hue: largest rotation of the colours about the grey axis, as a fraction of a turn, at most 0.5.
        flip: whether every second image, by chance, is mirrored left to right.
        rotate: largest rotation to either side in degrees.
        scale: the image is enlarged or reduced by at most the factor 1 + scale, both equally likely.
        shift: largest displacement to either side as a fraction of width and height.
        perspective: largest displacement of each corner, to either side and up or down, as a fraction of width and
            height, as if a flat thing were seen from an angle.
        blur: largest share by which the image is mixed with its 3 x 3 binomial blur.
        coarse: chance that the image is reduced to between a quarter and three quarters of its side and enlarged again,
            as if it had been cut from a photograph taken from further away.
        erase: chance that a rectangle, somewhere, is filled with one random colour (Zhong et al. 2020), so that no
            single detail is relied upon.

    Raises:
        DoppelgramError: a value is out of its range; the sentence names the field.
    """

    brightness: float = 0
    contrast: float = 0
    saturation: float = 0
    hue: float = 0
    flip: bool = False
    rotate: float = 0
    scale: float = 0
    shift: float = 0
    perspective: float = 0
    blur: float = 0
    coarse: float = 0
    erase: float = 0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name, limit in _LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= limit:
                raise DoppelgramError(f"augmentation: {name} must be a number from 0 to {limit:g}, not {value!r}.")
        if not isinstance(self.flip, bool):
            raise DoppelgramError(f"augmentation: flip must be true or false, not {self.flip!r}.")
