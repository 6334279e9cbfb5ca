"""The map in a real browser: made, seen, filtered, lassoed; by mouse, by keyboard, on a phone, and without WebGL2."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.web.map_points import GONE, points_of
from doppelgram.web.mapped.kept import FOLDER
from doppelgram.web.mapped.making import make_and_keep
from doppelgram.web.session import Session
from helpers.browser import QUIET, chromium
from helpers.page import Served, open_tab, serving, until

# WebGL2 drawn by the processor.
_DRAWING = [
    *(one for one in QUIET if one != "--disable-gpu"),
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
_READY = "document.querySelector('.stage')?.dataset.resting === 'true'"


@pytest.fixture(scope="module")
def mapped(page: Served) -> Served:
    """The sample world with its map."""
    session = page.session
    make_and_keep(SilentProgress(), *[session.catalog.folder] * 2, "tsne", "", None, session.keypoints)
    return page


@pytest.fixture
def map_tab(browser: Any, mapped: Served) -> Iterator[Any]:
    """A tab in which the map is seen."""
    for tab in open_tab(browser, mapped):
        tab.goto("/map")
        until(tab, _READY)
        yield tab


def middle(tab: Any) -> tuple[float, float]:
    box = tab.locator(".stage").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def around_everything(tab: Any) -> None:
    box = tab.locator(".stage").bounding_box()
    left, top = box["x"] + 3, box["y"] + 3
    right, bottom = left + box["width"] - 6, top + box["height"] - 6
    tab.mouse.move(left, top)
    tab.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        tab.mouse.move(x, y)
    tab.mouse.up()


def test_photographs_in_place_of_points(map_tab: Any, mapped: Served) -> None:
    shown = "Number(document.querySelector('.stage').dataset.photographs)"
    until(map_tab, f"{shown} === 58")  # few photographs: from the first view
    map_tab.mouse.move(*middle(map_tab))
    map_tab.mouse.wheel(0, -1200)
    until(map_tab, f"{_READY} && {shown} < 58")
    until(map_tab, "location.search.includes('z=')")
    address = map_tab.url
    map_tab.reload()
    until(map_tab, _READY)
    assert map_tab.url == address
    map_tab.click("text=Whole map")
    until(map_tab, f"{shown} === 58")


def test_a_lasso_a_filter_and_a_table(map_tab: Any, mapped: Served) -> None:
    made = mapped.get("/api/map")["made"]
    map_tab.select_option("select >> nth=0", "author")
    group = made["authors"][0]
    entry = map_tab.locator(".map-legend button", has_text=group["name"])
    entry.click()
    assert entry.get_attribute("aria-pressed") == "false"
    assert "colour=author" in map_tab.url
    assert "hide=1" in map_tab.url
    map_tab.click("text=Lasso")
    around_everything(map_tab)
    map_tab.wait_for_selector(".map-side .photos")
    left = made["points"] - group["count"]
    assert f"{left} photographs chosen" in map_tab.inner_text(".map-side")
    with map_tab.expect_download() as waiting:
        map_tab.click("text=Save as CSV")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8"))))
    facts = mapped.session.listing().facts
    wanted = facts[facts["author"] != group["name"]]
    assert {row["id"]: (row["label"], row["author"], row["name"]) for row in rows} == {
        row.id: (row.label, row.author, row.name_) for row in wanted.rename(columns={"name": "name_"}).itertuples()
    }


def test_hover_click_and_picture(map_tab: Any, mapped: Served) -> None:
    session = mapped.session
    kept = session.maps.kept()
    assert kept is not None
    assert not (points_of(kept, session.listing()).flags & GONE).any()
    width, height = kept.places.max(axis=0).tolist()
    box = map_tab.locator(".stage").bounding_box()
    inner_width, inner_height = box["width"] - 2, box["height"] - 2
    scale = min(inner_width / (width * 1.08 + 1), inner_height / (height * 1.08 + 1))
    x, y = kept.places[7].tolist()
    left = box["x"] + 1 + inner_width / 2 + (x - width / 2) * scale
    top = box["y"] + 1 + inner_height / 2 + (y - height / 2) * scale
    map_tab.mouse.move(left, top)
    map_tab.wait_for_selector(".map-card img")
    image = kept.ids[7].decode()
    assert map_tab.locator(".map-card img").get_attribute("src") == f"/api/images/{image}/thumbnail"
    with map_tab.expect_download() as waiting:
        map_tab.click("text=Save picture")
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")
    map_tab.mouse.click(left, top)
    map_tab.wait_for_selector(".rank")
    assert f"image={image}" in map_tab.url


def test_by_keyboard_alone(map_tab: Any) -> None:
    map_tab.focus(".stage")
    for key in ("+", "+", "ArrowLeft", "-"):
        map_tab.keyboard.press(key)
    until(map_tab, "location.search.includes('z=0.50')")
    map_tab.keyboard.press("Home")
    until(map_tab, "location.search.includes('z=0.00')")


def test_on_a_phone(map_tab: Any) -> None:
    map_tab.set_viewport_size({"width": 360, "height": 720})
    until(map_tab, _READY)
    assert map_tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_webgl_and_a_plain_canvas_show_the_same(browser: Any, mapped: Served) -> None:
    without = "HTMLCanvasElement.prototype.getContext = (old => function (kind, ...more) {"
    without += " return kind === 'webgl2' ? null : old.call(this, kind, ...more); })"
    without += "(HTMLCanvasElement.prototype.getContext)"
    covered = """() => { const from = document.querySelector('.stage canvas');
        const to = Object.assign(document.createElement('canvas'), { width: from.width, height: from.height });
        const context = to.getContext('2d'); context.drawImage(from, 0, 0);
        const seen = context.getImageData(0, 0, to.width, to.height).data; const found = [];
        for (let at = 3; at < seen.length; at += 4) if (seen[at] > 200) found.push(at); return found; }"""
    drawn = {}
    drawing = browser.browser_type.launch(executable_path=chromium(), args=_DRAWING)
    for script in ("", without):
        for tab in open_tab(drawing, mapped):
            if script:
                tab.add_init_script(script)
            tab.goto("/map")
            until(tab, _READY)
            drawn[tab.locator(".stage").get_attribute("data-drawn")] = set(tab.evaluate(covered))
    drawing.close()
    assert set(drawn) == {"webgl2", "2d"}
    both = drawn["webgl2"] & drawn["2d"]
    assert len(both) > 0.8 * len(drawn["webgl2"])


def test_no_map_yet_then_made_on_the_page(browser: Any, tmp_path: Path, plain_page: Served) -> None:
    (plain_page.session.catalog.folder / FOLDER / "map.npz").unlink(missing_ok=True)
    for tab in open_tab(browser, plain_page):
        tab.goto("/map")
        tab.wait_for_selector(".empty")
        assert "No map yet" in tab.inner_text("h1")
        tab.select_option("select[name=method]", "pca")
        tab.click("text=Make the map")
        tab.wait_for_selector(".stage", timeout=120_000)
        until(tab, _READY)


def test_too_few(browser: Any, tmp_path: Path, model_folder: Path) -> None:
    with serving(Session(Catalog.create(tmp_path / "catalog", model_folder), "nothing")) as served:
        for tab in open_tab(browser, served):
            tab.goto("/map")
            tab.wait_for_selector(".empty")
            assert "3 photographs or more" in tab.inner_text(".empty")
