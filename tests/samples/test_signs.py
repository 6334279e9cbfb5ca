import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doppelgram.errors import DoppelgramError
from doppelgram.samples.plates import PLATE, SIGNS, plate
from doppelgram.samples.signs import render_signs

CLASSES, PER_CLASS = 8, 24


@pytest.fixture(scope="module")
def signs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_signs(tmp_path_factory.mktemp("signs"), classes=CLASSES, per_class=PER_CLASS, seed=5)


def read(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels (n, d), class names (n,) and scene ids (n,)."""
    paths = sorted(folder.glob("*/*.png"))
    pixels = [np.asarray(Image.open(p).convert("RGB"), dtype=np.float64).ravel() / 255 for p in paths]
    return np.array(pixels), np.array([p.parent.name for p in paths]), np.array([p.stem.split("_")[0] for p in paths])


def test_counts_names_and_sizes(signs: Path) -> None:
    assert sorted(p.name for p in signs.iterdir() if p.is_dir()) == sorted(list(SIGNS)[:CLASSES])
    for folder in (p for p in signs.iterdir() if p.is_dir()):
        files = list(folder.glob("*.png"))
        assert len(files) == PER_CLASS
        for file in files:
            scene, number = file.stem.split("_")
            assert scene.isdigit()
            assert number.isdigit()
            with Image.open(file) as image:
                assert (image.size, image.mode) == ((64, 64), "RGB")


def test_scenes_hold_several_crops_and_several_classes(signs: Path) -> None:
    _, labels, scenes = read(signs)
    names, counts = np.unique(scenes, return_counts=True)
    assert np.median(counts) >= 3
    assert np.mean([len(set(labels[scenes == s])) > 1 for s in names]) > 0.8


def test_raw_pixels_help_but_do_not_solve_it_across_scenes(signs: Path) -> None:
    pixels, labels, scenes = read(signs)
    square = (pixels**2).sum(axis=1)
    distance = square[:, None] + square[None] - 2 * pixels @ pixels.T
    distance[scenes[:, None] == scenes[None]] = np.inf
    accuracy = float((labels[distance.argmin(axis=1)] == labels).mean())
    assert 1.5 / CLASSES < accuracy < 0.85


def test_crops_of_a_scene_share_its_look(signs: Path) -> None:
    pixels, _, scenes = read(signs)
    corner = pixels.reshape(-1, 64, 64, 3)[:, :6].mean(axis=(1, 2))
    brightness = pixels.mean(axis=1)
    features = np.column_stack([corner, brightness])
    within = [np.ptp(brightness[scenes == s]) for s in np.unique(scenes) if (scenes == s).sum() > 2]
    assert np.median(within) < np.ptp(np.quantile(brightness, [0.05, 0.95]))
    distance = np.linalg.norm(features[:, None] - features[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    chance = np.mean([(scenes == s).mean() for s in scenes])
    assert (scenes[distance.argmin(axis=1)] == scenes).mean() > 3 * chance


def test_plates_of_different_classes_differ() -> None:
    flat = {name: np.asarray(plate(name)[0], dtype=np.int16) for name in SIGNS}
    assert all(p.shape == (PLATE, PLATE, 3) for p in flat.values())
    names = list(flat)
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            changed = (np.abs(flat[a] - flat[b]).max(axis=2) > 60).mean()
            assert changed > 0.008, (a, b)


def test_left_and_right_are_mirror_images_and_no_colour_key_is_left() -> None:
    for left in (name for name in SIGNS if name.endswith("_left")):
        a = np.asarray(plate(left)[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT), dtype=np.int16)
        b = np.asarray(plate(left[: -len("left")] + "right")[0], dtype=np.int16)
        if "no_" not in left:  # the bar of a prohibition is not mirrored
            assert (np.abs(a - b).max(axis=2) > 60).mean() < 0.03
    for name in SIGNS:
        picture, outline = plate(name)
        assert not (np.asarray(picture) == (255, 0, 255)).all(axis=2).any()
        assert 0.2 < (np.asarray(outline) > 0).mean() < 0.8


def test_the_same_seed_gives_the_same_bytes_and_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    def digest(folder: Path) -> dict[str, str]:
        return {
            p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*"))
            if p.is_file()
        }

    seen: list[int] = []
    options = {"classes": 3, "per_class": 4, "size": 32}
    a = digest(render_signs(tmp_path / "a", seed=1, progress=seen.append, **options))
    assert seen == [1] * 12
    render_signs(tmp_path / "b", seed=2, classes=5, per_class=4, size=32)
    b = digest(render_signs(tmp_path / "b", seed=1, **options))
    assert a == b
    assert len(set(a.values())) == len(a)


@pytest.mark.parametrize(("name", "value"), [("classes", 0), ("classes", 99), ("per_class", 0), ("size", 4)])
def test_an_argument_out_of_range_is_named(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(DoppelgramError, match=rf"{name} is {value}; give a number from"):
        render_signs(tmp_path / "out", **{name: value})
