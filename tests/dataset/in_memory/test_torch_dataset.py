"""A collection as a torch dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch.utils.data import DataLoader

from doppelgram import DoppelgramError, read_collection, to_torch


def test_images_and_classes_in_batches(class_folder: Callable[..., Path]) -> None:
    collection = read_collection(class_folder(classes=3, images=4))
    dataset = to_torch(collection, transform=lambda image: np.array(image.resize((8, 8))))
    assert dataset.classes == ["kind0", "kind1", "kind2"]
    images, codes = next(iter(DataLoader(dataset, batch_size=12)))
    assert images.shape == (12, 8, 8, 3)
    assert [dataset.classes[code] for code in codes.tolist()] == collection.labels.tolist()
    image, code = to_torch(collection)[5]
    assert np.array_equal(np.asarray(image), np.asarray(Image.open(collection.paths[5]).convert("RGB")))
    assert code == dataset.targets[5] == dataset.class_to_idx["kind1"]
    assert read_collection(dataset.collection.table, root=collection.root).paths == collection.paths


def test_no_label_and_no_file(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    dataset = to_torch(read_collection(tmp_path))
    assert dataset[0][1] == -1
    assert dataset[0][0].mode == "RGB"
    (tmp_path / "a.png").unlink()
    with pytest.raises(DoppelgramError, match=r"a\.png"):
        dataset[0]
