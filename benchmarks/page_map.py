"""The map of the page with up to a million points: frames while it is moved, time to the first frame, memory.

    python benchmarks/page_map.py [--points 10000,100000,1000000] [--bokeh DIR] [--out DIR]

The points are made: clusters on a plane, kept as the map of a small catalog. The server listens on loopback in this
process; the browser is Chromium, which draws WebGL in software (SwiftShader), as on a machine without a graphics card.
A frame is the time between two calls of requestAnimationFrame while the map is dragged and zoomed.

With --bokeh, BokehJS draws the same points with WebGL in the same browser; DIR holds its scripts, as a wheel of bokeh
has them: `pip download --no-deps bokeh`, unzip it, `bokeh/server/static/js`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bokeh_map import bokeh_measured, bokeh_server
from common import RESULTS, machine, machine_line, write
from doppelgram.catalog.store import Catalog
from doppelgram.web.listing import Listing
from doppelgram.web.mapped.kept import KeptMap
from doppelgram.web.safety import POLICY, Access
from doppelgram.web.server import free_socket, make_server
from doppelgram.web.session import Session
from page import make_catalog

BROWSER = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
_LOOK = "window.frames_seen = []; let last = performance.now(); window.looking = true; (function look(now) { \
window.frames_seen.push(now - last); last = now; if (window.looking) requestAnimationFrame(look); })(last)"


def chromium() -> str | None:
    """Where Chromium is; None leaves it to playwright."""
    return os.environ.get("DOPPELGRAM_CHROMIUM") or shutil.which("chromium")


class Made(Session):
    """A session whose catalog is said to hold the made photographs."""

    made: Listing

    def listing(self) -> Listing:
        """What the points stand for."""
        return self.made


def points(count: int) -> tuple[KeptMap, Listing]:
    """Made points in two hundred clusters, and what they stand for."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 200, count)
    xy = rng.uniform(6_000, 59_000, (200, 2))[kinds] + rng.normal(0, 1_500, (count, 2))
    ids = np.array([f"{number:064x}" for number in range(count)], dtype=np.bytes_)
    facts = pd.DataFrame(
        {
            "id": ids.astype(str),
            "name": [f"{number}.jpg" for number in range(count)],
            "label": np.char.add("kind ", kinds.astype(str)),
            "author": "",
            "timestamp": pd.Series(pd.NaT, index=range(count), dtype="datetime64[us, UTC]"),
        }
    )
    places = np.clip(xy, 0, 65_535).astype(np.uint16)
    none = np.zeros(count, dtype=bool)
    about = {"method": "tsne", "by": "", "about": "made points"}
    return KeptMap(ids, places, none, none, np.zeros(2), 1.0, about), Listing(facts)


def measured(catalog: Catalog, count: int) -> dict[str, float]:
    """Frames and memory of one map."""
    from playwright.sync_api import sync_playwright

    kept, listing = points(count)
    kept.save(catalog.folder)
    session = Made(catalog, "made points")
    session.made = listing
    session.refresh()
    listening = free_socket("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = make_server(session, Access.for_address("127.0.0.1", port))
    threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER)
            tab = browser.new_page(viewport={"width": 1280, "height": 860})
            tab.set_default_timeout(180_000)
            began = time.perf_counter()
            tab.goto(f"http://127.0.0.1:{port}/map")
            tab.wait_for_selector(".stage canvas")
            tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            first = time.perf_counter() - began
            time.sleep(2)
            renderer = tab.evaluate(
                "(() => { const pen = document.createElement('canvas').getContext('webgl2'); if (!pen) return 'none'; "
                "const more = pen.getExtension('WEBGL_debug_renderer_info'); "
                "return more ? pen.getParameter(more.UNMASKED_RENDERER_WEBGL) : pen.getParameter(pen.RENDERER) })()"
            )
            tab.evaluate(_LOOK)
            move(tab)
            seen = np.array(tab.evaluate("(window.looking = false, window.frames_seen)")[1:])
            heap = tab.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0")
            browser.close()
    finally:
        server.should_exit = True
        session.close()
    return {
        "first": first,
        "median": float(np.median(seen)),
        "p95": float(np.percentile(seen, 95)),
        "frames": len(seen),
        "heap": heap / 1e6,
        "renderer": renderer,
    }


