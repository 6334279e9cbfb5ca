"""The photographs of a catalog, found by what a table calls them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from doppelgram.dataset.image_table import path_key


class Photographs:
    """Finds photographs of a catalog by id, path or name.

    Args:
        rows: columns ``id``, ``path`` and ``name``.
    """

    def __init__(self, rows: pd.DataFrame) -> None:
        self.path: Mapping[str, str] = dict(zip(rows["id"], rows["path"], strict=True))
        self.name: Mapping[str, str] = dict(zip(rows["id"], rows["name"], strict=True))
        self._found: dict[str, str] = {}
        for column in ("name", "path", "id"):  # the last one wins where a text is two of these
            self._found |= {path_key(text): id_ for text, id_ in zip(rows[column], rows["id"], strict=True)}

    def find(self, text: str) -> str:
        """The id of a photograph; empty where there is none."""
        return self._found.get(path_key(text), "") or self._found.get(path_key(str(Path(text).absolute())), "")

    def spelled(self, id_: str) -> str:
        """What to call it in a sentence."""
        return self.name.get(id_) or id_[:8]
