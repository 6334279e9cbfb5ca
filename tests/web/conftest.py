"""One server over the sample world for all tests of the page, and one browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.web.session import Session
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.page import Served, ended, open_tab, posts_catalog, serving


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose catalog holds the posts of the sample world; nothing in it is changed."""
    catalog, keypoints = posts_catalog(tmp_path_factory.mktemp("page"))
    session = Session(catalog, "sample world", keypoints=keypoints)
    session.refresh()
    with serving(session) as served:
        yield served


@pytest.fixture(scope="session")
def traced_page(tmp_path_factory: pytest.TempPathFactory, page: Served) -> Iterator[Served]:
    """The same catalog on a server of its own, with role models that the page itself traced."""
    folder = tmp_path_factory.mktemp("traced") / "posts"
    copytree(page.session.catalog.folder, folder)
    session = Session(Catalog.open(folder), "traced world", keypoints=page.session.keypoints)
    session.refresh()
    with serving(session) as served:
        begun = served.client.post("/api/role-models", json={"draws": 19})
        assert begun.status_code == 202, begun.text
        again = served.client.post("/api/role-models", json={})
        assert again.status_code == 409
        assert "going on already" in again.json()["detail"]
        assert served.get("/api/role-models")["state"] == "running"
        job = ended(served, begun.json()["number"])
        assert job["state"] == "done", job
        assert job["done"] == job["total"] > 0
        served.said = job["message"]
        yield served


@pytest.fixture
def traced_tab(browser: Any, traced_page: Served) -> Iterator[Any]:
    """A tab on it."""
    yield from open_tab(browser, traced_page)


@pytest.fixture
def tab(browser: Any, page: Served) -> Iterator[Any]:
    """A tab of 1280 x 860; a console error, or a request that leaves the server's address, fails the test."""
    yield from open_tab(browser, page)


@pytest.fixture
def plain_tab(browser: Any, plain_page: Served) -> Iterator[Any]:
    """A tab on the server of drawn pictures."""
    yield from open_tab(browser, plain_page)


@pytest.fixture(scope="session")
def plain_page(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Served]:
    """A server over a dozen drawn pictures, embedded as a whole by a small network of random weights."""
    folder = tmp_path_factory.mktemp("plain")
    photos = draw_pictures(folder / "photos")
    catalog = Catalog.create(folder / "catalog", model_folder)
    index_collection(read_collection(photos), catalog.load_model(), catalog)
    with serving(Session(catalog, "pictures")) as served:
        yield served
