"""Teaching by REST and in a browser: what is answered there is what the library keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.teaching.answers import Answers
from doppelgram.web.session import Session
from helpers.catalogs import CALIBRATION
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.catalogs import _save_random_model as save_random_model
from helpers.page import Served, open_tab, serving, until


@pytest.fixture
def taught(tmp_path: Path) -> Iterator[Served]:
    """A server of its own, whose catalog may be changed; its model calls few pictures the same."""
    model = save_random_model(tmp_path / "model", calibration=replace(CALIBRATION, slope=400.0, threshold=0.005))
    catalog = Catalog.create(tmp_path / "catalog", model)
    index_collection(read_collection(draw_pictures(tmp_path / "photos")), catalog.load_model(), catalog)
    with serving(Session(catalog, "pictures")) as served:
        yield served


def test_answers_are_kept_and_taken_back(taught: Served) -> None:
    first = taught.get("/api/questions")
    assert first["state"]["answers"] == 0
    question = first["questions"][0]
    answer = taught.client.post("/api/answers", json={"key": question["key"], "degree": 1, "who": "a tester"}).json()
    assert answer["state"]["answers"] == 1
    assert question["key"] not in [one["key"] for one in answer["questions"]]
    log = Answers(taught.session.outer.folder)
    assert [(entry.kind, entry.degree, entry.who) for entry in log.history()] == [("pair", 1.0, "a tester")]
    back = taught.client.delete("/api/answers/last").json()
    assert back["state"]["answers"] == 0
    assert len(log.history()) == 2


def test_pairs_names_and_tables(taught: Served) -> None:
    ids = taught.session.require().searcher.ids
    answer = taught.client.post("/api/answers", json={"pair": ids[:2], "degree": 0})
    assert answer.status_code == 200, answer.text
    named = taught.client.post("/api/names", json={"ids": ids[2:5], "name": "stripes"}).json()
    assert named["state"]["answers"] == 2
    group = next(one for one in taught.get("/api/groups")["groups"] if one["name"] == "stripes")
    assert set(ids[2:5]) <= set(taught.get(f"/api/groups/{group['number']}")["ids"])
    labels = taught.client.get("/api/labels.csv").text.splitlines()
    assert sum("stripes" in line for line in labels) >= 3
    assert len(taught.client.get("/api/answers.csv").text.splitlines()) == 2


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"degree": 2, "key": "a"}, 422),
        ({"degree": 1, "key": "no such question"}, 404),
        ({"degree": 1, "pair": ["0" * 64, "1" * 64]}, 404),
        ({"degree": 1, "pair": ["../etc/passwd", "x"]}, 422),
        ({"key": "a"}, 422),
    ],
)
def test_answers_that_are_refused(taught: Served, given: dict[str, Any], status: int) -> None:
    refused = taught.client.post("/api/answers", json=given)
    assert refused.status_code == status
    assert refused.json()["detail"]


def test_versions_go_back(taught: Served) -> None:
    assert [one["kind"] for one in taught.get("/api/versions")] == ["start"]
    change = taught.client.post("/api/recalibrate").json()
    assert not change["accepted"]  # nothing was answered
    assert taught.client.post("/api/versions/7").status_code == 404
    assert taught.client.post("/api/versions/1").json()[0]["current"]
    assert len(taught.get(f"/api/neighbours/{taught.session.require().searcher.ids[0]}")["matches"]) == 11


def test_training_needs_names_and_says_so(taught: Served) -> None:
    assert "signs" in [one["name"] for one in taught.get("/api/recipes")]
    assert taught.client.post("/api/training", json={"recipe": "../posts"}).status_code == 404
    job = taught.client.post("/api/training", json={"recipe": "signs"}).json()
    while (job := taught.get(f"/api/jobs/{job['number']}"))["state"] == "running":
        time.sleep(0.1)
    assert job["state"] == "failed"
    assert "training needs 8" in job["message"]


def test_names_that_are_formulas_or_cannot_be_seen(taught: Served) -> None:
    ids = taught.session.require().searcher.ids
    assert taught.client.post("/api/names", json={"ids": ids[:2], "name": "=HYPERLINK(1)"}).status_code == 200
    assert ",'=HYPERLINK(1)" in taught.client.get("/api/labels.csv").text
    for name in ("\u0000", "a\u202eb", "\u200b"):
        refused = taught.client.post("/api/names", json={"ids": ids[:2], "name": name})
        assert refused.status_code == 422
        assert "cannot be seen" in refused.json()["detail"]


def test_by_keyboard_in_a_browser(browser: Any, taught: Served) -> None:
    for tab in open_tab(browser, taught):
        tab.goto("/teach")
        tab.wait_for_selector(".question")
        tab.keyboard.press("y")
        until(tab, "document.querySelector('.lead').textContent.startsWith('1 answer')")
        tab.keyboard.press("n")
        until(tab, "document.querySelector('.lead').textContent.startsWith('2 answers')")
        tab.keyboard.press("k")
        until(tab, "document.querySelector('.lead').textContent.startsWith('1 answer ')")
        tab.keyboard.press("?")
        assert tab.locator("dialog").is_visible()
        tab.keyboard.press("Escape")
        tab.get_by_role("link", name="Groups").click()
        tab.wait_for_selector(".group, .empty")
        tab.get_by_role("link", name="Versions").click()
        tab.wait_for_selector(".versions li")
        tab.click("text=Recalibrate from the answers")
        until(tab, "/answer/.test(document.querySelector('[role=status] p, .note p')?.textContent ?? '')")
    assert [entry.kind for entry in Answers(taught.session.outer.folder).history()] == ["pair", "pair", "undo"]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (390, 667), (1280, 720)])
def test_photographs_stand_above_the_buttons_and_both_are_seen(
    browser: Any, taught: Served, width: int, height: int
) -> None:
    for tab in open_tab(browser, taught):
        tab.set_viewport_size({"width": width, "height": height})
        tab.goto("/teach")
        tab.wait_for_selector(".question")
        until(tab, "[...document.querySelectorAll('.sides img')].every(one => one.naturalWidth)")
        sides, bar = (tab.locator(name).bounding_box() for name in (".sides", ".answers"))
        assert sides["y"] + sides["height"] <= bar["y"]
        assert bar["y"] + bar["height"] <= height
        assert bar["y"] + bar["height"] / 2 > height / 2  # the lower half, which a thumb reaches
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_joining_under_a_name_is_asked_and_taken_back(browser: Any, taught: Served) -> None:
    ids = taught.session.require().searcher.ids
    for name, some in (("stripes", ids[:2]), ("dots", ids[2:4])):
        assert taught.client.post("/api/names", json={"ids": some, "name": name}).status_code == 200
    asked = taught.client.post("/api/names", json={"ids": ids[4:6], "name": " Stripes "})
    assert asked.status_code == 409
    assert "2 other photographs called 'stripes'" in asked.json()["detail"]
    again = taught.client.post("/api/names", json={"ids": ids[:2], "name": "stripes"})  # nothing is joined by this
    assert again.status_code == 200
    assert taught.client.delete("/api/answers/last").status_code == 200
    for tab in open_tab(browser, taught):
        tab.goto("/teach?tab=groups")
        group = tab.locator(".group", has=tab.get_by_role("heading", name="dots"))
        group.locator("input").fill("stripes")
        group.get_by_role("button", name="Name").click()
        group.get_by_role("button", name="Join them").click()
        group.get_by_role("button", name="Undo").wait_for()
        assert "Joined" in group.inner_text() or "Kept aside" in group.inner_text()
        group.get_by_role("button", name="Undo").click()
        tab.get_by_role("heading", name="dots").wait_for()
        log = Answers(taught.session.outer.folder)
        end = time.monotonic() + 20
        while set(log.names().values()) != {"stripes", "dots"}:
            assert time.monotonic() < end, log.names()
            time.sleep(0.05)
        tab.wrong.clear()  # the browser itself reports that it was asked back
