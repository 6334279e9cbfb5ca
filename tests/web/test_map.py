"""The map of the page by its REST interface: its places are those of the library."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from PIL import Image

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.dataset.read import read_collection
from doppelgram.dataset.splits import Split
from doppelgram.maps.atlas import Map
from doppelgram.web.listing import Listing
from doppelgram.web.map_points import BYTES, points_of
from doppelgram.web.mapped.kept import FILE, FOLDER, KeptMap
from doppelgram.web.mapped.making import make_and_keep
from doppelgram.web.session import Session
from helpers.catalogs import _draw_folder as draw_pictures
from helpers.page import Served, serving


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory, model_folder: Path) -> Iterator[Served]:
    """A catalog of its own, whose map the page makes in a process of its own."""
    folder = tmp_path_factory.mktemp("mapped")
    catalog = Catalog.create(folder / "catalog", model_folder)
    index_collection(read_collection(draw_pictures(folder / "photos")), catalog.load_model(), catalog)
    with serving(Session(catalog, "pictures")) as served:
        served.session.require()
        assert served.get("/api/map")["state"] == "none"
        assert served.client.get("/api/map/points", params={"map": "0" * 16}).status_code == 404
        job = served.client.post("/api/map", json={"method": "pca"}).json()
        assert served.get("/api/map")["state"] == "making"
        end = time.monotonic() + 120
        while served.get(f"/api/jobs/{job['number']}")["state"] == "running":
            assert time.monotonic() < end
            time.sleep(0.1)
        done = served.get(f"/api/jobs/{job['number']}")
        assert done["state"] == "done", done["message"]
        yield served


def columns(packed: bytes, count: int) -> dict[str, np.ndarray]:
    assert len(packed) == BYTES * count
    found = {"time": np.frombuffer(packed, "<u4", count)}
    for number, name in enumerate(("x", "y", "label", "author")):
        found[name] = np.frombuffer(packed, "<u2", count, count * (4 + 2 * number))
    return found | {"flags": np.frombuffer(packed, "u1", count, count * 12)}


def test_the_places_are_those_of_the_library(mapped: Served, tmp_path: Path) -> None:
    from doppelgram.api.map import draw_map

    catalog = mapped.session.catalog
    found: Map = draw_map(catalog.folder, method="pca", progress=SilentProgress())
    made = mapped.get("/api/map")["made"]
    packed = mapped.client.get("/api/map/points", params={"map": made["stamp"]}).content
    sent = columns(packed, made["points"])
    at = list(range(made["points"]))
    shown = mapped.client.post("/api/map/images", json={"map": made["stamp"], "at": at}).json()
    row = {id_: number for number, id_ in enumerate(found.images.ids)}
    rows = [row[one["id"]] for one in shown]
    lowest, extent = found.points.min(axis=0), float(np.ptp(found.points, axis=0).max())
    wanted = (found.points[rows] - lowest) / extent * 65_535
    assert np.abs(np.stack([sent["x"], sent["y"]], axis=1) - wanted).max() <= 0.51
    assert np.array_equal(sent["flags"] & 2 > 0, found.nearest.wrong[rows])
    assert made["wrong"] == int(found.nearest.wrong.sum())
    names = ["", *(group["name"] for group in made["labels"])]
    assert [names[number] for number in sent["label"]] == [one["label"] for one in shown]
    assert sum(group["count"] for group in made["labels"]) == made["points"]


def test_points_come_along_a_curve(mapped: Served) -> None:
    kept = mapped.session.maps.kept()
    assert kept is not None

    def code(x: int, y: int) -> int:  # naive: bits in turns
        return int("".join(b + a for a, b in zip(f"{x:016b}", f"{y:016b}", strict=True)), 2)

    codes = [code(x, y) for x, y in kept.places.tolist()]
    assert codes == sorted(codes)


def test_a_sheet_holds_the_pictures_in_order(mapped: Served) -> None:
    made = mapped.get("/api/map")["made"]
    response = mapped.client.get("/api/map/atlas/0", params={"map": made["stamp"]})
    assert "immutable" in response.headers["cache-control"]
    sheet = np.asarray(Image.open(io.BytesIO(response.content)).convert("RGB"), dtype=float)
    shown = mapped.client.post("/api/map/images", json={"map": made["stamp"], "at": [0, 5]}).json()
    side = made["side"]
    for one in shown:
        jpeg = mapped.client.get(f"/api/images/{one['id']}/thumbnail").content
        wanted = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB").resize((side, side)), dtype=float)
        left = one["at"] * side
        assert np.abs(sheet[8 : side - 8, left + 8 : left + side - 8] - wanted[8:-8, 8:-8]).mean() < 25
    assert mapped.client.get("/api/map/atlas/1", params={"map": made["stamp"]}).status_code == 404
    assert mapped.client.get("/api/map/atlas/0", params={"map": "f" * 16}).status_code == 404


def test_what_changed_since_is_told(mapped: Served) -> None:
    kept, listing = mapped.session.maps.kept(), mapped.session.listing()
    assert kept is not None
    fewer = Listing(listing.facts.iloc[1:])
    found = points_of(kept, fewer)
    gone = listing.facts["id"].iloc[0].encode()
    assert (found.flags & 4 > 0).tolist() == (kept.ids == gone).tolist()
    half = KeptMap(kept.ids[:5], kept.places[:5], kept.judged[:5], kept.wrong[:5], kept.lowest, kept.step, kept.facts)
    assert points_of(half, listing).added == len(kept.ids) - 5


def test_a_damaged_map_is_no_map(mapped: Served) -> None:
    file = mapped.session.catalog.folder / FOLDER / FILE
    before = file.read_bytes()
    try:
        file.write_bytes(b"nothing")
        assert mapped.get("/api/map")["state"] == "none"
    finally:
        file.write_bytes(before)
    assert mapped.get("/api/map")["state"] == "made"


def test_too_few_photographs(tmp_path: Path, model_folder: Path) -> None:
    catalog = Catalog.create(tmp_path / "catalog", model_folder)
    with serving(Session(catalog, "nothing")) as served:
        refused = served.client.post("/api/map", json={})
        assert refused.status_code == 422
        assert "3 photographs or more" in refused.json()["detail"]
        assert served.get("/api/map")["photographs"] == 0


def test_tsne_is_kept_by_the_same_work(mapped: Served) -> None:
    from doppelgram.api.map import draw_map

    folder = mapped.session.catalog.folder
    before = (folder / FOLDER / FILE).read_bytes()
    try:
        said = make_and_keep(SilentProgress(), folder, folder, "tsne", "", None, None)
        kept = KeptMap.load(folder)
        found = draw_map(folder, method="tsne", progress=SilentProgress())
        assert said == f"{len(found.points)} photographs are on the map"
        order = [found.images.ids.index(one.decode()) for one in kept.ids]
        assert np.abs(kept.places * kept.step + kept.lowest - found.points[order]).max() <= kept.step
    finally:
        (folder / FOLDER / FILE).write_bytes(before)


def test_points_know_the_part_of_the_training(mapped: Served, tmp_path: Path) -> None:
    assert "part" not in mapped.get("/api/map")["made"]["colourings"]
    catalog = mapped.session.catalog
    names = catalog.rows(("name",))["name"].tolist()
    split = Split({name: ("train", "val", "test")[number % 3] for number, name in enumerate(names[:-2])})
    run = tmp_path / "runs" / "one"
    copytree(catalog.folder / "model", run / "model")
    (run / "run.json").write_text("{}", encoding="utf-8")
    split.write(run / "split.csv")
    with serving(Session(catalog, "pictures", runs=tmp_path / "runs")) as served:
        made = served.get("/api/map")["made"]
        assert "part" in made["colourings"]
        count = made["points"]
        packed = served.client.get("/api/map/points", params={"map": made["stamp"]}).content
        at = list(range(count))
        shown = served.client.post("/api/map/images", json={"map": made["stamp"], "at": at}).json()
        parts = ["", *made["parts"]]
        flags = columns(packed, count)["flags"]
        assert [parts[flag >> 3] for flag in flags] == [split.parts.get(one["name"], "") for one in shown]
