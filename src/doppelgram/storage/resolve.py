"""A location as users and programs write it."""

from __future__ import annotations

import re
from os import PathLike, fspath

from doppelgram.errors import DoppelgramError
from doppelgram.storage.bucket import SCHEME, Bucket
from doppelgram.storage.folder import Folder
from doppelgram.storage.location import Location

_OTHER = re.compile(r"[a-z][a-z0-9+.-]*://")


def location_of(where: Location | PathLike[str] | str) -> Location:
    """The location that is meant: a folder, or ``s3://bucket/prefix``.

    Raises:
        DoppelgramError: it is an address of another kind.
    """
    if not isinstance(where, (str, PathLike)):
        return where
    if in_bucket(where):
        return Bucket(fspath(where))
    if not isinstance(where, str) and fspath(where).startswith("s3:/"):
        raise DoppelgramError(f"{where}: a path cannot hold an address; give s3://bucket/prefix as text")
    if isinstance(where, str) and _OTHER.match(where):
        raise DoppelgramError(f"{where}: is no folder and no s3://bucket/prefix")
    return Folder(fspath(where))


def in_bucket(where: object) -> bool:
    """Whether this is the address of a bucket's prefix; a path is none."""
    return isinstance(where, str) and where.startswith(SCHEME)
