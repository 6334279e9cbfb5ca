"""``--where`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.models.model import Model
from helpers.commands import call


def test_search_and_map_among_some_of_the_images(tmp_path: Path, photos: Path, catalog: Catalog, model: Model) -> None:
    index_collection(read_collection(photos), model, catalog)
    query = photos / "class 0" / "picture 0.jpg"
    condition = "label in ('class 1', 'class 2') and not name contains 'PICTURE 3'"
    found = call("search", catalog.folder, query, "-k", 50, "--where", condition, "--json")
    labels = [match["label"] for match in json.loads(found.stdout)[0]["matches"]]
    assert sorted(labels) == ["class 1"] * 3 + ["class 2"] * 3
    everything = call("search", catalog.folder, query, "-k", 50, "--json")
    order = [match["id"] for match in json.loads(everything.stdout)[0]["matches"]]
    ids = [match["id"] for match in json.loads(found.stdout)[0]["matches"]]
    assert ids == [one for one in order if one in ids]

    drawn = tmp_path / "map.html"
    done = call("map", catalog.folder, "--method", "pca", "--out", drawn, "--where", condition, "--json")
    assert done.status == 0, done.stderr
    assert json.loads(done.stdout)["images"] == 6


def test_what_cannot_be_fulfilled_ends_in_a_sentence(tmp_path: Path, photos: Path, catalog: Catalog, model: Model):
    index_collection(read_collection(photos), model, catalog)
    query = photos / "class 0" / "picture 0.jpg"
    for condition, said in (
        ("lable = 'x'", "'lable', but label"),
        ("label = 'x", "not closed"),
        ("label = 'x'", "no image fulfils"),
    ):
        done = call("search", catalog.folder, query, "--where", condition)
        assert done.status == 2
        assert said in " ".join(done.stderr.split())
        assert done.stdout == ""
    done = call("map", photos, "--out", tmp_path / "map.png", "--where", "label = 'x'")
    assert done.status == 2
