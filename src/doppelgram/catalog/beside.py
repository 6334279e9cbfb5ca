"""Vectors of further models beside a catalog's own: each set is a catalog of its own in the folder ``beside``.

So whatever works with a catalog works with each of them, and a set can be made, searched and thrown away without
touching the others. What is deleted from a catalog, or called otherwise in it, is so in them too.
"""

from __future__ import annotations

import re
from os import PathLike

from doppelgram.catalog.folder import CATALOG_FILE, holds_catalog, plain_errors
from doppelgram.errors import DoppelgramError
from doppelgram.numbers import listing
from doppelgram.storage.location import Location
from doppelgram.storage.resolve import location_of

BESIDE_FOLDER = "beside"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,63}")


def location_beside(catalog: Location, name: str) -> Location:
    """Where the vectors of this name lie, or would.

    Raises:
        DoppelgramError: it is no name.
    """
    if not _NAME.fullmatch(name):
        raise DoppelgramError(f"'{name[:80]}' is no name for vectors; use up to 64 letters, digits, '.', '-' and '_'")
    return catalog.inner(BESIDE_FOLDER).inner(name)


def location_to_fill(where: Location | PathLike[str] | str, name: str = "") -> Location:
    """Where a catalog is filled: there, or with a name the vectors beside the catalog that lies there.

    Raises:
        DoppelgramError: it is no name, or no catalog lies there that vectors could stand beside.
    """
    location = location_of(where)
    if not name:
        return location
    if not holds_catalog(location):
        raise DoppelgramError(f"{location}: --beside goes with a catalog, and there is none; index into it first")
    return location_beside(location, name)


def vectors_beside(where: Location | PathLike[str] | str, name: str) -> Location:
    """Where the vectors of this name lie, beside those of the catalog that lies there.

    Raises:
        DoppelgramError: there are none, or that cannot be found out.
    """
    catalog = location_of(where)
    with plain_errors(catalog, "read"):
        found, there = location_beside(catalog, name), names_beside(catalog)
    if name not in there:
        has = f"there are {listing(there)}" if there else "`doppelgram index --beside NAME` puts some there"
        raise DoppelgramError(f"{catalog}: has no vectors '{name}' beside its own; {has}")
    return found


def names_beside(catalog: Location) -> list[str]:
    """Names of the sets of vectors beside a catalog's own; raises OSError where that cannot be found out."""
    folder = catalog.inner(BESIDE_FOLDER)
    return [name for name in folder.names() if folder.inner(name).read(CATALOG_FILE) is not None]
