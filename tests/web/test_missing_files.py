"""A catalog outlives its photographs: what it keeps of them is shown, and what needs the files is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.page import Served, open_tab


def path_of(served: Served, image: str) -> Path:
    """Where a photograph of the catalog is."""
    return Path(served.get(f"/api/images/{image}/facts")["path"])


def test_a_pair_whose_photograph_is_gone(page: Served, browser: Any) -> None:
    first, second = page.session.require().searcher.ids[:2]
    whole = page.get(f"/api/pair/{first}/{second}")
    file = path_of(page, second)
    aside = file.rename(file.with_suffix(".aside"))
    try:
        found = page.get(f"/api/pair/{first}/{second}")
        for tab in open_tab(browser, page):
            tab.goto(f"/pair?a={first}&b={second}")
            tab.wait_for_selector(".verdict")
            tab.wait_for_selector(".pair img")
            assert tab.locator(".pair img[src$='/thumbnail']").count() == 1
            assert "likely the same" in tab.inner_text(".verdict")
            assert "photographs themselves" in tab.inner_text(".note")
    finally:
        aside.rename(file)
    assert found["verdict"] == whole["verdict"]
    for figure in ("probability", "distance", "threshold"):
        assert found[figure] == pytest.approx(whole[figure], abs=1e-4)
    assert found["parts"] == pytest.approx(whole["parts"], abs=1e-4)
    assert found["missing"]
    assert not whole["missing"]


def test_a_brought_photograph_beside_one_that_is_gone(plain_page: Served) -> None:
    first, second = plain_page.session.require().searcher.ids[:2]
    content = path_of(plain_page, first).read_bytes()
    query = plain_page.client.post("/api/queries", content=content).json()["query"]
    whole = plain_page.get(f"/api/pair/{second}", query=query)
    file = path_of(plain_page, second)
    aside = file.rename(file.with_suffix(".aside"))
    try:
        found = plain_page.get(f"/api/pair/{second}", query=query)
    finally:
        aside.rename(file)
    assert (found["verdict"], found["same"]) == (whole["verdict"], whole["same"])
    assert found["probability"] == pytest.approx(whole["probability"], abs=1e-4)
