"""Where people cover the place behind them: DeepLab through OpenVINO, or a transformers segmentation model."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.pose.engine import Engine
from doppelgram.pose.squares import cut, letterbox
from doppelgram.pose.transformers_folder import load_network
from doppelgram.weights import find_weights

# Number of the class "person" among Pascal VOC's.
_PERSON = 15
# Masks are kept with so many pixels along the longer side, more than networks with a stride of 16 resolve.
_KEPT = 256


class Segmenter(Protocol):
    """What tells people from the place; one object may be used by several threads at a time.

    Attributes:
        name: ``deeplab`` or ``transformers``.
        key: what decides its answers, fit for a file name.
    """

    name: str
    key: str

    def person_mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which pixels of an upright RGB photograph, uint8 (h, w, 3), show a person: bool (h, w)."""
        ...


@dataclass(frozen=True)
class PersonMask:
    """Which part of a photograph shows people, compressed.

    Attributes:
        png: of one bit a pixel, at most 256 pixels along the longer side.
        width: of the upright photograph in pixels.
        height: in pixels.
    """

    png: bytes
    width: int
    height: int

    @classmethod
    def of(cls, mask: NDArray[np.bool_], width: int, height: int) -> PersonMask:
        """Compress a mask, bool (h, w) of any size, of a photograph of that width and height."""
        image = Image.fromarray(mask.astype(np.uint8) * 255)
        if max(image.size) > _KEPT:
            scale = _KEPT / max(image.size)
            image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        file = BytesIO()
        image.point(lambda value: 255 if value >= 128 else 0).convert("1").save(file, "PNG")
        return cls(file.getvalue(), width, height)

    def at(self, width: int, height: int) -> NDArray[np.bool_]:
        """The mask, bool (height, width), of the photograph in another size; edges are smoothed."""
        with Image.open(BytesIO(self.png), formats=("PNG",)) as image:
            return enlarged(np.asarray(image.convert("L")) > 0, width, height)


class DeepLab:
    """People by DeepLab v3 with Pascal's classes."""

    name = "deeplab"

    def __init__(self, file: Path) -> None:
        """Load the network: RGB uint8 (1, size, size, 3) to classes (1, size, size).

        Raises:
            DoppelgramError: OpenVINO is absent or the file holds another network.
        """
        self._engine = Engine(file, what="DeepLab")
        shape = self._engine.shape
        if len(shape) != 4 or shape[3] != 3 or self._engine.outputs != [shape[:3]]:
            raise DoppelgramError(
                f"{file}: is not DeepLab's network: it maps {shape} to {self._engine.outputs}, "
                "not (1, size, size, 3) to (1, size, size)"
            )
        self.key = f"deeplab-{self._engine.digest}-2"

    def person_mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """See `Segmenter`."""
        height, width = image.shape[:2]
        size = self._engine.shape[1]
        classes = self._engine(cut(Image.fromarray(image), letterbox(width, height), size)[None])[0][0]
        return _unboxed(classes == _PERSON, width, height)


class SegmentationModel:
    """People by any transformers model of semantic segmentation that has a class "person"."""

    name = "transformers"

    def __init__(self, folder: Path) -> None:
        """Load the model from a local folder.

        Raises:
            DoppelgramError: the folder holds something else, or a model that knows no people.
        """
        self._network = load_network(folder, "AutoModelForSemanticSegmentation", "a segmentation model")
        names = {int(number): str(name).lower() for number, name in self._network.config.id2label.items()}
        self._people = [number for number, name in names.items() if name.split(",")[0].strip() == "person"]
        if not self._people:
            raise DoppelgramError(f"{folder}: this model knows no class 'person'")
        size = self._network.preprocessing.get("size")
        if isinstance(size, dict):
            size = size.get("height") or size.get("shortest_edge")
        self._size = size if isinstance(size, int) and 32 <= size <= 4096 else 512
        self.key = f"transformers-{self._network.digest}-2"

    def person_mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """See `Segmenter`."""
        import torch

        height, width = image.shape[:2]
        square = cut(Image.fromarray(image), letterbox(width, height), self._size)
        with torch.inference_mode():
            logits = self._network.model(torch.from_numpy(self._network.normalised(square))[None]).logits
            classes = logits[0].argmax(0).numpy()
        return _unboxed(np.isin(classes, self._people), width, height)


def make_segmenter(
    name: str = "deeplab", weights: Path | None = None, segmenter_weights: Path | None = None
) -> DeepLab | SegmentationModel:
    """Make a segmenter.

    Args:
        name: ``deeplab``, or a transformers folder: its path, or its name in a folder of weights.
        weights: folder to look weights up in first.
        segmenter_weights: DeepLab's file itself, instead of looking it up.

    Raises:
        DoppelgramError: it is not there or holds something else.
    """
    if name == "deeplab":
        return DeepLab(segmenter_weights or find_weights("deeplab_v3_pascal", weights))
    folder = segmenter_weights or Path(name).expanduser()
    return SegmentationModel(folder if folder.is_dir() else find_weights(name, weights))


def enlarged(mask: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """A mask in another size, its edges smoothed instead of stepped."""
    if mask.shape == (height, width):
        return mask
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)) >= 128)


def _unboxed(square: NDArray[np.bool_], width: int, height: int) -> NDArray[np.bool_]:
    """The photograph's part of a letterboxed square, in the photograph's size."""
    scale = square.shape[0] / max(width, height)
    x, y = ((square.shape[0] - side * scale) / 2 for side in (width, height))
    image = Image.fromarray(square.astype(np.uint8) * 255)
    box = (x, y, x + width * scale, y + height * scale)
    return np.asarray(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box)) >= 128)
