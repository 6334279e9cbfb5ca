"""The page of a comparison: one HTML file with its figures and style inside, which also prints well."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from doppelgram.comparison.findings import Finding

CAPTIONS = {
    "heat": "Every setting: share of queries whose nearest image is of the right class, in per cent, with its 95 % "
    "interval.",
    "sizes": "The same share by embedding size. Bars are 95 % intervals.",
    "progress": "Validation P@1 as training goes on. Lines are means over seeds, bands reach from the lowest to the "
    "highest seed.",
    "learning": "Training loss, and the share of all triplets of a batch that violate the margin (for losses on pairs: "
    "of the pairs looked at). The scales of two losses cannot be compared.",
    "mining": "What mining does, for one loss and size: how well the nearest image is found, and the share of all "
    "triplets of a batch that still violate the margin, whichever of them the miner chose.",
}

_STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2.5rem 1.5rem 4rem; background: #fff; color: #1f2328;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .8rem; }
.lead { color: #57606a; margin: 0 0 1.8rem; }
dl { display: grid; grid-template-columns: 9rem 1fr; gap: .55rem 1.4rem; margin: 0; max-width: 56rem; }
dt { font-weight: 650; color: #0b5a94; }
dd { margin: 0; }
dd p { margin: 0 0 .3rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: #57606a; border-bottom: 1.5px solid #1f2328; vertical-align: bottom;
  white-space: nowrap; }
td { text-align: right; border-bottom: 1px solid #e6e9ed; white-space: nowrap; }
th, td { padding: .38rem .5rem; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
td.interval { color: #57606a; }
tr.best td { background: #eaf3fa; font-weight: 600; }
figure { margin: 1.6rem 0 2.2rem; break-inside: avoid; }
figure svg { display: block; max-width: 100%; height: auto; }
figcaption { color: #57606a; font-size: .88rem; margin-top: .35rem; max-width: 50rem; }
.how p { max-width: 50rem; font-size: .92rem; margin: 0 0 .7rem; overflow-wrap: anywhere; }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .86em; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: .2rem; } dd { margin-bottom: .7rem; } }
@media print { @page { size: A4; margin: 14mm; } body { padding: 0; max-width: none; font-size: 10.5pt; }
  table { font-size: 7.4pt; } th, td { padding: .2rem .28rem; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  .wide { overflow: visible; } }
"""


def page(
    findings: Sequence[Finding],
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    figures: Mapping[str, str],
    how: Sequence[str],
    best: int,
) -> str:
    """The report as one HTML file that asks nothing of anywhere: no script, style and figures inside.

    Args:
        findings: the reading, which stands first.
        headings: of the table's columns.
        rows: the table.
        figures: SVG text by name.
        how: paragraphs on methods.
        best: which row is the best setting.
    """
    parts = ["<h1>Losses and miners compared</h1>", f'<p class="lead">{escape(_lead(how))}</p>', "<dl>"]
    for topic, group in groupby(findings, key=lambda finding: finding.topic):
        texts = "".join(f"<p>{escape(finding.text)}</p>" for finding in group)
        parts.append(f"<dt>{escape(topic)}</dt><dd>{texts}</dd>")
    parts += ["</dl>", "<h2>Every setting, with 95 % intervals</h2>", '<div class="wide"><table><thead><tr>']
    parts += [f'<th scope="col">{escape(heading)}</th>' for heading in headings]
    parts.append("</tr></thead><tbody>")
    for number, row in enumerate(rows):
        cells = "".join(
            f"<td{' class=interval' if heading.endswith('interval') else ''}>{escape(cell)}</td>"
            for heading, cell in zip(headings, row, strict=True)
        )
        parts.append(f"<tr{' class=best' if number == best else ''}>{cells}</tr>")
    parts += ["</tbody></table></div>", "<h2>Figures</h2>"]
    for name, svg in figures.items():
        caption = escape(CAPTIONS.get(name, name))
        parts.append(f"<figure>{_inline(svg, name, caption)}<figcaption>{caption}</figcaption></figure>")
    parts += ["<h2>How this was done</h2>", '<div class="how">']
    for text in how:
        label, colon, command = text.partition("Command: ")
        body = f"Command: <code>{escape(command)}</code>" if colon and not label else escape(text)
        parts.append(f"<p>{body}</p>")
    parts.append("</div>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Losses and miners compared</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _lead(how: Sequence[str]) -> str:
    """The first sentence of the methods."""
    return how[0].partition(". ")[0] + "." if how else ""


def _inline(svg: str, name: str, caption: str) -> str:
    """An SVG file as a part of a page: no prologue, ids that no other figure has, a name for who cannot see it."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid=")', rf"\g<1>{name}-", body)
    body = re.sub(r'((?:xlink:)?href="#)', rf"\g<1>{name}-", body)
    body = re.sub(r"(url\(#)", rf"\g<1>{name}-", body)
    return body.replace("<svg ", f'<svg role="img" aria-label="{caption}" ', 1)
