"""Training on names: taken over or not, what is in effect afterwards, and going back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.api.index import index
from doppelgram.api.map import draw_map
from doppelgram.api.search import search
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.teaching.teacher import Teacher
from doppelgram.teaching.versions import CATALOG_FOLDER, Versions, in_effect
from doppelgram.training.recipes.schema import make_recipe
from helpers.progress import RecordingProgress

QUIET = SilentProgress()
RECIPE = make_recipe(
    {
        "model": {"dim": 16},
        "data": {"size": 16},
        "optimiser": {"epochs": 6, "precision": "32"},
        "sampler": {"batch": 32},
    }
)


@pytest.fixture
def named(class_folder: Callable[..., Path], save_model: Callable[..., Path], tmp_path: Path) -> Catalog:
    """Photographs of eight kinds, in a catalog by a model that was never trained."""
    data = class_folder(classes=8, images=8)
    index(data, save_model(tmp_path / "untrained", seed=3), tmp_path / "catalog", progress=QUIET)
    return Catalog.open(tmp_path / "catalog")


@pytest.mark.slow
def test_a_trained_model_is_weighed_on_names_that_were_kept_out(named: Catalog) -> None:
    teacher, rows = Teacher(named), named.rows(("id", "label"))
    with pytest.raises(DoppelgramError, match="0 names of two photographs or more; training needs 8"):
        teacher.train(RECIPE, QUIET)
    for label, ids in rows.groupby("label")["id"]:
        teacher.name(ids.tolist(), str(label))
    fingerprint, before = named.fingerprint, named.vectors()
    change = teacher.train(RECIPE, QUIET)
    assert change.accepted == (change.interval[0] > 0)
    assert "of 16 photographs of 2 names that were kept out" in change.sentence
    last = teacher.versions()[-1]
    assert (last.kind, last.current) == (("model", True) if change.accepted else ("start", True))
    assert (named.folder / "versions/0002").exists() == change.accepted
    outer = Catalog.open(named.folder)  # the outer catalog is as it was
    assert outer.load_model().fingerprint == fingerprint
    assert (outer.vectors() == before).all()
    assert teacher.state().answers == 8
    assert teacher.state().groups == 8
    teacher.go_back(1)
    assert teacher.state().version == 1


def test_search_and_map_go_by_the_version_in_effect(
    named: Catalog, save_model: Callable[..., Path], tmp_path: Path
) -> None:
    rows = named.rows(("id", "path"))
    versions = Versions(named.folder)
    number = versions.begin()
    inner = versions.place(number) / CATALOG_FOLDER
    taught = rows.iloc[4:]
    table = tmp_path / "taught.csv"
    taught[["path"]].to_csv(table, index=False)
    index(table, save_model(tmp_path / "other", seed=9), inner, progress=QUIET)
    versions.add_trained(number, "trained for a test", {})
    assert in_effect(named).folder == inner
    warned = RecordingProgress()
    found = search(named.folder, [taught["path"].iloc[0]], k=60, progress=warned)[0].matches
    assert [match.path for match in found] == [
        match.path for match in Catalog.open(inner).search([taught["path"].iloc[0]], k=60)[0].matches
    ]
    assert any("4 photographs came after the model was trained" in text for text in warned.warnings)
    assert len(draw_map(named.folder, out=tmp_path / "map.html", method="pca", progress=QUIET).images.ids) == len(
        taught
    )
    versions.go_to(1)
    assert in_effect(named) is named
    assert len(search(named.folder, [rows["path"].iloc[0]], k=99, progress=QUIET)[0].matches) == len(rows) - 1
