"""Search and pairs by the REST interface, against what the library itself says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.page import Served


def test_what_is_open(page: Served) -> None:
    found = page.get("/api/catalog")
    assert found["name"] == "sample world"
    assert found["images"] == 58
    assert found["ready"]
    assert found["posts"]
    assert found["model"]["parts"] == ["place", "pose"]


def test_filters_of_the_list(page: Served) -> None:
    everything = page.get("/api/images", limit=500)
    assert everything["total"] == 58 == len(everything["images"])
    author = next(image["author"] for image in everything["images"] if image["author"])
    his = page.get("/api/images", author=author, limit=500)["images"]
    assert his == [image for image in everything["images"] if image["author"] == author]
    times = sorted(image["timestamp"] for image in everything["images"] if image["timestamp"])
    later = page.get("/api/images", since=times[len(times) // 2], limit=500)
    assert later["total"] == sum(time >= times[len(times) // 2] for time in times)


@pytest.mark.parametrize("mix", [None, 0.0, 0.3, 1.0])
def test_neighbours_are_the_librarys(page: Served, mix: float | None) -> None:
    opened = page.session.require()
    position = 7
    found = page.get(f"/api/neighbours/{opened.searcher.ids[position]}", k=9, **({} if mix is None else {"mix": mix}))
    matches = opened.searcher.nearest(
        opened.searcher.vector(position), 9, mix=mix, own=[opened.searcher.ids[position]]
    )[0]
    assert [match["id"] for match in found["matches"]] == [match.id for match in matches]
    assert [match["probability"] for match in found["matches"]] == pytest.approx([m.probability for m in matches])
    assert all(match["id"] != opened.searcher.ids[position] for match in found["matches"])


def test_filters_leave_the_best_of_the_rest(page: Served) -> None:
    opened = page.session.require()
    image = opened.searcher.ids[3]
    everything = page.get(f"/api/neighbours/{image}", k=100)["matches"]
    author = everything[5]["author"]
    his = page.get(f"/api/neighbours/{image}", k=100, author=author)
    assert [m["id"] for m in his["matches"]] == [m["id"] for m in everything if m["author"] == author]


def test_a_photograph_that_is_brought(page: Served) -> None:
    opened = page.session.require()
    row = page.session.row(opened.searcher.ids[5])
    assert row is not None
    content = Path(row["path"]).read_bytes()
    answer = page.client.post("/api/queries", content=content)
    # The model takes ready-made keypoints by a file's name, which a photograph that is brought does not have.
    assert answer.status_code == 422
    assert "keypoints" in answer.json()["detail"]


def test_pairs_say_what_compare_images_says(page: Served) -> None:
    ids = page.session.require().searcher.ids
    found = page.get(f"/api/pair/{ids[0]}/{ids[1]}")
    assert found["verdict"]
    assert found["parts"].keys() == {"place", "pose"}
    assert found["probability"] <= min(found["parts"].values()) + 1e-9
    assert len(found["sides"]) == 2
    assert all(len(person) == 18 for side in found["sides"] for person in side["people"])


def test_pictures(page: Served) -> None:
    id_ = page.session.require().searcher.ids[0]
    small = page.client.get(f"/api/images/{id_}/thumbnail")
    assert small.headers["content-type"] == "image/jpeg"
    assert "immutable" in small.headers["cache-control"]
    again = page.client.get(f"/api/images/{id_}/thumbnail", headers={"if-none-match": small.headers["etag"]})
    assert again.status_code == 304
    assert page.client.get(f"/api/images/{id_}").content[:2] == b"\xff\xd8"
    assert page.client.get(f"/api/images/{'0' * 64}").status_code == 404


def test_facts(page: Served) -> None:
    id_ = page.session.require().searcher.ids[0]
    facts = page.get(f"/api/images/{id_}/facts")
    assert facts["here"]
    assert np.all([0 <= box["left"] <= 1 for box in facts["people"]])
