"""The search view and the pair view in a real browser, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.page import Served, until


def test_from_the_first_view_to_why_two_are_alike(tab: Any, page: Served) -> None:
    tab.goto("/")
    tab.wait_for_selector(".photos img")
    assert "58 photographs" in tab.inner_text("h1")
    tab.click(".photo .frame >> nth=4")
    tab.wait_for_selector(".rank")
    image = tab.evaluate("new URLSearchParams(location.search).get('image')")
    found = page.get(f"/api/neighbours/{image}", k=24)["matches"]
    sources = tab.eval_on_selector_all(".photos img", "all => all.map(one => one.getAttribute('src'))")
    assert sources == [f"/api/images/{match['id']}/thumbnail" for match in found]
    tab.click("text=Why? >> nth=0")
    tab.wait_for_selector(".verdict", timeout=90_000)
    assert "likely the same" in tab.inner_text(".verdict")
    assert tab.locator(".pair img").count() == 2
    tab.go_back()
    tab.wait_for_selector(".rank")
    assert f"image={image}" in tab.url


def test_the_address_holds_the_state(tab: Any, page: Served) -> None:
    image = page.session.require().searcher.ids[2]
    tab.goto(f"/search?image={image}")
    tab.wait_for_selector(".rank")
    tab.locator("#mix").fill("0.2")
    found = page.get(f"/api/neighbours/{image}", mix=0.2)["matches"]
    wanted = ",".join(f"/api/images/{match['id']}/thumbnail" for match in found)
    sources = "[...document.querySelectorAll('.photos img')].map(one => one.getAttribute('src'))"
    shown = f"{sources}.join() === '{wanted}'"
    until(tab, shown)
    assert "mix=0.2" in tab.url
    tab.reload()
    until(tab, shown)
    assert tab.locator("#mix").input_value() == "0.2"


def test_filters(tab: Any, page: Served) -> None:
    author = page.get("/api/catalog")["authors"][0]
    tab.goto("/")
    tab.wait_for_selector(".photos img")
    with tab.expect_response(lambda response: "author=" in response.url):
        tab.get_by_label("Author").fill(author)
        tab.get_by_label("Author").press("Enter")
    count = page.get("/api/images", author=author)["total"]
    until(tab, f"document.querySelectorAll('.photos .photo').length === {count}")


def test_a_photograph_that_is_chosen(plain_tab: Any, plain_page: Served) -> None:
    row = plain_page.session.row(plain_page.session.require().searcher.ids[0])
    assert row is not None
    plain_tab.goto("/")
    plain_tab.wait_for_selector(".photos img")
    plain_tab.set_input_files("#file", row["path"])
    plain_tab.wait_for_selector(".rank", timeout=90_000)
    assert "This photograph is in the catalog." in plain_tab.inner_text(".panel")
    assert Path(row["path"]).name in plain_tab.inner_text(".panel")
    assert plain_tab.locator(".photos .photo").count() == 11


def test_a_file_that_is_no_photograph_is_told(plain_tab: Any, tmp_path: Path) -> None:
    file = tmp_path / "notes.jpg"
    file.write_text("not a picture")
    plain_tab.goto("/")
    plain_tab.wait_for_selector(".photos img")
    plain_tab.set_input_files("#file", str(file))
    plain_tab.wait_for_selector(".note", timeout=90_000)
    assert "cannot be used" in plain_tab.inner_text(".note")
    plain_tab.wrong.clear()  # the browser itself reports the refusal


def test_by_keyboard_alone(tab: Any) -> None:
    tab.goto("/")
    tab.wait_for_selector(".photos img")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.className") == "frame":
            break
    tab.keyboard.press("Enter")
    tab.wait_for_selector(".rank")
    assert tab.evaluate("document.activeElement.id") == "main"


def test_on_a_phone(tab: Any) -> None:
    tab.set_viewport_size({"width": 360, "height": 720})
    tab.goto("/")
    tab.wait_for_selector(".photos img")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    columns = tab.evaluate("getComputedStyle(document.querySelector('.photos')).gridTemplateColumns")
    assert len(columns.split(" ")) == 2
