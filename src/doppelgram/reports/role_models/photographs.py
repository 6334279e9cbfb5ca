"""The photographs that a report shows, as the catalog keeps them: no file is opened again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO

import numpy as np
from PIL import Image

from doppelgram.catalog.findings import people_from
from doppelgram.catalog.store import Catalog
from doppelgram.pose.skeleton import Keypoints
from doppelgram.reports.role_models.pictures import Picture

PORTRAIT_SIDE = 480
"""Long side in pixels of the largest picture in a report."""

_QUALITY = 82


class CatalogPictures:
    """Looks up the picture of a post; what a report calls with the post's path and a size."""

    def __init__(self, catalog: Catalog, digests: Mapping[str, str]) -> None:
        """Prepare to look up.

        Args:
            catalog: that holds the posts.
            digests: by the post's path, its id in the catalog.
        """
        self._catalog, self._digests = catalog, digests

    def __call__(self, path: str, side: int) -> Picture | None:
        """The picture at a long side of at most ``side`` pixels, and the people found in it; None if there is none."""
        digest = self._digests.get(path)
        if digest is None:
            return None
        try:
            thumbnail = self._catalog.find([digest], ["thumbnail"])["thumbnail"].iloc[0]
            with Image.open(BytesIO(thumbnail), formats=["JPEG"]) as kept:
                image = kept.convert("RGB")
        except (IndexError, OSError):
            return None
        image.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=3.0)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=_QUALITY)
        return Picture(buffer.getvalue(), *image.size, self._people(digest, image.width))

    def _people(self, digest: str, width: int) -> list[Keypoints]:
        """Who was found in a photograph, in pixels of the same ``width`` pixels wide."""
        found = self._catalog.find([digest], ["columns"])["columns"]
        people = people_from(json.loads(found.iloc[0])) if len(found) else None
        if people is None:
            return []
        scale = np.array([width / people.width, width / people.width, 1.0], dtype=np.float32)
        return [person * scale for person in people.keypoints]
