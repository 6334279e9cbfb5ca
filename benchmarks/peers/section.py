"""What a comparison is made of: rows are measures of a task, columns are tools; kept as JSON, drawn as a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"
ORDER = ("training", "faces", "copies", "arrangements")
"""The comparisons, as docs/peers.md has them one after the other."""


@dataclass
class Row:
    """One measure of one task.

    Attributes:
        task: what is asked, such as ``signs``.
        measure: what is counted, such as ``1-NN accuracy``.
        better: ``higher`` or ``lower``, whichever is good; empty where neither is.
        unit: ``%`` (values are shares), ``s``, ``ms``, ``MB`` or empty.
        cells: by tool a number, a number with its 95 % interval (``value``, ``low``, ``high``), or a few words.
    """

    task: str
    measure: str
    better: str
    unit: str
    cells: dict[str, Any] = field(default_factory=dict)


@dataclass
class Section:
    """One comparison.

    Attributes:
        title: heading on the page.
        about: what was done, in sentences.
        ours: names of the columns that are this project.
        tools: names of all columns, in order.
        rows: what was measured.
        cannot: by tool, what it cannot do here and what stands in the way.
        notes: sentences below the table.
        versions: of the packages that count, by tool.
        machine: its facts, with the load before the run.
        tasks: by task, what it consists of, in a sentence.
    """

    title: str
    about: str
    ours: list[str]
    tools: list[str]
    rows: list[Row] = field(default_factory=list)
    cannot: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)

    def add(self, task: str, measure: str, better: str, unit: str, cells: Mapping[str, Any]) -> None:
        """Add a row; what a tool has no cell of stays empty."""
        self.rows.append(Row(task, measure, better, unit, dict(cells)))

    def take_over(self, earlier: Section) -> None:
        """Keep the rows of an earlier run of tasks that were not run again."""
        again = {row.task for row in self.rows}
        kept = [row for row in earlier.rows if row.task not in again]
        self.rows = [*kept, *self.rows]
        self.tasks = {**{task: told for task, told in earlier.tasks.items() if task not in again}, **self.tasks}

    def write(self, name: str, folder: Path = RESULTS) -> None:
        """Keep the comparison as ``peers-<name>.json``."""
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / f"peers-{name}.json").write_text(text + "\n", encoding="utf-8")


def read_section(file: Path) -> Section:
    """A comparison as `Section.write` has kept it."""
    found = json.loads(file.read_text(encoding="utf-8"))
    return Section(**{**found, "rows": [Row(**row) for row in found["rows"]]})


def read_sections(folder: Path = RESULTS) -> dict[str, Section]:
    """All comparisons of the folder by name, in the order of the page."""
    files = {name: folder / f"peers-{name}.json" for name in ORDER}
    return {name: read_section(file) for name, file in files.items() if file.is_file()}


def figure(metric: Mapping[str, Any]) -> dict[str, float]:
    """A share with its interval as a cell, four digits."""
    return {name: round(float(metric[name]), 4) for name in ("value", "low", "high")}
