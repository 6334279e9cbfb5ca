"""One browser for all tests of a process: playwright's driver can be started only once in each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

# Without these, Chromium looks for servers of its maker at every start.
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
]


def chromium() -> str:
    """Where Debian's Chromium is; empty where there is none."""
    return os.environ.get("DOPPELGRAM_CHROMIUM", "") or shutil.which("chromium") or ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright."""
    if not chromium():
        pytest.skip("PAGES ARE NOT TESTED IN A BROWSER: there is no chromium here (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield browser
        browser.close()