def peer(scripts: Path, count: int) -> dict[str, Any]:
    """The same points by BokehJS: under the page's own policy, and where that also allows it styles in the document."""
    from playwright.sync_api import sync_playwright

    kept, _ = points(count)
    numbers = np.random.default_rng(0).integers(0, 200, count) % 11  # as the page: ten colours and one for the others
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=BROWSER)
        for name, policy in (
            ("own policy", POLICY),
            ("looser", POLICY.replace("style-src", "style-src 'unsafe-inline'")),
        ):
            with bokeh_server(scripts, policy, kept.places, numbers) as address:
                found[name] = bokeh_measured(browser, address, _LOOK, move)
        browser.close()
    return found


def of_peer(peers: dict[int, dict[str, Any]]) -> str:
    """What was measured of BokehJS, in words."""
    rows = []
    for count, one in peers.items():
        seen = one["looser"]
        if "median" in seen:
            rows.append(
                f"| {count:,} | {seen['first']:.2f} s | {seen['median']:.0f} ms | {seen['p95']:.0f} ms | "
                f"{seen['frames']} | {seen['heap']:.0f} MB |"
            )
        else:
            rows.append(f"| {count:,} | not drawn: {seen['plotted']} | | | | |")
    table = "\n".join(rows)
    refused = next(iter(peers.values()))["own policy"]
    blocked = next((text for text in refused["said"] if "style" in text), "nothing")[:160]
    return f"""
## BokehJS, the same points in the same browser

| points | drawn after | median frame | 95 % of frames within | frames | heap of the page |
|---:|---:|---:|---:|---:|---:|
{table}

Measured with styles in the document allowed (`style-src 'unsafe-inline'`), which the page forbids: under its own policy
the plot loses its layout (its canvas is {refused["drawn"]:.0f} pixels high instead of 690). The browser says:
"{blocked}".
BokehJS draws every point in every frame that it draws; between those, frames pass in which nothing moves.
"""


def move(tab: Any) -> None:
    """Drag the map and zoom, as a visitor does."""
    box = tab.locator(".stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    for turn in range(3):
        tab.mouse.down()
        for step in range(20):
            tab.mouse.move(x + 6 * step, y + 3 * step)
            time.sleep(0.03)
        tab.mouse.up()
        for _ in range(6):
            tab.mouse.wheel(0, -60 if turn % 2 == 0 else 60)
            time.sleep(0.08)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", default="10000,100000,1000000")
    parser.add_argument("--bokeh", type=Path, help="folder of BokehJS's scripts")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    result: dict[str, Any] = {"machine": machine(), "maps": {}}
    with tempfile.TemporaryDirectory() as temporary:
        catalog = make_catalog(Path(temporary), 1_000, "")
        for count in map(int, given.points.split(",")):
            result["maps"][count] = measured(catalog, count)
            if given.bokeh is not None:
                result.setdefault("bokeh", {})[count] = peer(given.bokeh, count)
    lines = [
        f"| {count:,} | {one['first']:.2f} s | {one['median']:.0f} ms | {one['p95']:.0f} ms | {one['frames']} | "
        f"{one['heap']:.0f} MB |"
        for count, one in result["maps"].items()
    ]
    table = "\n".join(lines)
    drawn = next(iter(result["maps"].values()))["renderer"]
    text = f"""# The map of the page

| points | first frame after | median frame | 95 % of frames within | frames | heap of the page |
|---:|---:|---:|---:|---:|---:|
{table}

Drawn by {drawn}. Frames are those between two calls of requestAnimationFrame while the map is dragged and zoomed: each
draws an even sample of the points that fits its time, and the rest follows at rest. The points are made, 13 bytes each.
{of_peer(result["bokeh"]) if "bokeh" in result else ""}
{machine_line(result["machine"])}
"""
    write("page_map", result, text, given.out)


if __name__ == "__main__":
    main()
