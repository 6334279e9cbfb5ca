"""docs/peers.md, written from the committed results and nothing else.

python benchmarks/peers/document.py          # writes docs/peers.md again
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from doppelgram.numbers import listing, plural
from section import ORDER, Row, Section, read_sections

PAGE = Path(__file__).parents[2] / "docs" / "peers.md"
# What each comparison is about, for one that has no results.
SUBJECTS = {
    "training": "training",
    "faces": "faces",
    "copies": "near copies and searching a folder",
    "arrangements": "arrangements and their originators",
}
_DIGITS = {"s": 1, "ms": 1, "MB": 0, "": 3}
_OPENING = """# Beside other tools

What people would pick instead, run on the same photographs, on the same machine, in the same run, each in an
environment of its own. This page is written by `python benchmarks/peers/document.py` from
`benchmarks/results/peers-*.json`; do not edit it by hand. `make bench-peers PEERS=DIR1 DATA=DIR2 WEIGHTS=DIR3` measures
anew: it installs each tool into `DIR1` by the versions pinned in `benchmarks/peers`, once, and is offline from then on.
What a tool's user writes stands in `benchmarks/peers/tools`.

The best figure of a row is bold, where they differ. Shares have 95 % intervals where there is one."""


def spell(value: Any, unit: str) -> str:
    """A cell as the table has it."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        low, high = (f"{100 * value[end]:.1f}" for end in ("low", "high"))
        return f"{100 * value['value']:.1f} % ({low} to {high})"
    if unit == "%":
        return f"{100 * value:.1f} %"
    if isinstance(value, int):
        return f"{value:,}" + (f" {unit}" if unit else "")
    if unit in ("s", "ms") and value >= 100:
        return f"{value:,.0f} {unit}"
    return f"{value:,.{_DIGITS[unit]}f}" + (f" {unit}" if unit else "")


def number(value: Any) -> float | None:
    """What a cell counts; None where it says something in words."""
    if isinstance(value, Mapping):
        return float(value["value"])
    return None if value is None or isinstance(value, str) else float(value)


def best(row: Row, tools: list[str]) -> set[str]:
    """Those of the tools whose figure none is better than, by what the page shows."""
    found = {tool: number(row.cells.get(tool)) for tool in tools}
    counted = {tool: value for tool, value in found.items() if value is not None}
    if not counted or not row.better:
        return set()
    top = (max if row.better == "higher" else min)(counted.values())
    return {tool for tool in counted if spell(counted[tool], row.unit) == spell(top, row.unit)}


def behind(section: Section) -> list[str]:
    """A sentence for each row in which another tool is ahead of all our columns."""
    lines = []
    for row in section.rows:
        first, ours = best(row, section.tools), best(row, section.ours)
        if not first or not ours or first & set(section.ours):
            continue
        others, own = sorted(first), sorted(ours)[0]
        other = others[0]
        remark = " The intervals overlap." if _overlap(row.cells[other], row.cells[own]) else ""
        lines.append(
            f"{row.task}, {row.measure}: {listing(others)} {plural(len(others), 'has', 'have')} "
            f"{spell(row.cells[other], row.unit)}, "
            f"{own} {spell(row.cells[own], row.unit)}.{remark}"
        )
    return lines


def _overlap(a: Any, b: Any) -> bool:
    intervals = isinstance(a, Mapping) and isinstance(b, Mapping)
    return intervals and bool(a["low"] <= b["high"] and b["low"] <= a["high"])


def table(section: Section) -> list[str]:
    """Rows are tasks and measures, columns are tools."""
    lines = [f"| | {' | '.join(section.tools)} |", "|---|" + "---:|" * len(section.tools)]
    for row in section.rows:
        first, counted = best(row, section.tools), [number(row.cells.get(tool)) for tool in section.tools]
        if len(first) == sum(value is not None for value in counted):
            first = set()  # nothing to tell apart
        cells = [_cell(row, tool, section) for tool in section.tools]
        cells = [f"**{cell}**" if tool in first else cell for tool, cell in zip(section.tools, cells, strict=True)]
        lines.append(f"| {row.task}: {row.measure} | {' | '.join(cells)} |")
    return lines


def _cell(row: Row, tool: str, section: Section) -> str:
    told = spell(row.cells.get(tool), row.unit)
    return told or ("did not run" if tool in section.cannot else "")


def machine_line(facts: Mapping[str, Any]) -> str:
    """On what it was measured, and beside what."""
    load = facts["load_before"]
    busy = "" if load < 0.7 else " Other work was under way: times say little, shares are not touched by it."
    return (
        f"Measured on {facts['processor']}, one thread, Python {facts['python']}, torch {facts['torch']}; "
        f"load before the run {load:.1f}.{busy}"
    )


def render(sections: Mapping[str, Section]) -> str:
    """The whole page."""
    lines = [_OPENING, "", "## Where we are behind", ""]
    told = [f"- {sentence}" for section in sections.values() for sentence in behind(section)]
    lines += told or ["- In no row."]
    missing = [SUBJECTS[name] for name in ORDER if name not in sections]
    if missing:
        lines += ["", f"Not measured yet: {'; '.join(missing)}."]
    for section in sections.values():
        told = [f"{task[0].upper()}{task[1:]}: {what}." for task, what in section.tasks.items()]
        lines += ["", f"## {section.title}", "", " ".join([section.about, *told]), "", *table(section), ""]
        lines += [f"- **{tool}** {why}" for tool, why in section.cannot.items()]
        lines += [f"- {note}" for note in section.notes]
        versions = ", ".join(f"{tool} {version}" for tool, version in section.versions.items())
        lines += ["", f"{machine_line(section.machine)} Versions: {versions}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(render(read_sections()), encoding="utf-8")
    print(f"{PAGE.name} written")


if __name__ == "__main__":
    main()
