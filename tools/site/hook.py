"""What the site needs beside the folder docs: files from elsewhere in the repository, and the links to them.

MkDocs calls the functions whose names begin with ``on_``. In the repository a document links to
``../benchmarks/results/posts.md``; on the site that result is a page, and the link leads to it.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

sys.path.insert(0, str(Path(__file__).parent))

from command_reference import command_reference
from notebook_page import notebook_page

ROOT = Path(__file__).parents[2]
RESULTS = "benchmarks/results"
# Where a file of the repository is found on the site. Results, and all else that documents link to, keep their path.
PLACES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "README.md": "about.md",  # a README at the top would be taken for the first page
    "src/doppelgram/web/pages/icon.svg": "icon.svg",
}
# A page without an address of its own on the web has no use for these, and they hold absolute addresses.
_UNUSED = ("404.html", "sitemap.xml", "sitemap.xml.gz")
_TARGET = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)")

_at: dict[str, str] = {}  # by a path in the repository, the path on the site
_from: dict[str, str] = {}  # the other way round


def on_config(config: Any) -> Any:
    """Name the results in the navigation."""
    for section in config.nav:
        ((title, entries),) = section.items()
        if title == "Benchmarks":
            entries.append({"Results": [{title: f"{RESULTS}/{name}"} for name, title in _titles().items()]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside docs."""
    _at.clear()
    _from.clear()
    for file in list(files):
        _know(f"docs/{file.src_uri}", file.src_uri)
    for notebook in sorted((ROOT / "docs").rglob("*.ipynb")):
        page, pictures = notebook_page(notebook)
        uri = notebook.relative_to(ROOT / "docs").with_suffix(".md").as_posix()
        _know(f"docs/{uri}", uri)
        files.append(File.generated(config, uri, content=page))
        for name, png in pictures.items():
            files.append(File.generated(config, posixpath.join(posixpath.dirname(uri), name), content=png))
    files.append(File.generated(config, "commands.md", content=command_reference()))
    wanted = [*PLACES, *(file.relative_to(ROOT).as_posix() for file in _results())]
    texts = [(f"docs/{file.src_uri}", file.content_string) for file in files if file.src_uri.endswith(".md")]
    for name, text in texts:
        wanted += _outside(name, text)
    while wanted:
        name = wanted.pop()
        if name in _at or not (ROOT / name).is_file():
            continue
        if name.endswith((".md", ".png", ".svg")):
            uri = PLACES.get(name, name)
            hidden = InclusionLevel.NOT_IN_NAV if name == "README.md" else InclusionLevel.UNDEFINED
            files.append(File.generated(config, uri, abs_src_path=str(ROOT / name), inclusion=hidden))
        else:  # a script, a licence: shown as a page
            uri, text = f"files/{name}.md", (ROOT / name).read_text(encoding="utf-8")
            language = "python" if name.endswith(".py") else "text"
            page = f"# {name}\n\n````{language}\n{text}\n````\n"
            files.append(File.generated(config, uri, content=page, inclusion=InclusionLevel.NOT_IN_NAV))
        _know(name, uri)
        if name.endswith(".md"):
            wanted += _outside(name, (ROOT / name).read_text(encoding="utf-8"))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links of the repository into links of the site."""
    uri = page.file.src_uri
    if uri == "index.md":  # it lists everything itself
        page.meta["hide"] = ["navigation"]
    here = _from.get(uri)
    if here is None:
        return markdown

    def turned(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), match.group(1)))
        if target.endswith(".ipynb") and not uri.startswith("notebooks/"):
            target = target.removesuffix(".ipynb") + ".md"
        return posixpath.relpath(_at[target], posixpath.dirname(uri) or ".") if target in _at else match.group(1)

    return _TARGET.sub(turned, markdown)


def on_post_build(config: Any) -> None:
    """Take away pages with absolute addresses."""
    for name in _UNUSED:
        (Path(config.site_dir) / name).unlink(missing_ok=True)


def _know(name: str, uri: str) -> None:
    _at[name], _from[uri] = uri, name


def _results() -> list[Path]:
    return sorted((ROOT / RESULTS).glob("*.md"))


def _titles() -> dict[str, str]:
    """By the name of a result its heading; where several have the same, with the name behind it."""
    titles = {
        file.name: file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ").replace("`", "")
        for file in _results()
    }
    several = [title for title in titles.values() if list(titles.values()).count(title) > 1]
    return {name: f"{title} ({Path(name).stem})" if title in several else title for name, title in titles.items()}


def _outside(name: str, text: str) -> list[str]:
    """Files that a text links to."""
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in _TARGET.findall(text)]
