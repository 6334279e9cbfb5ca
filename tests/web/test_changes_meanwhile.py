"""A catalog that grows, shrinks, is taught, moved or deleted by other processes while it is served."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.teaching.versions import Versions
from doppelgram.web import session as sessions
from doppelgram.web.session import Session
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.page import Served, ended, open_tab, serving, until


@pytest.fixture
def own(tmp_path: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server whose catalog of twelve pictures is changed by others."""
    monkeypatch.setattr(sessions, "_LOOK_SECONDS", 0.05)
    catalog = Catalog.create(tmp_path / "catalog", model_folder)
    index_collection(read_collection(draw_pictures(tmp_path / "photos")), catalog.load_model(), catalog)
    session = Session(Catalog.open(catalog.folder), "pictures")
    session.refresh()
    with serving(session) as served:
        yield served


def soon(true: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_catalog_that_grows_and_shrinks(own: Served, tmp_path: Path) -> None:
    other = Catalog.open(own.session.outer.folder)
    more = draw_pictures(tmp_path / "more", classes=1, seed=5_000)
    index_collection(read_collection(more), other.load_model(), other)
    soon(lambda: own.get("/api/images")["total"] == 16)
    ids = own.session.require().searcher.ids
    assert len(own.get(f"/api/neighbours/{ids[0]}")["matches"]) == 15
    other.remove(ids[:10])
    soon(lambda: own.get("/api/images")["total"] == 6)
    assert own.client.get(f"/api/neighbours/{ids[0]}").status_code == 404
    assert len(own.get(f"/api/neighbours/{ids[-1]}")["matches"]) == 5
    assert len(own.get("/api/questions")["questions"]) > 0
    other.remove(ids)
    assert own.get("/api/images")["total"] == 0
    soon(lambda: own.client.get("/api/questions").status_code == 422)
    assert "empty" in own.client.get("/api/questions").json()["detail"]


def test_a_catalog_that_is_deleted_and_put_back(own: Served, tmp_path: Path, browser: Any) -> None:
    folder = own.session.outer.folder
    image = own.session.require().searcher.ids[0]
    for tab in open_tab(browser, own):
        tab.goto("/search")
        tab.wait_for_selector(".photos img")
        folder.rename(tmp_path / "elsewhere")
        for path in ("/api/catalog", f"/api/images/{image}/facts", "/api/map", "/api/versions"):
            refused = own.client.get(path)
            assert refused.status_code == 410, path
            assert str(folder) in refused.json()["detail"]
            assert "lance" not in refused.json()["detail"]
        tab.get_by_role("link", name="Teach").click()
        until(tab, "document.querySelector('h1')?.textContent === 'The catalog is gone'")
        assert "put it back" in tab.inner_text("main")
        tab.wrong.clear()  # the browser itself reports the refusals
    (tmp_path / "elsewhere").rename(folder)
    assert own.get("/api/catalog")["images"] == 12


def test_another_catalog_in_its_place(own: Served, tmp_path: Path, save_model: Callable[..., Path]) -> None:
    folder = own.session.outer.folder
    shutil.rmtree(folder)
    catalog = Catalog.create(folder, save_model(tmp_path / "other model", seed=3, dim=5))
    photos = draw_pictures(tmp_path / "others", classes=1, seed=9_000)
    index_collection(read_collection(photos), catalog.load_model(), catalog)
    soon(lambda: own.client.get("/api/images").status_code == 200 and own.get("/api/images")["total"] == 4)
    assert len(own.get(f"/api/neighbours/{own.get('/api/images')['images'][0]['id']}")["matches"]) == 3


def test_looking_writes_nothing(own: Served) -> None:
    folder = own.session.outer.folder
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    image = own.session.require().searcher.ids[0]
    row = own.session.row(image)
    assert row is not None
    content = Path(row["path"]).read_bytes()
    query = own.client.post("/api/queries", content=content).json()["query"]
    asked = (
        "catalog",
        "images",
        f"images/{image}",
        f"images/{image}/facts",
        f"images/{image}/thumbnail",
        f"neighbours/{image}",
        f"search?query={query}",
        f"pair/{image}/{image}",
        "questions",
        "groups",
        "versions",
        "recipes",
        "answers.csv",
        "labels.csv",
        "map",
        "role-models",
        "runs",
        "jobs",
    )
    for path in asked:
        assert own.client.get(f"/api/{path}").status_code == 200, path
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_map_of_a_catalog_that_cannot_be_written(own: Served, tmp_path: Path) -> None:
    folder = own.session.outer.folder
    before = sorted(folder.rglob("*"))
    own.session.maps.place = tmp_path / "beside"  # as where the catalog's folder may not be written to
    job = ended(own, own.client.post("/api/map", json={"method": "pca"}).json()["number"])
    assert job["state"] == "done", job
    made = own.get("/api/map")["made"]
    assert made["points"] == 12
    assert own.client.get("/api/map/atlas/0", params={"map": made["stamp"]}).content[:2] == b"\xff\xd8"
    assert sorted(folder.rglob("*")) == before


_REMOVE = """
import sys, time
from doppelgram.catalog.store import Catalog

catalog = Catalog.open(sys.argv[1])
for id_ in sys.argv[2:]:
    catalog.remove([id_])
    time.sleep(0.05)
"""


def test_twenty_readers_while_another_process_takes_rows_out(own: Served, tmp_path: Path) -> None:
    folder = own.session.outer.folder
    other = Catalog.open(folder)
    index_collection(read_collection(draw_pictures(tmp_path / "more", seed=20_000)), other.load_model(), other)
    soon(lambda: own.get("/api/images")["total"] == 24)
    ids = own.session.require().searcher.ids
    gone, kept = ids[::2], ids[1::2]
    ended_ = threading.Event()
    answers: list[tuple[int, str]] = []

    def look(number: int) -> None:
        with httpx.Client(base_url=own.address, timeout=240) as client:
            turn = number
            while not ended_.is_set():
                image = ids[turn % len(ids)]
                paths = (
                    f"neighbours/{image}?k=24",
                    f"images/{image}/thumbnail",
                    "images?limit=60",
                    f"images/{image}/facts",
                    f"images/{image}",
                    "questions" if number == 1 else "catalog",
                )
                path = f"/api/{paths[turn % len(paths)]}"
                answers.append((client.get(path).status_code, path))
                turn += 1

    readers = [threading.Thread(target=look, args=(number,)) for number in range(20)]
    for reader in readers:
        reader.start()
    taken = subprocess.run([sys.executable, "-c", _REMOVE, str(folder), *gone], timeout=120, check=True)
    ended_.set()
    for reader in readers:
        reader.join(60)
    assert taken.returncode == 0
    assert len(answers) > 100
    assert {status for status, _ in answers} <= {200, 404}, [one for one in answers if one[0] not in (200, 404)]
    assert not [one for one in answers if one[0] == 404 and not any(id_ in one[1] for id_ in gone)]
    soon(lambda: own.get("/api/images")["total"] == len(kept))
    assert [image["id"] for image in own.get("/api/images")["images"]] == kept
    for image in kept:
        assert own.client.get(f"/api/images/{image}/thumbnail").content[:2] == b"\xff\xd8"
        assert {m["id"] for m in own.get(f"/api/neighbours/{image}")["matches"]} == {*kept} - {image}


def test_two_servers_on_one_catalog(own: Served) -> None:
    with serving(Session(Catalog.open(own.session.outer.folder), "the same pictures")) as other:
        ids = own.session.require().searcher.ids
        assert other.client.post("/api/answers", json={"pair": ids[:2], "degree": 1}).status_code == 200
        assert own.client.post("/api/answers", json={"pair": ids[2:4], "degree": 0}).status_code == 200
        assert own.get("/api/questions")["state"]["answers"] == other.get("/api/questions")["state"]["answers"] == 2
        before = own.get(f"/api/neighbours/{ids[0]}")["matches"]
        # One of them fits probabilities anew, and goes back: the other one has it without being told.
        versions = Versions(own.session.outer.folder)
        model = own.session.catalog.load_model()
        calibration = model.described()[0]["calibration"]
        versions.add_calibration({**calibration, "slope": 40.0}, "fitted anew", {})

        def probabilities(served: Served) -> list[float]:
            return [match["probability"] for match in served.get(f"/api/neighbours/{ids[0]}")["matches"]]

        soon(lambda: probabilities(own) == probabilities(other) != [match["probability"] for match in before])
        assert [one["current"] for one in other.get("/api/versions")] == [False, True]
        assert other.client.post("/api/versions/1").json()[0]["current"]
        soon(lambda: own.get(f"/api/neighbours/{ids[0]}")["matches"] == before)
        assert other.client.post("/api/versions/2").json()[1]["current"]
        soon(lambda: own.get("/api/versions")[1]["current"])


def test_back_and_forward_keep_what_was_seen(own: Served, browser: Any) -> None:
    for tab in open_tab(browser, own):
        tab.goto("/search?label=class+1")
        tab.wait_for_selector(".photos img")
        assert tab.locator(".photos .photo").count() == 4
        tab.click(".photo .frame >> nth=1")
        tab.wait_for_selector(".rank")
        image = tab.url
        tab.get_by_role("link", name="Teach").click()
        tab.wait_for_selector(".question, .empty")
        tab.get_by_role("link", name="Versions").click()
        tab.wait_for_selector(".versions li")
        tab.go_back()
        tab.wait_for_selector(".question, .empty")
        tab.go_back()
        tab.wait_for_selector(".rank")
        assert tab.url == image
        tab.go_back()
        until(tab, "document.querySelectorAll('.photos .photo').length === 4")
        assert tab.get_by_label("Label").input_value() == "class 1"
        for _ in range(3):
            tab.go_forward()
        tab.wait_for_selector(".versions li")
