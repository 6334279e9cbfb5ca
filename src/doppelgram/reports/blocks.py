"""A report as a list of blocks, written once as Markdown and once as a page with its pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeAlias

# ("h1" | "h2" | "h3" | "p", text), ("table", headings, rows) or ("image", file, caption).
Block: TypeAlias = tuple[Any, ...]

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 70rem; padding: 2.5rem 1.5rem 4rem; background: #fff; color: #1f2328;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.45rem; margin: 3.2rem 0 .6rem; padding-top: 1rem; border-top: 2px solid #1f2328; }
h3 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { max-width: 50rem; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; width: 100%; }
th { text-align: right; font-weight: 600; color: #57606a; border-bottom: 1.5px solid #1f2328; vertical-align: bottom; }
td { text-align: right; border-bottom: 1px solid #e6e9ed; white-space: nowrap; }
th, td { padding: .4rem .6rem; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
figure { margin: 1.4rem 0 2rem; break-inside: avoid; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { color: #57606a; font-size: .9rem; margin-top: .3rem; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } }
"""


def percent(share: float) -> str:
    """A share with one decimal, as percent."""
    return f"{100 * share:.1f} %"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whatever reads best."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def as_markdown(blocks: Sequence[Block], out: Path) -> str:
    """Markdown whose pictures lie below the folder ``out``."""
    lines: list[str] = []
    for kind, *rest in blocks:
        if kind == "table":
            headings, rows = rest
            lines += [_line(headings), "|---|" + "---:|" * (len(headings) - 1), *map(_line, rows), ""]
        elif kind == "image":
            lines += [f"![{rest[1]}]({rest[0].relative_to(out).as_posix()})", "", f"*{rest[1]}*", ""]
        else:
            lines += [{"h1": "# ", "h2": "## ", "h3": "### ", "p": ""}[kind] + rest[0], ""]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """A page that needs nothing from anywhere: its pictures are inside."""
    parts = []
    for kind, *rest in blocks:
        if kind == "table":
            head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rest[0])
            body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rest[1])
            table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            parts.append(f'<div class="wide">{table}</div>')
        elif kind == "image":
            data = base64.b64encode(rest[0].read_bytes()).decode("ascii")
            caption = escape(rest[1])
            image = f'<img src="data:image/png;base64,{data}" alt="{caption}">'
            parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
        else:
            parts.append(f"<{kind}>{escape(rest[0])}</{kind}>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts)
        + "\n</body></html>\n"
    )  # fmt: skip
