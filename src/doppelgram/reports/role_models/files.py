"""What a trace leaves on disk besides the report: tables, the graph, a summary."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from doppelgram.files import written_whole
from doppelgram.reports.pages import write_text
from doppelgram.reports.role_models.codebook import write_codebook

if TYPE_CHECKING:
    import networkx as nx

    from doppelgram.rolemodels.result import RoleModels

# Edges in the XML formats, whose readers and writers are slow; edges.csv has all of them.
MOST_EDGES = 50_000
SUMMARY_FILE = "summary.json"
TABLES = ("role_models", "edges", "arrangements", "authors", "places", "curve", "robustness")
# What XML has no way to write.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_csv(found: RoleModels, folder: Path) -> list[Path]:
    """Write the tables and their codebook as CSV, each file whole or not at all; `reading.read_trace` reads them.

    Raises:
        DoppelgramError: the folder cannot be written.
    """
    written = []
    for name in TABLES:
        file = folder / f"{name}.csv"
        with written_whole(file) as aside:
            _as_text(getattr(found, name)).to_csv(aside, index=False, lineterminator="\n", errors="replace")
        written.append(file)
    return [*written, write_codebook(found, folder)]


def write_tables(found: RoleModels, folder: Path) -> list[Path]:
    """Write the tables as CSV and the graph as GEXF and GraphML, each file whole or not at all.

    Gephi reads ``edges.csv`` by its columns ``source`` and ``target``; it has every edge. The graph's own files have at
    most ``MOST_EDGES``: those from parents, and then those with the largest attribution.

    Raises:
        DoppelgramError: the folder cannot be written.
    """
    import networkx as nx

    written = write_csv(found, folder)
    graph = _for_xml(_largest(found).graph())
    writers: dict[str, Callable[[Any, Any], None]] = {"graph.gexf": nx.write_gexf, "graph.graphml": nx.write_graphml}
    for name, write in writers.items():
        with written_whole(folder / name) as aside:
            write(graph, aside)
        written.append(folder / name)
    return written


def write_summary(summary: dict[str, Any], folder: Path) -> Path:
    """Write ``summary.json``."""
    return write_text(folder / SUMMARY_FILE, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """The table with times as ISO 8601 in UTC and numbers short enough to read."""
    shown = table.copy()
    for name in shown.columns:
        if isinstance(shown[name].dtype, pd.DatetimeTZDtype):
            shown[name] = shown[name].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif pd.api.types.is_float_dtype(shown[name]):
            shown[name] = [None if np.isnan(value) else float(f"{value:.6g}") for value in shown[name].astype(float)]
    return shown


def _largest(found: RoleModels) -> RoleModels:
    edges = found.edges
    if len(edges) <= MOST_EDGES:
        return found
    order = edges.sort_values(["is_parent", "attribution"], ascending=False, kind="stable").index[:MOST_EDGES]
    return replace(found, edges=edges.loc[np.sort(order)])


def _for_xml(graph: nx.DiGraph[Any]) -> nx.DiGraph[Any]:
    """The graph with only what the XML formats can hold: no unknown values, no control characters."""
    import networkx as nx

    clean: nx.DiGraph[Any] = nx.DiGraph()
    for node, facts in graph.nodes(data=True):
        clean.add_node(_xml_text(str(node)), **_known(facts))
    for source, target, facts in graph.edges(data=True):
        clean.add_edge(_xml_text(str(source)), _xml_text(str(target)), **_known(facts))
    return clean


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in facts.items()}
    return {
        name: _xml_text(value) if isinstance(value, str) else value
        for name, value in plain.items()
        if not pd.isna(value)
    }


def _xml_text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
