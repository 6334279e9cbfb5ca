import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.catalog.index import index_collection
from doppelgram.catalog.search.searcher import Match, Neighbours
from doppelgram.catalog.store import Catalog
from doppelgram.dataset.read import read_collection
from doppelgram.errors import DoppelgramError
from doppelgram.models.model import Model
from doppelgram.reports.drawing import font_for, shorten
from doppelgram.reports.montage import draw_montage
from doppelgram.reports.montage_parts import DIFFERENT, SAME, Layout


@pytest.fixture
def filled(photos: Path, model: Model, catalog: Catalog) -> Catalog:
    index_collection(read_collection(photos), model, catalog)
    return catalog


def pixels(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


def frame_of(page: np.ndarray, layout: Layout, row: int, position: int) -> tuple[int, ...]:
    """Colour of the frame at the middle of a match's left edge."""
    top = layout.header + row * layout.row + layout.pad + layout.tile // 2
    left = layout.first + position * layout.column - layout.of(0.015) - layout.of(0.028) // 2 - 1
    return tuple(page[top, left])


def picture_of(page: np.ndarray, layout: Layout, row: int, position: int | None) -> np.ndarray:
    """Middle of a match's picture, or the query's."""
    left = layout.margin + layout.pad if position is None else layout.first + position * layout.column
    top = layout.header + row * layout.row + layout.pad
    cut = layout.tile // 4
    return page[top + cut : top + layout.tile - cut, left + cut : left + layout.tile - cut]


def test_frames_tell_right_from_wrong(tmp_path: Path, photos: Path, filled: Catalog, model: Model):
    queries = [photos / "class 0" / "picture 0.jpg", photos / "class 2" / "picture 1.jpg"]
    found = filled.searcher(model).search(queries, 6)
    file = draw_montage(found, filled, tmp_path / "deep" / "montage.png", tile=132)
    page, layout = pixels(file), Layout(132)
    seen = set()
    for row, (answer, label) in enumerate(zip(found, ["class 0", "class 2"], strict=True)):
        for position, match in enumerate(answer.matches):
            expected = SAME if match.label == label else DIFFERENT
            assert frame_of(page, layout, row, position) == expected
            seen.add(expected)
    assert seen == {SAME, DIFFERENT}


def test_pictures_stand_in_order_and_come_from_the_catalog(tmp_path: Path, photos: Path, filled: Catalog, model: Model):
    query = photos / "class 1" / "picture 1.jpg"
    found = filled.searcher(model).search([query], 4)
    originals = {match.path: Image.open(match.path).convert("RGB") for match in found[0].matches}
    originals[str(query)] = Image.open(query).convert("RGB")
    shutil.rmtree(photos)
    page, layout = pixels(draw_montage(found, filled, tmp_path / "m.png", tile=100)), Layout(100)
    for position, path in [(None, str(query)), *((n, match.path) for n, match in enumerate(found[0].matches))]:
        expected = originals[path].resize((100, 83), Image.Resampling.LANCZOS).crop((25, 17, 75, 67))
        shown = picture_of(page, layout, 0, position)
        assert np.abs(shown - np.asarray(expected).astype(int)).mean() < 4
        others = [image for other, image in originals.items() if other != path]
        assert all(
            np.abs(shown - np.asarray(image.resize((100, 83)).crop((25, 17, 75, 67))).astype(int)).mean() > 6
            for image in others
        )


def test_labels_of_queries_from_outside_are_taken_from_the_mapping(
    tmp_path: Path, filled: Catalog, model: Model, draw_picture
):
    query = draw_picture(tmp_path / "outside.png", 700, (300, 200))
    found = filled.searcher(model).search([query], 3)
    layout = Layout(132)
    label = found[0].matches[1].label
    without = pixels(draw_montage(found, filled, tmp_path / "without.png"))
    having = pixels(draw_montage(found, filled, tmp_path / "having.png", query_labels={str(query): label}))
    for position, match in enumerate(found[0].matches):
        assert frame_of(without, layout, 0, position) not in (SAME, DIFFERENT)
        assert frame_of(having, layout, 0, position) == (SAME if match.label == label else DIFFERENT)
    expected = Image.open(query).convert("RGB").resize((132, 88), Image.Resampling.LANCZOS).crop((33, 11, 99, 77))
    assert np.abs(picture_of(without, layout, 0, None) - np.asarray(expected).astype(int)).mean() < 4


@pytest.mark.parametrize("tile", [64, 132, 257])
def test_odd_labels_names_and_numbers_are_drawn(tmp_path: Path, filled: Catalog, tile: int):
    ids = sorted(filled.hashes())
    labels = ["", "a\nb\x00\tc", "x" * 100_000, "Łódź", "中文标签", "مرحبا", "place::pose::more", "\ud800", "…", " "]
    odd = [None, 0.0, 1.0, 0.001, 0.9999]
    matches = [
        Match(rank, "/gone.jpg", "gone.jpg", label, 10.0**rank, odd[rank % 5], ids[rank])
        for rank, label in enumerate(labels)
    ]
    found = [
        Neighbours("/no/where\n中.jpg", matches, "f" * 64),
        Neighbours("", matches[:1]),
        Neighbours(str(tmp_path), [], ""),
        Neighbours("/a.jpg", [replace(matches[0], id="e" * 64)], ids[0]),
    ]
    page = pixels(draw_montage(found, filled, tmp_path / "odd.png", tile=tile))
    layout = Layout(tile, lines=2)
    assert page.shape[0] == layout.header + 4 * layout.row + layout.footer
    assert page.shape[1] == layout.first + 10 * layout.column - layout.space + layout.margin


def test_many_queries_with_many_neighbours_fit(tmp_path: Path, photos: Path, filled: Catalog, model: Model):
    found = filled.searcher(model).search([photos / "class 0" / "picture 0.jpg"], 11)[0]
    wide = replace(found, matches=(found.matches * 2)[:20])
    narrow = replace(found, matches=found.matches[:1])
    page = pixels(draw_montage([wide] + [narrow] * 49, filled, tmp_path / "many.png", tile=64))
    layout = Layout(64)
    assert page.shape[0] == layout.header + 50 * layout.row + layout.footer
    with pytest.raises(DoppelgramError, match="do not fit into one picture"):
        draw_montage([wide] * 5000, filled, tmp_path / "too many.png")


def test_what_cannot_be_drawn_is_one_sentence(tmp_path: Path, filled: Catalog):
    with pytest.raises(DoppelgramError, match="no search results"):
        draw_montage([], filled, tmp_path / "m.png")
    with pytest.raises(DoppelgramError, match="tile is 20"):
        draw_montage([Neighbours("a", [])], filled, tmp_path / "m.png", tile=20)
    (tmp_path / "file").write_text("")
    with pytest.raises(DoppelgramError, match="cannot be written"):
        draw_montage([Neighbours("a", [])], filled, tmp_path / "file" / "m.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DoppelgramError, match="cannot be written"):
        draw_montage([Neighbours("a", [])], filled, tmp_path / "folder.png")
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize(
    "text", ["short", "Arnold_Schwarzenegger_and_everybody_else", "Łódź " * 30, "i" * 500, "中" * 90]
)
@pytest.mark.parametrize("middle", [False, True])
def test_shortened_text_fits_and_loses_no_more_than_it_must(text: str, middle: bool):
    for width in (40, 132, 300):
        shown = shorten(text, 13, width, middle=middle)
        assert font_for(shown, 13).getlength(shown) <= width
        if shown == " ".join(text.split()):
            continue
        head, tail = shown.split("…")
        clean = " ".join(text.split())
        assert clean.startswith(head)
        assert clean.endswith(tail) if middle else tail == ""
        longer = font_for(shown, 13).getlength(shown + clean[len(head) : len(head) + 3])
        assert longer > width - 13
