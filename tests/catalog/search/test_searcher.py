import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.models.model import Model


@pytest.fixture
def filled(photos: Path, model: Model, catalog: Catalog) -> Catalog:
    index_collection(read_collection(photos), model, catalog)
    return catalog


def test_matches_are_those_of_scikit_learn(tmp_path: Path, filled: Catalog, model: Model, draw_picture):
    queries = [draw_picture(tmp_path / f"{seed}.png", seed, hue=0.4) for seed in range(500, 505)]
    found = filled.searcher(model).search(queries, 4)

    rows, vectors = filled.snapshot(["id", "path", "name", "label"])
    oracle = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(vectors.astype(float))
    distances, where = oracle.kneighbors(model.embed_images(queries).astype(float))
    assert [answer.query for answer in found] == [str(query) for query in queries]
    for answer, expected, positions in zip(found, distances, where, strict=True):
        assert [match.rank for match in answer.matches] == [1, 2, 3, 4]
        assert [match.id for match in answer.matches] == rows["id"].iloc[positions].tolist()
        assert [match.name for match in answer.matches] == rows["name"].iloc[positions].tolist()
        assert [match.path for match in answer.matches] == rows["path"].iloc[positions].tolist()
        assert [match.label for match in answer.matches] == rows["label"].iloc[positions].tolist()
        np.testing.assert_allclose([match.distance for match in answer.matches], expected, atol=1e-5)
        probabilities = [match.probability for match in answer.matches]
        np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(20.0 * expected - 2.0)), atol=1e-4)


def test_a_query_never_finds_its_own_content_unless_asked(tmp_path: Path, photos: Path, filled: Catalog, model: Model):
    original = photos / "class 1" / "picture 2.jpg"
    renamed = Path(shutil.copy(original, tmp_path / "another name.jpg"))
    for query in (original, renamed):
        without = filled.searcher(model).search([query], 50)[0]
        assert len(without.matches) == 11
        assert str(original) not in [match.path for match in without.matches]
        assert without.id not in [match.id for match in without.matches]
        having = filled.searcher(model).search([query], 50, include_self=True)[0]
        assert len(having.matches) == 12
        assert (having.matches[0].path, having.matches[0].id) == (str(original), having.id)
        assert having.matches[0].distance < 1e-5
        assert [match.id for match in having.matches[1:]] == [match.id for match in without.matches]


def test_the_same_query_twice_gets_two_answers(photos: Path, filled: Catalog, model: Model):
    query = photos / "class 0" / "picture 0.jpg"
    first, second, third = filled.searcher(model).search([query, photos / "class 0" / "picture 1.jpg", query], 3)
    assert first == third
    assert first != second


def test_neither_the_photographs_nor_the_run_are_needed(
    tmp_path: Path, photos: Path, catalog: Catalog, model: Model, draw_picture
):
    index_collection(read_collection(photos), model, catalog)
    query = draw_picture(tmp_path / "query.jpg", 900)
    before = catalog.searcher(model).search([query], 3)
    shutil.rmtree(photos)
    moved = Catalog.open(shutil.move(catalog.folder, tmp_path / "elsewhere"))
    after = moved.searcher().search([query], 3)
    assert [match.id for match in after[0].matches] == [match.id for match in before[0].matches]


def test_the_order_of_indexing_does_not_change_the_answer(
    tmp_path: Path, photos: Path, model: Model, model_folder: Path
):
    collection = read_collection(photos)
    answers = []
    for name, order in (("a", range(12)), ("b", range(11, -1, -1))):
        catalog = Catalog.create(tmp_path / name, model_folder)
        index_collection(collection.take(list(order)), model, catalog, batch=5)
        found = catalog.searcher(model).search(collection.paths, 11)
        answers.append([[match.id for match in answer.matches] for answer in found])
    assert answers[0] == answers[1]


def test_a_model_without_a_calibration_gives_distances_only(tmp_path: Path, photos: Path, save_model):
    folder = save_model(tmp_path / "plain", calibration=None)
    model = load_model(folder)
    catalog = Catalog.create(tmp_path / "plain catalog", folder)
    index_collection(read_collection(photos), model, catalog)
    matches = catalog.searcher().search([photos / "class 0" / "picture 0.jpg"])[0].matches
    assert [match.probability for match in matches] == [None] * 5


def test_what_cannot_be_searched_is_named(tmp_path: Path, photos: Path, filled: Catalog, model: Model, save_model):
    good = photos / "class 0" / "picture 0.jpg"
    (tmp_path / "bad.jpg").write_text("hello")
    for name, why in (("gone.jpg", "no such file"), ("bad.jpg", "not an image")):
        with pytest.raises(DoppelgramError, match=rf"{name}.*{why}"):
            filled.searcher(model).search([tmp_path / name])
        beside, wrong = filled.searcher(model).search([good, tmp_path / name])
        assert (len(beside.matches), wrong.matches) == (5, [])
        assert why in wrong.problem
    with pytest.raises(DoppelgramError, match="k is 0"):
        filled.searcher(model).search([good], 0)
    other = load_model(save_model(tmp_path / "other", seed=5))
    with pytest.raises(DoppelgramError, match="filled by another model"):
        filled.searcher(other).search([good])
    assert filled.searcher(model).search([]) == []


def test_an_empty_catalog_is_an_error_and_a_lone_image_has_no_neighbours(photos: Path, catalog: Catalog, model: Model):
    query = photos / "class 0" / "picture 0.jpg"
    with pytest.raises(DoppelgramError, match="is empty"):
        catalog.searcher(model).search([query])
    index_collection(read_collection(photos).take([0]), model, catalog)
    assert catalog.searcher(model).search([query], 10**9)[0].matches == []
