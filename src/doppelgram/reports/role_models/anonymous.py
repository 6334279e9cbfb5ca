"""A trace without names: authors as letters, posts as numbers, no captions, faces blurred."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter

from doppelgram.pose.skeleton import Keypoints
from doppelgram.reports.role_models.photographs import Picture, Pictures
from doppelgram.rolemodels.result import RoleModels

# Columns of posts that hold paths; everything that posts say beyond the columns of a trace is left out.
_PATHS = ("path", "parent", "repost_of", "source", "target", "role_model", "earliest", "originator", "best")
_LAST = "status"
_TABLES = ("role_models", "edges", "arrangements", "authors", "places")
_HEAD, _NECK = (0, 14, 15, 16, 17), 1


def letters(number: int) -> str:
    """A, B, ..., Z, AA, AB, ... for 0, 1, ..."""
    text = ""
    while number >= 0:
        text, number = chr(ord("A") + number % 26) + text, number // 26 - 1
    return text


def anonymised(found: RoleModels) -> tuple[RoleModels, dict[str, str]]:
    """The trace with authors as letters and posts as numbers, in order of rank, and the path behind each number.

    Columns that posts brought along (captions, addresses, coordinates) are left out; times and places stay. Notes
    that name an author speak of the letter.
    """
    posts = found.role_models
    width = max(4, len(str(len(posts))))
    names = {path: f"post {k:0{width}d}" for k, path in enumerate(posts["path"].astype(str), start=1)}
    known = [author for author in dict.fromkeys(posts["author"].astype(str)) if author]
    authors = {author: letters(k) for k, author in enumerate(known)}
    found = with_paths(found, names)
    kept = list(posts.columns[: list(posts.columns).index(_LAST) + 1])
    changed: dict[str, Any] = {"role_models": found.role_models[kept].copy()}
    for name in _TABLES:
        table: pd.DataFrame = changed.get(name, getattr(found, name))
        if "author" in table.columns:
            table = table.assign(author=[authors.get(str(author), "") for author in table["author"]])
        changed[name] = table
    notes = tuple(_renamed(note, authors) for note in found.notes)
    return replace(found, **changed, notes=notes), {name: path for path, name in names.items()}


def with_paths(found: RoleModels, names: Mapping[str, str]) -> RoleModels:
    """The trace with posts called otherwise.

    Args:
        found: the trace.
        names: by a post's path its new name; one that is not listed has none.
    """
    changed: dict[str, Any] = {}
    for name in _TABLES:
        table: pd.DataFrame = getattr(found, name).copy()
        for column in table.columns.intersection(list(_PATHS)):
            table[column] = [names.get(str(path), "") for path in table[column]]
        changed[name] = table
    return replace(found, **changed)


def _renamed(note: str, authors: Mapping[str, str]) -> str:
    start = "One author, "
    for author, letter in authors.items():
        if note.startswith(f"{start}{author}, made "):
            return note.replace(f"{start}{author}, made ", f"{start}{letter}, made ", 1)
    return note


class AnonymousPictures:
    """Pictures by a post's number, in which the head of everybody who was found is blurred: a `Pictures`.

    People whom the model did not find, such as those in the background, are not blurred.
    """

    def __init__(self, pictures: Pictures, path_of: Mapping[str, str]) -> None:
        """Prepare.

        Args:
            pictures: looks up by path.
            path_of: by a post's number its path.
        """
        self._pictures, self._path_of = pictures, path_of

    def __call__(self, path: str, side: int) -> Picture | None:
        """As `Pictures`; a photograph in which nobody was found is left out, since nobody can be blurred in it."""
        picture = self._pictures(self._path_of.get(path, ""), side)
        if picture is None or not picture.people:
            return None
        with Image.open(BytesIO(picture.jpeg)) as opened:
            image = opened.convert("RGB")
        for person in picture.people:
            blur_head(image, person)
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=82)
        return replace(picture, jpeg=buffer.getvalue())


def blur_head(image: Image.Image, person: Keypoints) -> None:
    """Blur a disc over the head of a person (18, 3), in place; over the whole person's box if no head was found."""
    sure = np.isfinite(person[:, :2]).all(axis=1) & (person[:, 2] > 0)
    if not sure.any():
        return
    points = person[sure, :2]
    height = float(np.ptp(points[:, 1]))
    head = [k for k in _HEAD if sure[k]]
    if head:
        middle = person[head, :2].mean(axis=0)
        reach = np.linalg.norm(person[head, :2] - middle, axis=1).max()
        neck = float(np.linalg.norm(person[_NECK, :2] - middle)) if sure[_NECK] else 0.0
        radius = max(1.6 * float(reach), 0.9 * neck, 0.09 * height, 0.02 * max(image.size))
        box = [middle[0] - radius, middle[1] - 1.2 * radius, middle[0] + radius, middle[1] + radius]
    else:
        margin = 0.15 * max(height, 8.0)
        box = [*(points.min(axis=0) - 2 * margin), *(points.max(axis=0) + margin)]
    mask = Image.new("L", image.size)
    (ImageDraw.Draw(mask).ellipse if head else ImageDraw.Draw(mask).rectangle)([float(edge) for edge in box], fill=255)
    strength = max(4.0, 0.35 * float(box[2] - box[0]))
    image.paste(image.filter(ImageFilter.GaussianBlur(strength)), mask=mask)
