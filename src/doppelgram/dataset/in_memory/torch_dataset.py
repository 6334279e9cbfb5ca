"""A Collection as a map-style dataset of torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.utils.data import Dataset

from doppelgram.dataset.collection import Collection, codes
from doppelgram.images.decode import open_image


class ImagesDataset(Dataset[tuple[Any, int]]):
    """The images of a collection with the numbers of their classes, in the manner of torchvision's datasets.

    An item is ``(image, code)``: an upright Pillow image in RGB, or what ``transform`` makes of it, and the position
    of its class in ``classes``; -1 where no class is known.

    Args:
        collection: the images; each is read when it is asked for.
        transform: called with each image.

    Attributes:
        classes: names of the classes, sorted.
        class_to_idx: position of each class.
        targets: position of the class of each image.
    """

    def __init__(self, collection: Collection, transform: Callable[[Any], Any] | None = None) -> None:
        self.collection = collection
        self.transform = transform
        self.classes, _ = codes(collection.labels[collection.labels != ""])
        self.class_to_idx = {name: code for code, name in enumerate(self.classes)}
        self.targets = [self.class_to_idx.get(label, -1) for label in collection.labels.tolist()]

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.collection)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """One image and its class.

        Raises:
            DoppelgramError: the file is missing or no image.
        """
        image: Any = open_image(self.collection.paths[index])
        return self.transform(image) if self.transform is not None else image, self.targets[index]
