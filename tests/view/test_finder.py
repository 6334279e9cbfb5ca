"""Points of files: people left out, kept by content, and what is said where a part is missing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.pose.segmenter import DeepLab
from doppelgram.view.finder import ViewFinder, asked_view
from doppelgram.view.points import XFeat
from doppelgram.weights import cache_folder
from helpers.views import saved, taken_from_elsewhere


def test_files_are_compared_and_points_are_kept(
    xfeat: XFeat, deeplab_file: Path, scenes: tuple[Image.Image, Image.Image], tmp_path: Path
) -> None:
    masked = scenes[0].copy()
    masked.paste((255, 0, 0), (0, 0, 320, 320))
    files = [
        saved(image, tmp_path / f"{k}.png")
        for k, image in enumerate((scenes[0], taken_from_elsewhere(scenes[0]), scenes[1], masked))
    ]
    (tmp_path / "broken.png").write_text("no image")
    files.append(tmp_path / "broken.png")
    looked: list[int] = []
    pairs = [(files[0], files[k]) for k in (1, 2, 3, 4, 0)]
    finder = ViewFinder(xfeat, DeepLab(deeplab_file))
    again, other, covered, broken, itself = finder.compare(pairs, looked.append)
    assert again is not None
    assert again.said
    assert [one is not None and one.said for one in (other, covered, itself)] == [False, False, True]
    assert broken is None
    assert sum(looked) == 5
    kept = list((cache_folder() / "views").rglob("*.npz"))
    assert len(kept) >= 4
    # The next process finds the same without the network, and a damaged file is as none.
    second = ViewFinder(XFeat(xfeat.file), DeepLab(deeplab_file)).compare(pairs[:1])[0]
    assert second is not None
    assert np.array_equal(second.places, again.places)
    for file in kept:
        file.write_bytes(b"damaged")
    third = ViewFinder(xfeat, DeepLab(deeplab_file)).compare(pairs[:1])[0]
    assert third is not None
    assert np.array_equal(third.places, again.places)


def test_missing_parts_are_silent_unless_asked_for(tmp_path: Path) -> None:
    """Without weights that tell people from places, nothing is said, or one sentence."""
    assert asked_view(False) is None
    assert asked_view(None, tmp_path) is None
    with pytest.raises(DoppelgramError, match=r"weights|install"):
        asked_view(True, tmp_path)
