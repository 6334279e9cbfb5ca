import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images, Map, make_map
from doppelgram.reports.map.page import page_html, write_page
from doppelgram.reports.map.parts import wrong_lines

NASTY = "</script><script>alert(1)</script> \u2028 <!-- ' \" & {{ data }} {% raw %} größe"


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text in each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


@pytest.fixture
def found(make_images: Callable[..., Images]) -> Map:
    return make_map(make_images(60), "pca", fingerprint="f")


def test_the_page_holds_everything(found: Map) -> None:
    page = Page(page_html(found, title="Signs"))
    data = json.loads(page.scripts[0])
    assert {len(data[key]) for key in ("x", "y", "label", "part", "predicted", "wrong", "names", "near", "far")} == {60}
    labels = found.images.labels
    assert [data["classes"][code]["name"] for code in data["label"]] == labels.tolist()
    assert [bool(value) for value in data["wrong"]] == found.nearest.wrong.tolist()
    assert data["near"] == found.nearest.neighbours.tolist()
    assert [part["name"] for part in data["parts"]] == ["training", "validation", "test"]
    assert sum(part["count"] for part in data["parts"]) == 60
    # The same picture: one scale for both axes, upside down since a screen's axis points down.
    x, y = np.array(data["x"]), np.array(data["y"])
    span = np.ptp(found.points, axis=0).max()
    np.testing.assert_allclose(np.ptp(x), np.ptp(found.points[:, 0]) / span, atol=1e-4)
    assert np.corrcoef(y, found.points[:, 1])[0, 1] < -0.999
    assert min(x.min(), y.min()) >= 0
    assert max(x.max(), y.max()) <= 1


def test_the_page_asks_for_nothing(found: Map) -> None:
    text = page_html(found, title="Signs")
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "object", "base")]
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "data", "srcset"):
            assert not attributes.get(name) or str(attributes[name]).startswith("data:image/jpeg;base64,"), (tag, name)
    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", text)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_names_cannot_become_markup(make_images: Callable[..., Images]) -> None:
    images = make_images(12)
    images = replace(images, labels=np.full(12, NASTY), names=[NASTY] * 11 + ["odd \udcff bytes"])
    text = page_html(make_map(images, "pca"), title=NASTY)
    plain = Page(page_html(make_map(make_images(12), "pca"), title="plain"))
    page = Page(text)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    data = json.loads(page.scripts[0])
    assert data["classes"][0]["name"] == NASTY
    assert data["names"][0] == NASTY
    text.encode("utf-8")


def test_a_page_is_written_whole(found: Map, tmp_path: Path) -> None:
    file = write_page(found, tmp_path / "deep" / "map.html", title="x")
    assert file.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [path.name for path in file.parent.iterdir()] == ["map.html"]
    (tmp_path / "file").touch()
    with pytest.raises(DoppelgramError, match="cannot be written"):
        write_page(found, tmp_path / "file" / "map.html", title="x")


def test_lines_of_the_misclassified(found: Map, make_images: Callable[..., Images]) -> None:
    lines = wrong_lines(found).splitlines()
    assert len(lines) == 3
    counts = found.misclassified()
    for line, part in zip(lines, ("train", "val", "test"), strict=True):
        assert line.startswith(f"{counts[part]['wrong']} of {counts[part]['n']} ")
    blank = replace(make_images(6), labels=np.full(6, ""))
    assert wrong_lines(make_map(blank, "pca")).startswith("No labels")


def test_a_page_without_pictures(make_images: Callable[..., Images]) -> None:
    page = Page(page_html(make_map(replace(make_images(9), sheets=None), "pca"), title="x"))
    assert not [tag for tag, _ in page.tags if tag == "img"]
