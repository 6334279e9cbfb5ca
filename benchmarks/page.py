"""The page under load: first view, search by upload, many users at once, memory, on a catalog of 100,000 rows.

    python benchmarks/page.py [--rows 100000] [--network DIR] [--out DIR]

The rows have made vectors and pictures of the sample world. The server is `doppelgram serve`, a process of its own; the
browser is Chromium. ``--network`` is a folder with a vision backbone such as MobileNetV2 for the model that looks at
uploads; without it a small network stands in, and that is said.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from common import RESULTS, machine, machine_line, write
from doppelgram.catalog.rows import EmbeddedImage, Entry
from doppelgram.catalog.store import Catalog
from doppelgram.images.framing import Framing
from doppelgram.models.backbones.registry import make_backbone
from doppelgram.models.model import Model
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.towers import ImageTower
from doppelgram.samples.signs import render_signs
from doppelgram.space.calibration import Calibration

DIM, USERS, EACH, REQUESTS = 64, 20, 50, 2000
BROWSER = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def make_catalog(folder: Path, rows: int, network: str) -> Catalog:
    """A catalog of made vectors in a hundred clusters, with two hundred pictures that take turns."""
    backbone = make_backbone(network or "small")
    tower = ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, DIM)), Framing(224 if network else 64))
    calibration = Calibration(8.0, 6.0, 0.7, 100, 100, "made vectors")
    Model(tower, calibration).save(folder / "model")
    catalog = Catalog.create(folder / "catalog", folder / "model")
    pictures = []
    for file in sorted(render_signs(folder / "signs", classes=20, per_class=10, seed=0).rglob("*.png"))[:200]:
        with Image.open(file) as image:
            small = BytesIO()
            image.convert("RGB").resize((160, 160)).save(small, "JPEG")
            pictures.append((file, small.getvalue()))
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(100, DIM))
    for start in range(0, rows, 20_000):
        count = min(20_000, rows - start)
        kinds = rng.integers(0, 100, count)
        vectors = centres[kinds] + 0.4 * rng.normal(size=(count, DIM))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        chunk = []
        for number in range(count):
            file, picture = pictures[(start + number) % len(pictures)]
            digest = hashlib.sha256(str(start + number).encode()).hexdigest()
            entry = Entry(digest, str(file), f"photo {start + number}.png", f"kind {kinds[number]}", {})
            chunk.append(EmbeddedImage(entry, vectors[number], picture))
        catalog.add(chunk)
    return catalog


@contextmanager
def server(catalog: Path) -> Iterator[tuple[str, int, float]]:
    """`doppelgram serve` in a process of its own: its address, its process id, and when it was started."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "doppelgram", "serve", str(catalog), "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        address = ""
        while not address:
            line = process.stderr.readline()
            if not line:
                raise SystemExit("the server ended by itself")
            found = re.search(r"http://[\d.]+:\d+", line)
            address = found.group() if found else ""
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield address, process.pid, started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def resident(pid: int) -> float:
    """Memory of a process in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def first_view(address: str, started: float) -> dict[str, float]:
    """Seconds until the browser shows photographs: from the start of the server, and of a page that is opened later."""
    from playwright.sync_api import sync_playwright

    shown = "[...document.querySelectorAll('.photos img')].filter(one => one.complete && one.naturalWidth).length >= 8"
    seconds: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=BROWSER)
        for name in ("first", "second", "third"):
            tab = browser.new_page(viewport={"width": 1280, "height": 860})
            began = time.perf_counter()
            while True:
                try:
                    tab.goto(address, wait_until="commit")
                    break
                except Exception:
                    if time.perf_counter() - began > 60:
                        raise
            tab.wait_for_selector(".photos img")
            while not tab.evaluate(shown):
                time.sleep(0.01)
            seconds[name] = time.perf_counter() - began
            tab.close()
        browser.close()
    return {"first page": seconds["first"], "opened again": min(seconds["second"], seconds["third"])}


def token(client: httpx.Client) -> str:
    """The token that stands in the page's document."""
    found = re.search(r'name="token" content="([^"]+)"', client.get("/").text)
    assert found is not None
    return found.group(1)


