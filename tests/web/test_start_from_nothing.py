"""The page on photographs and posts that nobody has indexed yet: they can be seen while they are read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from doppelgram.catalog.store import Catalog
from doppelgram.errors import DoppelgramError
from doppelgram.web import server
from doppelgram.web.looker import Looker
from doppelgram.web.server import open_session
from doppelgram.web.session import Session
from doppelgram.web.source import PHOTOGRAPHS, POSTS, served
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.page import Served, ended, serving


@pytest.fixture(autouse=True)
def _nobody_brings_a_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Looker, "warm", lambda self: None)


def test_photographs_are_seen_while_the_rest_is_read(
    tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = draw_pictures(tmp_path / "photos", classes=3, images=120)
    monkeypatch.chdir(tmp_path)
    what = served(photos)
    assert (what.kind, what.catalog) == (PHOTOGRAPHS, Path("photos-catalog"))
    with serving(open_session(what, model=model_folder)) as page:
        seen = set()
        while (job := page.get("/api/jobs")[0])["state"] == "running":
            count = page.get("/api/images")["total"]
            seen.add(count)
            time.sleep(0.02)
        assert job["state"] == "done", job
        assert "360 added" in job["message"]
        assert page.get("/api/images")["total"] == 360 == len(page.session.require().searcher)
        # What was read was there before all was.
        assert any(0 < count < 360 for count in seen), seen
        image = page.get("/api/images")["images"][0]["id"]
        assert len(page.get(f"/api/neighbours/{image}", k=5)["matches"]) == 5
    assert len(Catalog.open(what.catalog)) == 360


def test_posts_are_indexed_and_then_traced(page: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = page.session.catalog.folder.parent
    monkeypatch.chdir(tmp_path)
    what = served(world / "posts")
    assert what.kind == POSTS
    keypoints = world / "posts/keypoints.json"
    with serving(open_session(what, model=world / "model", keypoints=keypoints)) as page:
        assert ended(page, 1)["state"] == "done"
        job = ended(page, 2)
        assert (job["kind"], job["state"]) == ("role models", "done")
        shown = page.get("/api/role-models")
        assert shown["state"] == "ready"
        assert shown["headline"] == job["message"]
        assert shown["counts"]["posts"] == 58
        assert shown["leaders"]
        # Opened once more, nothing is new, and nothing is traced again.
        assert server._finished(page.session, POSTS, "nothing new") == "nothing new"
        assert len(page.get("/api/jobs")) == 2


def test_what_holds_no_photographs_is_said_before_a_catalog_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DoppelgramError, match="no images in this folder"):
        served(tmp_path / "empty")
    with pytest.raises(DoppelgramError, match="there is no such catalog, folder or table"):
        served(tmp_path / "nothing")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_an_empty_catalog_is_a_page_that_says_so(catalog: Catalog) -> None:
    with serving(Session(catalog, "empty")) as page:
        assert page.get("/api/catalog")["images"] == 0
        assert page.get("/api/images") == {"total": 0, "images": []}
        refused = page.client.post("/api/role-models", json={})
        assert refused.status_code == 409
        assert "empty" in refused.json()["detail"]
        answer = page.client.get("/api/role-models")
        assert answer.status_code == 422
        assert "index images into it first" in answer.json()["detail"]
