"""Which pictures lie beside a JSON file, by its name: as downloaders call them, and as Google Takeout does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_JSON = re.compile(r"\.(json|jsonl|ndjson)(\.xz)?$", re.IGNORECASE)
_INFO = re.compile(r"\.(info|supplemental-metadata)$", re.IGNORECASE)
_REST = re.compile(r"[ _.-]+\d.*")
_TAKEOUT_LONGEST = 46
_TAKEOUT_NUMBER = re.compile(r"(.*)(\(\d+\))")
# What Google adds to the name of a photograph that was edited, in the languages of most users.
_EDITED = re.compile(
    r"(.+)-(edited|bearbeitet|modifié|editado|editada|modificato|bewerkt|edytowane|redigerad|redigeret|muokattu|"
    r"upraveno|editat|düzenlendi|изменено|编辑|已編輯|編集済み|수정됨)",
    re.IGNORECASE,
)


def images_beside(folder: str, files: Iterable[str], images: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """For each JSON file of a folder, by name, its pictures; each picture goes to one file, the most particular one.

    ``x.jpg.json``, ``x.json``, ``x.info.json`` are of ``x.jpg``. ``x.json`` is also of ``x_1.jpg`` and of
    ``x 2 - large.jpg``, if no other file is. Google Takeout's names are cut after 46 characters, a
    number stands before or after the ending, and edited photographs have no file of their own.

    Args:
        folder: in which both lie; only for the names of pictures.
        files: names of JSON files.
        images: paths of pictures in that folder.
    """
    names = {image[len(folder) + 1 if folder else 0 :]: image for image in images}
    stems = sorted(((_stem(file), file) for file in files), key=lambda one: (-len(one[0]), one[1]))
    exact: dict[str, str] = {}
    for stem, file in stems:
        exact.setdefault(stem.casefold(), file)
    plain = {_JSON.sub("", file).casefold(): file for _, file in stems}
    found: dict[str, list[str]] = {file: [] for _, file in stems}
    for name, image in sorted(names.items()):
        stem = name.rsplit(".", 1)[0]
        of = exact.get(name.casefold()) or _takeout(name, plain) or exact.get(stem.casefold())
        if of is None:
            fitting = ((known, file) for known, file in stems if stem.startswith(known))
            of = next((file for known, file in fitting if _REST.fullmatch(stem[len(known) :])), None)
        if of is not None:
            found[of].append(image)
    yield from found.items()


def _stem(name: str) -> str:
    """Of ``x.jpg.json``, ``x.json.xz`` and ``x.info.json``: ``x.jpg``, ``x`` and ``x``."""
    return _INFO.sub("", _JSON.sub("", name))


def _takeout(name: str, plain: dict[str, str]) -> str | None:
    """The JSON file that Google Takeout writes for a picture, among those by their names without ``.json``."""
    stem, dot, ending = name.rpartition(".")
    number = ""
    if match := _TAKEOUT_NUMBER.fullmatch(stem):
        stem, number = match[1], match[2]
    edited = _EDITED.fullmatch(stem)
    for one in (stem, edited[1]) if edited else (stem,):
        whole = f"{one}{dot}{ending}"
        for base in (f"{whole}.supplemental-metadata", whole, one):
            cut = base[:_TAKEOUT_LONGEST]
            for wanted in (cut + number, f"{one}{number}{dot}{ending}"[:_TAKEOUT_LONGEST]):
                if (file := plain.get(wanted.casefold())) is not None:
                    return file
        # Of a long name any beginning of the addition may be left: ".supplemental-meta", ".suppl", ".s".
        for length in range(1, len(".supplemental-metadata")):
            shortened = whole + ".supplemental-metadata"[:length] + number
            if (file := plain.get(shortened.casefold())) is not None:
                return file
    return None
