"""Training on names: taken over or not, what is in effect afterwards, and going back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.api.index import index
from doppelgram.catalog.store import Catalog
from doppelgram.console import SilentProgress
from doppelgram.errors import DoppelgramError
from doppelgram.teaching.teacher import Teacher
from doppelgram.training.recipes.schema import make_recipe

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
