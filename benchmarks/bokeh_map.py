"""The same points drawn by BokehJS with its WebGL backend: a peer of the page's own map, see `page_map.py`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCRIPTS = ("bokeh.min.js", "bokeh-api.min.js", "bokeh-gl.min.js")
_PAGE = """<!doctype html><meta charset="utf-8"><title>BokehJS</title><div id="plot" class="stage"></div>
{scripts}<script src="/plot.js"></script>"""
_PLOT = """
(async () => {
  const count = COUNT, buffer = await (await fetch("/points")).arrayBuffer();
  const x = new Float32Array(buffer, 0, count), y = new Float32Array(buffer, 4 * count, count);
  const numbers = new Uint8Array(buffer, 8 * count, count);
  const colours = ["#3b7dd8", "#d9832b", "#3f9e58", "#c8503f", "#8a63c9", "#2aa1a8", "#cf66a8", "#8c6d4f", "#9a9a2a",
    "#5d7290", "#8b949e"];
  const fill = Array.from(numbers, (number) => colours[number]);
  const figure = Bokeh.Plotting.figure({ width: 940, height: 690, tools: "pan,wheel_zoom", output_backend: "webgl" });
  figure.toolbar.active_scroll = figure.toolbar.tools.find((tool) => tool.type === "WheelZoomTool") ?? null;
  const source = new Bokeh.ColumnDataSource({ data: { x, y, fill } });
  figure.scatter({ field: "x" }, { field: "y" }, { source, size: 3, fill_color: { field: "fill" }, line_color: null });
  await Bokeh.Plotting.show(figure, document.getElementById("plot"));
  window.plotted = true;
})().catch((problem) => { window.plotted = String(problem); });
"""


@contextmanager
def bokeh_server(scripts: Path, policy: str, places: NDArray[Any], numbers: NDArray[Any]) -> Iterator[str]:
    """Serve a page with the points, under a content security policy, on loopback.

    Args:
        scripts: folder of ``bokeh.min.js`` and what belongs to it.
        policy: value of the header.
        places: (n, 2).
        numbers: uint8 (n,), the colour of each.
    """
    parts = [*places.astype("<f4").T, numbers.astype(np.uint8)]
    page = _PAGE.format(scripts="".join(f'<script src="/{name}"></script>' for name in SCRIPTS))
    files = {
        "/": ("text/html", page.encode()),
        "/plot.js": ("text/javascript", _PLOT.replace("COUNT", str(len(places))).encode()),
        "/points": ("application/octet-stream", b"".join(part.tobytes() for part in parts)),
    } | {f"/{name}": ("text/javascript", (scripts / name).read_bytes()) for name in SCRIPTS}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = files.get(self.path, ("text/plain", b""))
            self.send_response(200 if self.path in files else 404)
            for name, value in (("content-type", kind), ("content-security-policy", policy)):
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()


def bokeh_measured(browser: Any, address: str, watch: str, move: Callable[[Any], None]) -> dict[str, Any]:
    """Frames of that page while it is moved, or why there are none.

    Args:
        browser: Chromium.
        address: of the page.
        watch: script that begins to write down frames.
        move: drags and zooms.
    """
    tab = browser.new_page(viewport={"width": 1280, "height": 860})
    tab.set_default_timeout(180_000)
    said: list[str] = []
    tab.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda problem: said.append(str(problem)))
    began = time.perf_counter()
    tab.goto(address)
    while not (plotted := tab.evaluate("window.plotted ?? null")) and time.perf_counter() - began < 120:
        time.sleep(0.05)
    drawn = tab.evaluate(
        "(() => { const all = [...document.querySelectorAll('*')].flatMap(function look(one) { return "
        "[one, ...[...(one.shadowRoot?.querySelectorAll('*') ?? [])].flatMap(look)]; }); "
        "return Math.max(0, ...all.filter((one) => one.tagName === 'CANVAS')"
        ".map((one) => one.getBoundingClientRect().height)); })()"
    )
    first = time.perf_counter() - began
    found: dict[str, Any] = {"plotted": plotted, "said": list(dict.fromkeys(said))[:5], "first": first, "drawn": drawn}
    if plotted is True:
        time.sleep(2)
        tab.evaluate(watch)
        move(tab)
        seen = np.array(tab.evaluate("(window.looking = false, window.frames_seen)")[1:])
        found |= {"median": float(np.median(seen)), "p95": float(np.percentile(seen, 95)), "frames": len(seen)}
        found["heap"] = tab.evaluate("performance.memory ? performance.memory.usedJSHeapSize : 0") / 1e6
    tab.close()
    return found
