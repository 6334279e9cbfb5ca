"""Columns of tables by the names that people give them, and values that mean nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

# Each in the order of trust: a name before a number, and who posted before whose page it is on.
AUTHOR_IDS = ("author_id", "user_id", "owner_id", "userid", "ownerid", "account_id")
AUTHOR_NAMES = (
    *("username", "user_name", "author_name", "owner_username", "ownerusername", "screen_name", "author", "user"),
    *("account", "account_name", "uploader_id", "uploader", "creator", "photographer", "owner", "profile", *AUTHOR_IDS),
)
_POSTED = ("taken_at_timestamp", "taken_at", "creation_timestamp", "timestamp", "date", "post_date", "date_utc")
_CREATED = ("created_at", "created_time", "created", "upload_date", "posted_at", "published_at", "published", "posted")
TIME_NAMES = (*_POSTED, *_CREATED)
_PATHS = ("path", "media_path", "file", "file_path", "filepath", "local_path")
MEDIA_NAMES = (*_PATHS, "uri", "media", "_filename", "filename")
ALIASES = {
    "path": (*MEDIA_NAMES, "file_name", "image", "image_path", "image_file", "img", "photo_path", "picture"),
    "author": AUTHOR_NAMES,
    "timestamp": (*TIME_NAMES, "time", "datetime", "date_time"),
}
# Further names that mean something: by these, too, a separator is recognised, and capitals make no difference.
_OF_IMAGES = ("group", "part", "place", "pose", "person", "photo", "arrangement", "parent", "label", "identity")
_OF_PAIRS = ("path_a", "path_b", "same")
_NOTHING = re.compile(
    r"-?nan|NaN|NA|N/A|n/a|<NA>|#N/A|[Nn]one|[Nn]ull|NULL|[Nn]a[Tt]|NONE|Null|undefined"
)  # as programs write it


def folded(name: str) -> str:
    """A column's name for comparison: ``File Name`` and ``file-name`` are ``file_name``."""
    return re.sub(r"[\s-]+", "_", name.strip().casefold())


def is_known(name: str) -> bool:
    """Whether a column of this name means something."""
    return folded(name) in (*_OF_IMAGES, *_OF_PAIRS) or any(folded(name) in names for names in ALIASES.values())


def find_column(name: str, columns: Sequence[str]) -> str:
    """The one of ``columns`` that is called ``name``, by another spelling or alias if need be; empty if none is."""
    if name in columns:
        return name
    spelled = {folded(column): column for column in reversed(columns)}
    wanted = folded(name)
    if wanted in spelled:
        return spelled[wanted]
    if wanted in ALIASES:
        return next((spelled[alias] for alias in ALIASES[wanted] if alias in spelled), "")
    meant = next((canonical for canonical, names in ALIASES.items() if wanted in names), "")
    return meant if meant in columns else ""


def canonical_names(columns: Sequence[str]) -> list[str]:
    """The names of a table's columns, each one that means something called by the name that this program uses."""
    renamed = {found: name for name in (*ALIASES, *_OF_IMAGES, *_OF_PAIRS) if (found := find_column(name, columns))}
    return [renamed.get(column, column) for column in columns]


def is_empty(value: str) -> bool:
    """Whether a value is empty or one that programs write for nothing, such as ``nan`` or ``None``."""
    return not value.strip() or _NOTHING.fullmatch(value.strip()) is not None


def text_column(values: pd.Series) -> pd.Series:
    """Values as stripped text, empty where there is none; whole numbers without a point, also if gaps made them floats.

    The result is of dtype object, numbered from 0.
    """
    values = values.reset_index(drop=True)
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return pd.Series([_text(value) for value in values.astype(object).where(values.notna(), "")], dtype=object)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def author_column(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Authors as text, empty where not known, and notes of what was taken for that; ``77.0`` is the author ``77``."""
    void = values.isin([value for value in values.unique() if is_empty(value)])
    meant = values.where(~void, "")
    if meant.str.fullmatch(r"(\d+\.0)?").all():
        meant = meant.str.removesuffix(".0")
    words = sorted(set(values[void]) - {""})
    if not words:
        return meant, []
    count = int((values[void] != "").sum())
    which = f"{count:,} author{'s are' if count > 1 else ' is'} called {', '.join(map(repr, words))}"
    return meant, [f"{which} and {'count' if count > 1 else 'counts'} as not known"]
