"""Tables that two viewers of photographs read: VIKUS Viewer and PixPlot."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from doppelgram.catalog.findings import FOUND_COLUMNS
from doppelgram.dataset.collection import RESERVED
from doppelgram.files import written_whole
from doppelgram.reports.site.shown import Shown, own_name
from doppelgram.space.exact import Float64

UNDATED = "undated"
TABLES = ("vikus/data.csv", "vikus/map.csv", "pixplot/metadata.csv")


def write_tables(
    shown: Shown, photographs: Sequence[str], rows: Sequence[str], points: Float64, folder: Path
) -> list[Path]:
    """Write ``vikus/data.csv``, ``vikus/map.csv`` and ``pixplot/metadata.csv``, one line a photograph.

    VIKUS Viewer finds a photograph by its ``id``, which its documentation calls ``imageid``, as ``ID.jpg``; a layout
    has ``id``, ``x`` and ``y``. PixPlot finds it by its file's name; tags are divided by ``|``.

    Args:
        shown: the photographs.
        photographs: rows that have a file; they are listed.
        rows: n rows that are on the map.
        points: (n, 2) where they are on it.
        folder: to write into.
    """
    vikus, pixplot = [], []
    for row in photographs:
        facts = shown.rows.loc[row]
        number, tags = shown.numbers[row], _tags(str(facts["columns"]))
        dated = not pd.isna(facts["timestamp"])
        year = str(facts["timestamp"].year) if dated else ""
        when = facts["timestamp"].strftime("%Y-%m-%d") if dated else ""
        name, label = own_name(str(facts["name"])), str(facts["label"])
        words = ",".join(_without(tag, ",") for tag in tags)
        vikus.append([number, number, words, year or UNDATED, name, str(facts["author"]), when])
        bars = "|".join(_without(tag, "|") for tag in tags)
        pixplot.append([f"{number}.jpg", label, bars, name, "", year])
    listed = set(photographs)
    on_map = [
        [shown.numbers[row], f"{x:.5g}", f"{y:.5g}"]
        for row, (x, y) in zip(rows, points.tolist(), strict=True)
        if row in listed
    ]
    contents = (
        [["id", "imageid", "keywords", "year", "_name", "_author", "_date"], *vikus],
        [["id", "x", "y"], *on_map],
        [["filename", "category", "tags", "description", "permalink", "year"], *pixplot],
    )
    return [_write(folder / name, lines) for name, lines in zip(TABLES, contents, strict=True)]


def _tags(columns: str) -> list[str]:
    """The labels of a photograph, each once."""
    known = json.loads(columns or "{}")
    return list(dict.fromkeys(v for k, v in known.items() if v and k not in (*FOUND_COLUMNS, *RESERVED)))


def _without(text: str, divider: str) -> str:
    return " ".join(text.replace(divider, " ").split())


def _write(file: Path, lines: Iterable[Sequence[str]]) -> Path:
    with written_whole(file) as aside, aside.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)
    return file
