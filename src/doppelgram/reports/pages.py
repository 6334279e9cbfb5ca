"""Pages and Markdown texts from templates: one environment, one look, and everything that is put in is escaped.

A report is a result, a context of plain values made from it, and a template. Templates lie beside the code that fills
them and are named from the package's root, such as ``reports/map/page.html``. Numbers in a context are text already, as
`doppelgram.numbers` spells them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from doppelgram.files import written_whole

NO_BREAK = "\u00a0"
_ROOT = Path(str(files("doppelgram")))
_BEFORE_UNIT = re.compile(r"(?<=\d) (?=%)|(?<=[<>≤]) (?=\d)")


@dataclass(frozen=True)
class Table:
    """Rows of text under headings.

    Attributes:
        headings: of the columns.
        rows: a cell a column.
        kinds: what each column holds, a letter a column: ``t`` text, ``n`` numbers, ``i`` intervals (numbers shown
            quietly), ``d`` dates; one text and then numbers where it is empty.
        marked: rows that stand out.
        title: stands above it.
        note: said beside the title.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    kinds: str = ""
    marked: Collection[int] = ()
    title: str = ""
    note: str = ""

    def kind(self, column: int) -> str:
        """The letter of a column."""
        return self.kinds[column] if self.kinds else "n" if column else "t"


@dataclass(frozen=True)
class Picture:
    """A picture file and the words below it."""

    file: Path
    caption: str


def page(template: str, **context: Any) -> str:
    """An HTML page that needs nothing but itself.

    Args:
        template: its name from the package's root.
        **context: what the template names; text is escaped unless it is `Markup`.
    """
    return _environment(True).get_template(template).render(context)


def markdown(template: str, **context: Any) -> str:
    """A Markdown text; arguments as of `page`."""
    text = _environment(False).get_template(template).render(context)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def write_text(file: Path, text: str) -> Path:
    """Write a text in UTF-8, whole or not at all; what is no text in it is written as a question mark."""
    with written_whole(file) as aside:
        aside.write_text(text, encoding="utf-8", errors="replace")
    return file


def data_uri(image: bytes | Path, kind: str = "jpeg") -> str:
    """An image's bytes, or those of its file, as an address that holds them."""
    data = image.read_bytes() if isinstance(image, Path) else image
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


@cache
def raw(name: str) -> Markup:
    """A style sheet or script of ours as it is, by its name from the package's root."""
    return Markup((_ROOT / name).read_text(encoding="utf-8"))


@cache
def _environment(html: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ROOT),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_unbreakable if html else None,
    )
    environment.globals["raw"] = raw
    environment.filters["data_uri"] = data_uri
    environment.filters["cell"] = lambda text: " ".join(str(text).split()).replace("|", "\\|")
    return environment


def _unbreakable(value: Any) -> Any:
    """A text whose numbers stay on one line with their ``%``, ``<`` and ``>``."""
    return _BEFORE_UNIT.sub(NO_BREAK, value) if type(value) is str else value
