"""The documents as a site: it is built, its links lead somewhere, and it asks nobody else for anything."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import doppelgram

ROOT = Path(__file__).parents[1]
# What a page loads by itself, in contrast to what a reader may follow.
LOADS = dict.fromkeys(("script", "img", "iframe", "source", "video", "audio", "embed"), "src")
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "modulepreload", "manifest"}

pytestmark = pytest.mark.slow


class Page(HTMLParser):
    """What a page loads, where it leads, and the places in it that can be led to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.places |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.leads.append(given["href"])
        elif tag == "link" and LOADING_LINKS & set(given.get("rel", "").split()):
            self.loads.append(given["href"])
        elif tag in LOADS and given.get(LOADS[tag]):
            self.loads.append(given[LOADS[tag]])
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", given.get("style", ""))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    if missing := [name for name in ("mkdocs", "material", "mkdocstrings") if importlib.util.find_spec(name) is None]:
        pytest.skip(f"THE DOCUMENTS ARE NOT BUILT: {', '.join(missing)} is not here (pip install 'doppelgram[dev]')")
    folder = tmp_path_factory.mktemp("site") / "built"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text(encoding="utf-8")) for file in site.rglob("*.html")}


def test_every_link_and_anchor_leads_somewhere_in_the_site(site: Path, pages: dict[Path, Page]) -> None:
    assert len(pages) > 50
    for file, page in pages.items():
        for address in [*page.loads, *page.leads]:
            parts = urlsplit(address)
            if parts.scheme in ("https", "http", "mailto", "data"):
                continue
            # Nothing starts at the root of a server, so that the site may lie anywhere.
            assert not parts.scheme, (file, address)
            assert not parts.path.startswith("/"), (file, address)
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            assert target.is_relative_to(site.resolve()), (file, address)
            assert target.is_file(), (file, address)
            if parts.fragment and target in pages:
                assert unquote(parts.fragment) in pages[target].places, (file, address)


def test_no_page_and_no_style_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        assert not [address for address in page.loads if urlsplit(address).netloc], file
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        found = re.findall(r"url\(['\"]?([^'\")]+)", text) + re.findall(r"@import\s+['\"]([^'\"]+)", text)
        assert not [address for address in found if urlsplit(address).netloc], style


def test_results_of_benchmarks_stand_on_the_site_and_documents_lead_there(site: Path, pages: dict[Path, Page]) -> None:
    for result in (ROOT / "benchmarks/results").glob("*.md"):
        assert (site / "benchmarks/results" / f"{result.stem}.html").is_file()
    assert "benchmarks/results/posts.html" in pages[site / "arrangements.html"].leads
    assert "benchmarks/results/mining.png" in pages[site / "choosing.html"].loads


def test_every_public_name_is_explained(site: Path, pages: dict[Path, Page]) -> None:
    names = {f"doppelgram.{name}" for name in doppelgram.__all__ if name != "__version__"}
    assert names <= pages[site / "api.html"].places


def test_every_command_is_explained(site: Path) -> None:
    from test_cli import COMMANDS

    text = (site / "commands.html").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f'id="doppelgram-{"-".join(command)}"' in text or not command


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def under_a_prefix(site: Path) -> Iterator[str]:
    """The site's address where it lies below a folder of a server."""
    handler = functools.partial(_Silent, directory=str(site.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{site.name}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("where", ["file", "prefix"])
def test_the_site_works_in_a_browser_and_asks_nobody_else(
    where: str, site: Path, under_a_prefix: str, browser: Any
) -> None:
    address = site.as_uri() if where == "file" else under_a_prefix
    context = browser.new_context(color_scheme="dark", viewport={"width": 390, "height": 800})
    asked: list[str] = []
    wrong: list[str] = []
    tab = context.new_page()
    context.on("request", lambda request: asked.append(request.url))
    context.on("requestfailed", lambda request: wrong.append(request.url))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    # How wide a page is does not depend on where it lies.
    looked_at = ("index", "tutorial", "api", "notebooks/lookalike", "benchmarks/results/posts")
    for name in looked_at if where == "prefix" else ("notebooks/lookalike",):
        tab.goto(f"{address}/{name}.html")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, name
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto(f"{address}/index.html")
    tab.locator("input[data-md-component=search-query]").press_sequentially("pseudonymisation", delay=30)
    tab.wait_for_selector(".md-search-result__link", timeout=20_000)
    assert "methods.html" in tab.get_attribute(".md-search-result__link", "href")
    context.close()
    inside = address if where == "prefix" else "file:"
    assert [url for url in asked if not url.startswith((inside, "data:", "blob:"))] == []
    assert [one for one in wrong if not one.startswith("blob:")] == []


def test_the_environment_of_the_build_is_not_needed_by_the_pages(site: Path) -> None:
    """No page tells where it was built."""
    for file in [*site.rglob("*.html"), *site.rglob("*.js")]:
        text = file.read_text(encoding="utf-8")
        assert str(ROOT) not in text, file
        assert os.path.expanduser("~") + "/" not in text, file
