"""A trace read back from the tables that it wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from doppelgram.errors import DoppelgramError
from doppelgram.reports.role_models.files import SUMMARY_FILE, TABLES
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings

_TIMES = {"timestamp", "first_repeat", "last_repeat", "first", "last"}
_WHOLE = {
    *("followers", "rank_low", "rank_high", "rank", "follower_authors", "total_followers", "depth", "reposts", "posts"),
    *("authors", "spread_authors", "shuffles", "arrangements", "arrangements_led", "view_points"),
}
_TRUTHS = {"is_parent", "same_first", "used"}
_TEXTS = {
    *("path", "author", "parent", "place", "repost_of", "status", "source", "target", "arrangement", "role_model"),
    *("earliest", "originator", "best"),
}
# Of posts, what stands after this column is their own, and text.
_LAST = "status"
_NEEDED = {
    "role_models": ("path", "score", _LAST),
    "edges": ("source", "target", "is_parent"),
    "arrangements": ("arrangement", "originator"),
    "authors": ("author",),
    "places": ("place",),
}
# Tables that traces of earlier builds did not write.
_LATER = ("curve", "robustness")


def holds_trace(folder: Path) -> bool:
    """Whether the tables of a trace lie in a folder."""
    return all((folder / name).is_file() for name in (SUMMARY_FILE, "role_models.csv"))


def read_trace(folder: Path) -> RoleModels:
    """Read what `write_csv` and `write_summary` wrote; numbers have the six digits that the tables have.

    Args:
        folder: with ``summary.json`` and the tables. Where there is no ``curve.csv`` or ``robustness.csv``, those of
            the result are empty.

    Raises:
        DoppelgramError: a file is missing or damaged.
    """
    try:
        summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
        tables = {name: _table(folder / f"{name}.csv", name in _LATER) for name in TABLES}
        return RoleModels(
            **tables,
            counts={str(name): int(value) for name, value in summary["counts"].items()},
            overall={str(name): _number(value) for name, value in summary["overall"].items()},
            settings=TraceSettings(**summary["settings"]),
            threshold=float(summary["threshold"]),
            decay_days=_number(summary["decay_days"]),
            notes=tuple(map(str, summary["notes"])),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        why = " ".join(str(problem).split())[:120]
        raise DoppelgramError(f"{folder}: the tables of this trace cannot be read ({why}); trace again") from None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _table(file: Path, may_lack: bool) -> pd.DataFrame:
    if may_lack and not file.is_file():
        return pd.DataFrame()
    table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")
    names = list(table.columns)
    if lacking := [name for name in _NEEDED.get(file.stem, ()) if name not in names]:
        raise ValueError(f"{file.name} has no column '{lacking[0]}'")
    own = set(names[: names.index(_LAST) + 1]) if _LAST in names else set(names)
    return pd.DataFrame({name: _typed(name, table[name]) if name in own else table[name] for name in names})


def _typed(name: str, text: pd.Series) -> Any:
    if name in _TEXTS:
        return text.astype(object)
    if name in _TIMES:
        return pd.to_datetime(text.where(text != ""), utc=True, format="ISO8601")
    if name in _TRUTHS:
        return text == "True"
    numbers = pd.to_numeric(text.where(text != ""))
    return numbers.astype("Int64") if name in _WHOLE else numbers.astype("float64")
