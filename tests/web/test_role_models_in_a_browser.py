"""Role models in a real browser: the wall, the leading posts, one arrangement, and what an empty page says."""

from __future__ import annotations

from typing import Any

from helpers.page import Served, until


def test_from_the_wall_to_one_arrangement(traced_tab: Any, traced_page: Served) -> None:
    tab = traced_tab
    found = traced_page.get("/api/role-models")
    tab.goto("/role-models")
    tab.wait_for_selector(".pin img")
    assert found["headline"] in tab.inner_text(".lead")
    assert tab.locator(".wall-row .track").count() == len(found["arrangements"])
    cards = tab.eval_on_selector_all(".card img", "all => all.map(one => one.getAttribute('src'))")
    assert cards == [f"/api/images/{post['image']}/thumbnail" for post in found["leaders"][:8]]
    assert found["leaders"][0]["claim"] in tab.inner_text(".card >> nth=0")
    tab.click(".wall-name a >> nth=1")
    tab.wait_for_selector(".tree .node")
    assert "arrangement=2" in tab.url
    opened = traced_page.get("/api/arrangements/2")
    assert opened["arrangement"]["about"] in tab.inner_text(".lead")
    drawn = tab.locator(".tree .node").count()
    edges = tab.locator(".tree .branch").count()
    parents = {post["parent"] for post in opened["posts"]} - {None}
    assert drawn == sum(post["parent"] is not None or post["path"] in parents for post in opened["posts"])
    assert edges == sum(post["parent"] is not None for post in opened["posts"])
    tab.click(".photos .frame >> nth=0")
    tab.wait_for_selector(".rank")
    assert f"image={opened['posts'][0]['image']}" in tab.url
    tab.go_back()
    tab.wait_for_selector(".tree .node")


def test_photographs_of_the_wall_cover_each_other_nowhere(traced_tab: Any) -> None:
    for width in (1280, 640, 360):
        traced_tab.set_viewport_size({"width": width, "height": 800})
        traced_tab.goto("/role-models")
        traced_tab.wait_for_selector(".pin img")
        edges = "one => [one.getBoundingClientRect().left, one.getBoundingClientRect().right]"
        boxes = traced_tab.eval_on_selector_all(".track", f"all => all.map(row => [...row.children].map({edges}))")
        for row in boxes:
            for (_, right), (left, _) in zip(sorted(row), sorted(row)[1:], strict=False):
                assert right <= left + 0.5
            assert all(right <= width for _, right in row)
        assert traced_tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_photographs_lead_to_the_pair(traced_tab: Any, traced_page: Served) -> None:
    posts = traced_page.get("/api/arrangements/1")["posts"]
    traced_tab.goto("/role-models?arrangement=1")
    traced_tab.wait_for_selector(".photos .photo")
    traced_tab.click(".photos .photo >> nth=0 >> button")
    assert "Choose another" in traced_tab.inner_text("main [role=status]")
    traced_tab.click(".photos .photo >> nth=2 >> button")
    until(traced_tab, "location.pathname === '/pair'")
    assert traced_tab.evaluate("new URLSearchParams(location.search).get('a')") == posts[0]["image"]
    assert traced_tab.evaluate("new URLSearchParams(location.search).get('b')") == posts[2]["image"]


def test_numbers_explain_themselves_and_curves_are_read_by_key(traced_tab: Any, traced_page: Served) -> None:
    found = traced_page.get("/api/role-models")
    traced_tab.goto("/role-models")
    traced_tab.wait_for_selector(".card .term")
    traced_tab.focus(".card .term >> nth=0")
    assert traced_tab.locator(".card .tip >> nth=0").is_visible()
    assert traced_tab.inner_text(".card .tip >> nth=0") == found["meanings"]["followers"]
    traced_tab.focus(".chart-drawing")
    traced_tab.keyboard.press("End")
    last = found["curve"][-1]
    assert f"within {round(last['at'])} days" in traced_tab.inner_text(".readout")
    traced_tab.keyboard.press("Home")
    assert "within 0 days: observed 0" in traced_tab.inner_text(".readout")
    assert traced_tab.locator(".chart-drawing path.band").count() == 1


def test_empty_pages_say_what_to_do(tab: Any, plain_tab: Any) -> None:
    tab.goto("/role-models")
    tab.wait_for_selector(".empty")
    assert "No photograph is read again" in tab.inner_text(".empty")
    assert tab.locator("button:has-text('Trace role models')").is_enabled()
    plain_tab.goto("/role-models")
    plain_tab.wait_for_selector(".empty")
    assert "index the photographs again with the ready-made model arrangements" in plain_tab.inner_text(".empty")
    plain_tab.goto("/training")
    plain_tab.wait_for_selector(".empty")
    assert "doppelgram serve CATALOG --runs RUNS" in plain_tab.inner_text(".empty")
