"""Nothing that names anybody is left in an anonymous report."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.catalog.folder import require_outside
from doppelgram.errors import DoppelgramError
from doppelgram.reports.role_models.anonymous import AnonymousPictures, anonymised, blur_head, letters
from doppelgram.reports.role_models.citation import bibtex, csl
from doppelgram.reports.role_models.files import write_summary, write_tables
from doppelgram.reports.role_models.photographs import Picture
from doppelgram.reports.role_models.report import write_report
from doppelgram.reports.role_models.summary import summary
from doppelgram.reports.role_models.wall import write_walls
from doppelgram.rolemodels.posts import PostTable
from doppelgram.rolemodels.result import RoleModels
from doppelgram.rolemodels.settings import TraceSettings
from doppelgram.rolemodels.trace import trace_posts
from doppelgram.rolemodels.validation.simulate import WorldSettings, simulate


@pytest.fixture(scope="module")
def found() -> RoleModels:
    world = simulate(WorldSettings(posts=90, places=2, poses=2), seed=3)
    table = world.posts
    authors = np.array(["flooder" if k % 3 == 0 else f"secret_{k}" for k in range(len(table))], dtype=object)
    paths = np.array([f"of_{author}/{k}.jpg" for k, author in enumerate(authors)], dtype=object)
    captions = {"caption": np.array(["my private words"] * len(table), dtype=object)}
    posts = PostTable(paths, authors, table.timestamp, table.place, captions)
    return trace_posts(posts, world.vectors, world.space, TraceSettings(draws=19, bootstraps=0, permutations=99))


def person(path: str, side: int) -> Picture:
    buffer = BytesIO()
    Image.effect_noise((60, 80), 90).convert("RGB").save(buffer, "JPEG")
    keypoints = np.column_stack([np.full(18, 30.0), np.linspace(10, 70, 18), np.ones(18)]).astype(np.float32)
    return Picture(buffer.getvalue(), 60, 80, [keypoints])


def test_no_name_path_or_caption_is_left(found: RoleModels, tmp_path: Path) -> None:
    shown, path_of = anonymised(found)
    pictures = AnonymousPictures(person, path_of)
    write_tables(shown, tmp_path)
    write_summary(summary(shown), tmp_path)
    write_report(shown, tmp_path / "report.html", pictures, title="x")
    (tmp_path / "walls").mkdir()
    (tmp_path / "walls" / "with names.png").write_bytes(b"of an earlier trace")
    walls = write_walls(shown, tmp_path, pictures)
    assert sorted((tmp_path / "walls").iterdir()) == sorted(walls)
    for file in tmp_path.rglob("*.*"):
        if file.suffix != ".png":
            text = file.read_text(encoding="utf-8")
            for word in ("secret_", "flooder", "of_", "private"):
                assert word not in text.replace("proof_", ""), (file.name, word)
    assert any("One author, " in note for note in shown.notes)
    assert path_of[shown.role_models["path"][0]] == found.role_models["path"][0]
    same = ["score", "spread_p", "origin", "followers"]
    assert shown.role_models[same].equals(found.role_models[same])
    assert shown.edges["attribution"].equals(found.edges["attribution"])


def test_it_lies_beside_no_catalog(tmp_path: Path) -> None:
    out, catalog = tmp_path / "out", tmp_path / "catalog"
    require_outside(catalog, out)
    for inside in (None, out, out / "mine"):
        with pytest.raises(DoppelgramError, match="must not lie beside the photographs"):
            require_outside(inside, out)
    (out / "catalog").mkdir(parents=True)
    (out / "catalog" / "catalog.json").write_text("{}")
    with pytest.raises(DoppelgramError, match="the catalog of an earlier trace lies in this folder"):
        require_outside(catalog, out)


def test_letters() -> None:
    assert [letters(k) for k in (0, 25, 26, 27, 701, 702)] == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_the_head_is_blurred_and_the_rest_is_not() -> None:
    image = Image.effect_noise((200, 300), 90).convert("RGB")
    before = np.asarray(image, dtype=float)
    keypoints = np.full((18, 3), np.nan, dtype=np.float32)
    for k, (x, y) in {0: (100, 60), 14: (92, 52), 15: (108, 52), 1: (100, 100), 8: (95, 180), 10: (95, 280)}.items():
        keypoints[k] = x, y, 1
    blur_head(image, keypoints)
    after = np.asarray(image, dtype=float)
    assert after[45:75, 85:115].std() < 0.4 * before[45:75, 85:115].std()
    assert (after[150:] == before[150:]).all()
    # Without a head the whole person goes.
    keypoints[[0, 14, 15]] = np.nan
    blur_head(image, keypoints)
    assert np.asarray(image, dtype=float)[150:250, 90:100].std() < 0.5 * before[150:250, 90:100].std()


def test_photographs_in_which_nobody_was_found_are_left_out() -> None:
    alone = AnonymousPictures(lambda path, side: Picture(b"", 1, 1), {"post 1": "a.jpg"})
    assert alone("post 1", 10) is None


def test_citations_can_be_read() -> None:
    assert json.loads(csl())[0]["type"] == "software"
    assert bibtex().startswith("@software{doppelgram,")
    assert bibtex().count("{") == bibtex().count("}")
