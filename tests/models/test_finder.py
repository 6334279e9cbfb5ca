"""Who is asked about the people of a photograph, and what is said where nobody can know."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.api.index import index
from doppelgram.api.search import search
from doppelgram.api.verify import verify
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Source, Want, read_all
from doppelgram.models.embed_files import embed_files
from doppelgram.models.finder import PeopleFinder, open_finder
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.pose.extras import PEOPLE
from helpers.posts_world import random_model
from helpers.tiny_networks import standing


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Three photographs, and people.json elsewhere that names the first, and nobody in the second."""
    files = [tmp_path / "photos" / f"{name}.png" for name in ("somebody", "nobody", "unnamed")]
    files[0].parent.mkdir()
    for number, file in enumerate(files):
        Image.new("RGB", (60, 80), (40 * number, 90, 90)).save(file)
    people = {"somebody.png": standing(30, 40, 60)[:, :2].tolist(), "nobody.png": []}
    (tmp_path / "people.json").write_text(json.dumps(people))
    return files


def counts(finder: PeopleFinder, sources: Sequence[Source]) -> list[int]:
    """How many people are found in each."""
    return [len(one.extras[PEOPLE]) for one in read_all(sources, Want(extras=finder.extras))]


def test_a_photograph_that_keypoints_do_not_name_is_not_taken_for_empty(photos: list[Path], tmp_path: Path) -> None:
    finder = open_finder(FinderSettings(), keypoints=tmp_path / "people.json")
    finder.require_named(photos[:2], every=True)
    assert counts(finder, photos[:2]) == [1, 0]
    with pytest.raises(DoppelgramError, match=r"people\.json: does not name the photograph .*unnamed\.png'; give"):
        finder.require_named(photos[1:], every=True)
    model = random_model().save(tmp_path / "model")
    with pytest.raises(DoppelgramError, match="does not name"):
        verify(photos[0], photos[2], model=model, keypoints=tmp_path / "people.json")
    with pytest.raises(DoppelgramError, match="no such file"):
        verify(photos[0], tmp_path / "none.png", model=model, keypoints=tmp_path / "people.json")
    catalog = tmp_path / "catalog"
    assert index(photos[0].parent, model, catalog, keypoints=tmp_path / "people.json").added == 3
    with pytest.raises(DoppelgramError, match="does not name"):
        search(catalog, photos[2:], keypoints=tmp_path / "people.json")


def test_of_many_photographs_one_has_to_be_named(photos: list[Path], tmp_path: Path) -> None:
    model = random_model()
    model.keypoints = tmp_path / "people.json"
    assert [len(people) for people in embed_files(model, photos).people] == [1, 0, 0]
    with pytest.raises(DoppelgramError, match=r"people\.json: names none of these photographs, such as .*unnamed"):
        embed_files(model, photos[2:])
    saved, catalog = random_model().save(tmp_path / "model"), tmp_path / "catalog"
    (tmp_path / "other.json").write_text(json.dumps({"other.png": []}))
    with pytest.raises(DoppelgramError, match="names none of these photographs"):
        index(photos[0].parent, saved, catalog, keypoints=tmp_path / "other.json")
    assert not catalog.exists()


def test_the_keypoints_of_a_collection_speak_of_all_of_it(photos: list[Path]) -> None:
    """Whoever is not named in the file beside is not there, whether the file is given or found."""
    beside = photos[0].parent / "keypoints.json"
    beside.write_text(json.dumps({"somebody.png": standing(30, 40, 60)[:, :2].tolist()}))
    for given in (None, beside):
        finder = open_finder(FinderSettings(), keypoints=given)
        finder.require_named(photos, every=True)
        assert counts(finder, photos) == [1, 0, 0]


def test_who_has_none_hears_nothing_of_it(photos: list[Path], tmp_path: Path) -> None:
    said = []
    for call in (
        lambda: counts(open_finder(FinderSettings()), photos[:1]),
        lambda: counts(open_finder(FinderSettings()), [np.zeros((80, 60, 3), np.uint8)]),
        lambda: open_finder(FinderSettings("movenet"), keypoints=tmp_path / "people.json"),
    ):
        with pytest.raises(DoppelgramError) as problem:
            call()
        said.append(str(problem.value))
    assert not any("model" in sentence.replace(str(tmp_path), "") for sentence in said)
    assert "no keypoints.json beside it" in said[0]
