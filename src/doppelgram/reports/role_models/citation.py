"""How to cite the program, as BibTeX and as CSL JSON."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from doppelgram.reports.pages import write_text

_TITLE = "Doppelgram: which photographs look alike, and who set what others repeat"


def bibtex() -> str:
    """The entry for LaTeX."""
    return (
        f"@software{{doppelgram,\n  title = {{{_TITLE}}},\n  author = {{{{The Doppelgram authors}}}},\n"
        f"  version = {{{version('doppelgram')}}},\n  year = {{2026}},\n  license = {{MIT}}\n}}\n"
    )


def csl() -> str:
    """The entry for Zotero, pandoc and others that read CSL JSON."""
    entry = {
        "id": "doppelgram",
        "type": "software",
        "title": _TITLE,
        "author": [{"literal": "The Doppelgram authors"}],
        "version": version("doppelgram"),
        "issued": {"date-parts": [[2026]]},
        "license": "MIT",
    }
    return json.dumps([entry], indent=1, ensure_ascii=False) + "\n"


def write_citation(folder: Path) -> list[Path]:
    """Write ``citation.bib`` and ``citation.json``."""
    return [write_text(folder / "citation.bib", bibtex()), write_text(folder / "citation.json", csl())]
