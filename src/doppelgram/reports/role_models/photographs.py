"""The photographs that a report shows: from the file where it is still there, else from the catalog's thumbnail."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from doppelgram.catalog.findings import people_from
from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.images.decode import open_image
from doppelgram.pose.skeleton import Keypoints
from doppelgram.reports.role_models.pictures import Picture

_QUALITY = 82


class CatalogPictures:
    """Looks up the picture of a post; what a report calls with the post's path and a size."""

    def __init__(self, catalog: Catalog, files: Mapping[str, Path], digests: Mapping[str, str]) -> None:
        """Prepare to look up.

        Args:
            catalog: that holds the posts.
            files: by the post's path, where its photograph lies.
            digests: by the post's path, its id in the catalog.
        """
        self._catalog, self._files, self._digests = catalog, files, digests

    def __call__(self, path: str, side: int) -> Picture | None:
        """The picture at a long side of ``side`` pixels, with the people found in it; None if there is none."""
        digest = self._digests.get(path)
        if digest is None:
            return None
        image = self._image(path, digest, side)
        if image is None:
            return None
        image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=_QUALITY)
        return Picture(buffer.getvalue(), *image.size, self._people(digest, image.width))

    def _image(self, path: str, digest: str, side: int) -> Image.Image | None:
        try:
            return open_image(self._files[path], at_least=side)
        except (KeyError, DoppelgramError, MemoryError):
            pass
        try:
            thumbnail = self._catalog.find([digest], ["thumbnail"])["thumbnail"].iloc[0]
            with Image.open(BytesIO(thumbnail), formats=["JPEG"]) as image:
                return image.convert("RGB")
        except (IndexError, OSError):
            return None

    def _people(self, digest: str, width: int) -> list[Keypoints]:
        """Who was found in a photograph, in pixels of the same ``width`` pixels wide."""
        found = self._catalog.find([digest], ["columns"])["columns"]
        people = people_from(json.loads(found.iloc[0])) if len(found) else None
        if people is None:
            return []
        scale = np.array([width / people.width, width / people.width, 1.0], dtype=np.float32)
        return [person * scale for person in people.keypoints]
