import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.maps.atlas import Images
from doppelgram.reports.figures import write_figure
from doppelgram.reports.map.picture import draw_points


def scene(n: int = 80, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    codes = np.arange(n) % classes
    points = rng.normal(size=(classes, 2))[codes] * 10 + rng.normal(size=(n, 2))
    parts = np.where(rng.random(n) < 0.6, "train", "test")
    return points, np.array([f"class {code}" for code in codes]), parts, rng.random(n) < 0.1


def words(figure: Figure) -> str:
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    texts = [text.get_text() for text in (*axes.texts, *legend.get_texts())]
    return "\n".join([axes.get_title(loc="left"), *texts])


def test_counts_stand_in_the_legend() -> None:
    points, labels, parts, wrong = scene()
    said = words(draw_points(points, labels, parts, wrong, title="Signs", caption="below"))
    strong = parts != "train"
    assert f"misclassified: {(wrong & strong).sum()} of {strong.sum()}" in said
    assert f"{(wrong & ~strong).sum()} in training" in said
    assert f"training: {(~strong).sum()}" in said
    for text in ("Signs", "below", "class 0", "class 3"):
        assert text in said


def test_names_do_not_cover_each_other() -> None:
    points, labels, parts, wrong = scene(600, 60)
    figure = draw_points(points, labels, parts, wrong, title="many")
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert 20 < len(boxes) <= 60
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_rings_lie_around_the_misclassified() -> None:
    points, labels, parts, wrong = scene()
    figure = draw_points(points, labels, parts, wrong, title="x")
    rings = [c for c in figure.axes[0].collections if not len(c.get_facecolor())]
    assert rings
    for ring in rings:
        np.testing.assert_allclose(np.asarray(ring.get_offsets()), points[wrong])


def test_training_is_faint_only_beside_others() -> None:
    points, labels, parts, wrong = scene()

    def opacities(parts: np.ndarray) -> set[float]:
        figure = draw_points(points, labels, parts, wrong & False, title="x")
        return {float(c.get_alpha() or 1) for c in figure.axes[0].collections}

    assert len(opacities(parts)) == 2
    assert len(opacities(np.full(80, "train"))) == 1
    assert opacities(np.full(80, "train")) == opacities(np.full(80, ""))


def test_files_are_whole_and_the_same_each_time(tmp_path: Path) -> None:
    points, labels, parts, wrong = scene()
    for ending in ("png", "svg"):
        one, two = (
            write_figure(
                draw_points(points, labels, parts, wrong, title="$a_1$ <b>"), tmp_path / f"{number}" / f"map.{ending}"
            )
            for number in (1, 2)
        )
        assert one.read_bytes() == two.read_bytes()
        assert [file.suffix for file in one.parent.iterdir()].count(f".{ending}") == 1
    with Image.open(tmp_path / "1/map.png") as image:
        assert image.size == (1920, 1080)
        assert len(image.convert("RGB").getcolors(10**7) or []) > 100
    svg = (tmp_path / "1/map.svg").read_text()
    assert "$a_1$ &lt;b&gt;" in svg, "a title is text, not a formula and not markup"
    assert not re.search(r'(href|src)="http', svg)


@pytest.mark.filterwarnings("error")
def test_no_class_name_spoils_the_file_or_the_terminal(tmp_path: Path) -> None:
    points, _, parts, wrong = scene(12, 3)
    names = np.array(["bell\x07", "\u6f22\u5b57", "<b>&\n"])[np.arange(12) % 3]
    for ending in ("png", "svg"):
        write_figure(draw_points(points, names, parts, wrong, title="new\nline\x00"), tmp_path / f"map.{ending}")
    ElementTree.parse(tmp_path / "map.svg")


def test_images_without_labels_and_a_single_image(make_images: Callable[..., Images]) -> None:
    draw_points(np.zeros((1, 2)), np.array([""]), np.array([""]), np.array([False]), title="one")
    images = make_images(12)
    draw_points(images.vectors[:, :2], np.full(12, ""), images.parts, np.zeros(12, bool), title="none")


def test_what_cannot_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="no images"):
        draw_points(np.zeros((0, 2)), np.array([]), np.array([]), np.array([], bool), title="")
    with pytest.raises(DoppelgramError, match="length"):
        draw_points(np.zeros((2, 2)), np.array(["a"]), np.array(["", ""]), np.array([0, 0], bool), title="")
    (tmp_path / "file").touch()
    points, labels, parts, wrong = scene(8)
    with pytest.raises(DoppelgramError, match="cannot be written"):
        write_figure(draw_points(points, labels, parts, wrong, title=""), tmp_path / "file" / "map.png")