def uploads(address: str, folder: Path) -> dict[str, float]:
    """Milliseconds from sending a photograph of 1,080 pixels to its 24 look-alikes."""
    rng = np.random.default_rng(1)
    with httpx.Client(base_url=address, timeout=120) as client:
        client.headers["x-doppelgram-token"] = token(client)
        took = []
        for _ in range(31):
            small = Image.fromarray(rng.integers(0, 255, (27, 27, 3), dtype=np.uint8))
            file = BytesIO()
            small.resize((1080, 1080), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
            began = time.perf_counter()
            answer = client.post("/api/queries", content=file.getvalue())
            answer.raise_for_status()
            found = client.get("/api/search", params={"query": answer.json()["query"], "k": 24})
            found.raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    took = took[1:]  # the first waits for the model to be loaded
    return {"median": float(np.median(took)), "p95": float(np.percentile(took, 95)), "n": len(took)}


def crowd(address: str, ids: list[str]) -> dict[str, float]:
    """Many users at once, each of whom looks around: errors, and milliseconds a request."""

    def user(number: int) -> list[tuple[bool, float]]:
        rng = np.random.default_rng(number)
        said = []
        with httpx.Client(base_url=address, timeout=60) as client:
            for turn in range(EACH):
                id_ = ids[int(rng.integers(0, len(ids)))]
                path = (f"/api/neighbours/{id_}?k=24", f"/api/images/{id_}/thumbnail", "/api/images?limit=60")[turn % 3]
                began = time.perf_counter()
                answer = client.get(path)
                said.append((answer.status_code == 200, (time.perf_counter() - began) * 1000))
        return said

    began = time.perf_counter()
    with ThreadPoolExecutor(USERS) as pool:
        said = [one for each in pool.map(user, range(USERS)) for one in each]
    seconds = time.perf_counter() - began
    took = [milliseconds for _, milliseconds in said]
    return {
        "users": USERS,
        "requests": len(said),
        "errors": sum(not good for good, _ in said),
        "median": float(np.median(took)),
        "p95": float(np.percentile(took, 95)),
        "per second": len(said) / seconds,
    }


def memory(address: str, pid: int, ids: list[str]) -> dict[str, float]:
    """Memory of the server before and after two thousand requests of every kind."""
    with httpx.Client(base_url=address, timeout=60) as client:
        kinds = (
            "/api/neighbours/{}?k=24",
            "/api/images/{}/facts",
            "/api/images/{}",
            "/api/images?limit=60",
            "/api/catalog",
        )
        for warm in range(200):
            client.get(kinds[warm % 5].format(ids[warm % len(ids)]))
        before = resident(pid)
        for number in range(REQUESTS):
            client.get(kinds[number % 5].format(ids[number % len(ids)]))
    return {"before": before, "after": resident(pid), "requests": REQUESTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--network", default="", help="folder of a vision backbone, or a name")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.perf_counter()
        catalog = make_catalog(folder, given.rows, given.network)
        result: dict[str, Any] = {
            "machine": machine("fastapi", "uvicorn"),
            "rows": given.rows,
            "network": Path(given.network).name or "small",
            "made in seconds": time.perf_counter() - began,
        }
        ids = sorted(catalog.hashes())[::97][:1000]
        with server(catalog.folder) as (address, pid, started):
            result["listening after seconds"] = time.perf_counter() - started
            result["view"] = first_view(address, started)
            result["upload"] = uploads(address, folder)
            result["crowd"] = crowd(address, ids)
            result["memory"] = memory(address, pid, ids)
    write("page", result, _markdown(result), given.out)


def _markdown(result: dict[str, Any]) -> str:
    view, upload, many, used = (result[name] for name in ("view", "upload", "crowd", "memory"))
    return f"""# The page on a catalog of {result["rows"]:,} rows

| what | figure |
|---|---:|
| from the command to the server listening | {result["listening after seconds"]:.2f} s |
| first page, right after that: until 8 photographs are seen | {view["first page"]:.2f} s |
| the page opened again | {view["opened again"]:.2f} s |
| search by an upload of 1,080 pixels, {result["network"]}: median, p95 of {upload["n"]} | {upload["median"]:.0f} ms, \
{upload["p95"]:.0f} ms |
| {many["users"]} users at once: errors in {many["requests"]:,} requests | {many["errors"]} |
| a request of theirs: median, p95 | {many["median"]:.0f} ms, {many["p95"]:.0f} ms |
| requests a second | {many["per second"]:.0f} |
| memory of the server before and after {used["requests"]:,} requests | {used["before"]:.0f} MB, \
{used["after"]:.0f} MB |

Vectors are made, {DIM} numbers each. The users are threads of a second process, on the same cores as the server.

{machine_line(result["machine"])}
"""


if __name__ == "__main__":
    main()
