"""Take the pictures of the page that the documentation shows, of the sample world.

    doppelgram demo --out demo
    python tools/photograph_page.py demo/role-models

The catalog is copied first, so that nothing in it changes. Needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZE = {"width": 1280, "height": 860}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traced", type=Path, help="folder that trace wrote, of posts of the sample world")
    parser.add_argument("--keypoints", type=Path, help="file of the posts' keypoints")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "sample world"
        shutil.copytree(given.traced, copy)
        command = [sys.executable, "-m", "doppelgram", "serve", str(copy), "--no-browser", "--port", "0"]
        if given.keypoints:
            command += ["--keypoints", str(given.keypoints)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            assert process.stderr is not None
            found = re.search(r"http://[\d.]+:\d+", process.stderr.readline())
            if found is None:
                raise SystemExit(process.stderr.read())
            photograph(found.group())
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def photograph(address: str) -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    while not httpx.get(f"{address}/api/catalog").json()["ready"]:
        time.sleep(0.5)
    image = httpx.get(f"{address}/api/images").json()["images"][12]["id"]
    first = httpx.get(f"{address}/api/neighbours/{image}").json()["matches"][0]["id"]
    views = {
        "page-search": ("/search", ".photos img", "light"),
        "page-search-dark": ("/search", ".photos img", "dark"),
        "page-pair": (f"/pair?a={image}&b={first}", ".verdict", "light"),
        "page-map": ("/map", ".stage canvas", "light"),
        "page-teach": ("/teach", ".question", "light"),
        "page-role-models": ("/role-models", "h1", "light"),
    }
    make_map(address)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, (path, ready, scheme) in views.items():
            context = browser.new_context(viewport=SIZE, color_scheme=scheme)
            tab = context.new_page()
            tab.goto(address + path)
            tab.wait_for_selector(ready, timeout=120_000)
            settle(tab)
            file = DOCS / f"{name}.png"
            tab.screenshot(path=str(file))
            with Image.open(file) as picture:
                picture.convert("RGB").quantize(192, dither=Image.Dither.NONE).save(file, optimize=True)
            context.close()
        browser.close()


def make_map(address: str) -> None:
    """Have the map made, and wait for it."""
    with httpx.Client(base_url=address, timeout=60) as client:
        found = re.search(r'name="token" content="([^"]+)"', client.get("/").text)
        assert found is not None
        client.post("/api/map", json={}, headers={"x-doppelgram-token": found.group(1)}).raise_for_status()
        while client.get("/api/map").json()["state"] != "made":
            time.sleep(0.5)


def settle(tab: Any) -> None:
    """Wait until every picture that is in sight is there."""
    tab.wait_for_load_state("networkidle")
    time.sleep(1.0)


if __name__ == "__main__":
    main()
