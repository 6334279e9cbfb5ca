"""The main job from end to end, as a library: train, evaluate, index, search, verify."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console

import doppelgram
from doppelgram import DoppelgramError
from doppelgram.console import TerminalProgress
from doppelgram.training.recipes.schema import Recipe, make_recipe
from helpers.pictures import stripes
from helpers.progress import RecordingProgress

METRICS = [
    "knn_accuracy",
    "ncm_accuracy",
    "balanced_knn_accuracy",
    "balanced_ncm_accuracy",
    "precision_at_1",
    "r_precision",
    "map_at_r",
    "cmc_5",
    "cmc_10",
    "pair_auc",
    "pair_eer",
    "tar_at_far_0.01",
    "pair_accuracy",
]


def recipe(**sections: dict[str, object]) -> Recipe:
    base: dict[str, dict[str, object]] = {
        "data": {"size": 24},
        "model": {"dim": 8},
        "loss": {"name": "cosface"},
        "sampler": {"batch": 16},
        "optimiser": {"epochs": 12, "lr": 0.01, "precision": "32"},
    }
    return make_recipe({**base, **{name: {**base.get(name, {}), **keys} for name, keys in sections.items()}})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of striped pictures and a run trained on it, shared by the tests of this file."""
    root = tmp_path_factory.mktemp("flow")
    rng = np.random.default_rng(0)
    for kind in range(4):
        (root / f"data/kind{kind}").mkdir(parents=True)
        for n in range(20):
            stripes(kind, rng).save(root / f"data/kind{kind}/{100 + n // 2}_{n}.png")
    run = doppelgram.train(root / "data", recipe(), root / "run", seed=1)
    return root / "data", run.folder


def test_a_run_says_everything_about_itself(trained: tuple[Path, Path]) -> None:
    data, folder = trained
    run = doppelgram.open_run(folder)
    assert run.finished
    assert run.data == data
    assert run.seed == 1
    assert run.facts["versions"]["torch"]
    assert {p.name for p in folder.iterdir()} == {
        "run.json",
        "recipe.toml",
        "split.csv",
        "files.json",
        "log",
        "checkpoints",
        "model",
    }
    split = run.split()
    assert split.counts().keys() == {"train", "val", "test"}
    collection = run.collection()
    rows = split.rows(collection)
    groups = [set(collection.column("group")[rows[part]]) for part in ("train", "val", "test")]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


def test_evaluate_on_its_own_test_part(trained: tuple[Path, Path], tmp_path: Path) -> None:
    result = doppelgram.evaluate(trained[1], out=tmp_path / "report")
    written = json.loads((tmp_path / "report/metrics.json").read_text())
    assert written == result.to_dict()
    for name in METRICS:
        assert set(written[name]) == {"value", "low", "high", "n"}, name
        assert written[name]["low"] <= written[name]["value"] <= written[name]["high"], name
    assert result["knn_accuracy"].value > 0.7, "four kinds of stripes are easy"
    assert result["knn_accuracy"].n == doppelgram.open_run(trained[1]).split().counts()["test"]
    assert (tmp_path / "report/metrics.md").read_text().startswith("|")
    assert {p.name for p in (tmp_path / "report").glob("*.png")} >= {"roc.png", "distances.png", "cmc.png"}


def test_thresholds_are_chosen_on_one_part_and_reported_on_another(trained: tuple[Path, Path]) -> None:
    model = doppelgram.load_model(trained[1])
    assert model.calibration is not None
    on_test = " ".join(doppelgram.evaluate(trained[1]).notes)
    assert f"given threshold, distance {model.calibration.threshold:.4g}" in on_test
    on_val = " ".join(doppelgram.evaluate(trained[1], part="val").notes)
    assert "given threshold" not in on_val
    assert "half" in on_val


def test_evaluate_on_other_images(trained: tuple[Path, Path], class_folder: Callable[..., Path]) -> None:
    fresh = class_folder(classes=4, images=8, name="fresh", seed=9)
    within = doppelgram.evaluate(trained[1], gallery=fresh)
    assert within["precision_at_1"].n == 32
    across = doppelgram.evaluate(trained[1], gallery=trained[0], query=fresh)
    assert across["precision_at_1"].n == 32
    same = doppelgram.evaluate(trained[1], gallery=fresh, query=fresh)
    assert same["precision_at_1"] == within["precision_at_1"], "an image is never its own answer"


def test_evaluate_given_pairs(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    paths = sorted(p.relative_to(data) for p in data.glob("*/*.png"))
    rng = np.random.default_rng(0)
    rows = [
        (a, b, int(a.parent == b.parent))
        for a, b in (rng.choice(len(paths), 2, replace=False) for _ in range(200))
        for a, b in [(paths[a], paths[b])]
    ]
    file = tmp_path / "pairs.csv"
    pd.DataFrame([*rows, ("gone.png", paths[0], 1)], columns=["path_a", "path_b", "same"]).to_csv(file, index=False)
    result = doppelgram.evaluate(run, pairs=file, root=data)
    assert result["pair_auc"].n == 200
    assert any("1 of 201 pairs left out" in note for note in result.notes)
    model = doppelgram.load_model(run)
    sides = [model.embed_images([data / row[side] for row in rows[:60]]) for side in (0, 1)]
    same = model.space.distance(*sides) <= model.space.threshold
    judged = same == np.array([bool(row[2]) for row in rows[:60]])
    first = tmp_path / "first.csv"
    pd.DataFrame(rows[:60], columns=["path_a", "path_b", "same"]).to_csv(first, index=False)
    assert doppelgram.evaluate(run, pairs=first, root=data)["pair_accuracy"].value == pytest.approx(np.mean(judged))
    both = doppelgram.evaluate(run, gallery=data, pairs=file, root=data)
    assert both["pair_auc"] == result["pair_auc"]
    assert "map_at_r" in both


def test_an_image_paired_with_itself_does_not_count(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    a, b, c = (sorted(data.glob(f"{kind}/*.png"))[:1][0] for kind in ("kind0", "kind1", "kind2"))
    (tmp_path / "copy.png").write_bytes(a.read_bytes())
    rows = [(a, a, 1), (a, tmp_path / "copy.png", 1), (a, b, 0), (b, c, 0), (a, sorted(data.glob("kind0/*.png"))[5], 1)]
    pd.DataFrame(rows, columns=["path_a", "path_b", "same"]).to_csv(tmp_path / "p.csv", index=False)
    result = doppelgram.evaluate(run, pairs=tmp_path / "p.csv")
    assert result["pair_auc"].n == 3
    assert any("2 pairs of an image with itself" in note for note in result.notes)


def test_what_was_asked_is_said(trained: tuple[Path, Path], class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data, run = trained
    assert "test part" in doppelgram.evaluate(run).notes[0]
    assert "chosen on these images" in doppelgram.evaluate(run, part="val").notes[0]
    flattered = doppelgram.evaluate(run, gallery=data)
    assert any("figures flatter" in note for note in flattered.notes)
    fresh = class_folder(classes=4, images=8, name="fresh", seed=9)
    assert not any("flatter" in note for note in doppelgram.evaluate(run, gallery=fresh).notes)
    for kind in range(4):
        (fresh / f"kind{kind}").rename(fresh / f"other{kind}")
    with pytest.raises(DoppelgramError, match="no class in common"):
        doppelgram.evaluate(run, gallery=data, query=fresh)


def test_classes_kept_out_of_training_are_asked_of_each_other(
    class_folder: Callable[..., Path], tmp_path: Path
) -> None:
    data = class_folder(classes=6, images=10)
    doppelgram.split_data(data, "label", tmp_path / "split.csv")
    run = doppelgram.train(data, recipe(optimiser={"epochs": 2}), tmp_path / "run", split=tmp_path / "split.csv")
    split = run.split()
    kinds = {
        part: {name.split("/")[0] for name, p in split.parts.items() if p == part} for part in ("train", "val", "test")
    }
    assert not kinds["train"] & kinds["test"]
    result = doppelgram.evaluate(run.folder, part="val")
    assert result["precision_at_1"].n == split.counts()["val"]
    assert "none of its classes" in result.notes[0]


def test_a_folder_that_comes_divided(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = tmp_path / "data"
    for part, count in (("train", 6), ("val", 2), ("test", 2)):
        for kind in range(3):
            (data / f"{part}/kind{kind}").mkdir(parents=True)
            for n in range(count):
                stripes(kind, rng).save(data / f"{part}/kind{kind}/{n}.png")
    stream = io.StringIO()
    run = doppelgram.train(
        data,
        recipe(optimiser={"epochs": 1}),
        tmp_path / "run",
        progress=TerminalProgress(Console(file=stream, width=80)),
    )
    said = stream.getvalue()
    assert "parts of a split" in said
    assert "no split is drawn (train 18, val 6, test 6)" in said
    assert "18 images of 3 classes to train on, 6 to validate, 6 to test" in said
    assert all(name.split("/")[0] == part for name, part in run.split().parts.items())
    assert run.collection().label == "identity"
    assert doppelgram.evaluate(run.folder)["knn_accuracy"].n == 6
    assert doppelgram.evaluate(run.folder, gallery=data / "train", query=data / "test")["knn_accuracy"].n == 6
    doppelgram.index(data, run.folder, tmp_path / "catalog")
    (found,) = doppelgram.search(tmp_path / "catalog", [data / "test/kind1/0.png"], 29)
    assert {match.label for match in found.matches} == {"kind0", "kind1", "kind2"}
    split = doppelgram.split_data(data, "image", tmp_path / "split.csv")
    assert dict(split.parts) == dict(run.split().parts)
    other = doppelgram.split_data(data, "path", tmp_path / "other.csv")
    again = doppelgram.train(data, recipe(optimiser={"epochs": 1}), tmp_path / "again", split=tmp_path / "other.csv")
    assert dict(again.split().parts) == dict(other.parts) != dict(split.parts)
    (tmp_path / "classes.txt").write_text("kind0\nkind1\n")
    with pytest.raises(DoppelgramError, match="comes divided into parts"):
        doppelgram.train(data, recipe(data={"classes": str(tmp_path / "classes.txt")}), tmp_path / "third")
    assert not (tmp_path / "third").exists()


def test_index_search_verify(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    first = doppelgram.index(data, run, tmp_path / "catalog")
    again = doppelgram.index(data, run, tmp_path / "catalog")
    assert (first.added, again.added, again.already_present) == (80, 0, 80)
    query = sorted(data.glob("kind2/*.png"))[0]
    (found,) = doppelgram.search(tmp_path / "catalog", [query], 3, montage=tmp_path / "m.png")
    assert len(found.matches) == 3
    assert all(match.path != str(query) for match in found.matches)
    assert found.matches[0].label == "kind2"
    assert Image.open(tmp_path / "m.png").width > 300
    verdict = doppelgram.verify(query, found.matches[0].path, model=run)
    assert verdict.distance == pytest.approx(found.matches[0].distance, abs=1e-5)
    assert 0 < verdict.probability < 1  # of two given images; a search counts what it found
    assert doppelgram.verify(query, query, model=run).same is True


def test_nouns_compose(trained: tuple[Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    collection = doppelgram.read_collection(trained[0])
    progress = RecordingProgress()
    run = doppelgram.train(collection, recipe(optimiser={"epochs": 1}), tmp_path / "run", progress=progress)
    report = doppelgram.index(collection, run, tmp_path / "catalog", progress=progress)
    assert report.added == len(collection)
    query = collection.paths[0]
    (found,) = doppelgram.Catalog.open(tmp_path / "catalog").search([query], 2)
    best = found.matches[0]
    verdict = doppelgram.verify(query, best.path, model=run, progress=progress)
    assert verdict.distance == pytest.approx(best.distance, abs=1e-5)
    own, among = (doppelgram.evaluate(run, gallery=which, progress=progress) for which in (None, collection))
    assert own.metrics["precision_at_1"].n < among.metrics["precision_at_1"].n == len(collection)
    assert len(doppelgram.draw_map(run, collection, method="pca", progress=progress).images) == len(collection)
    assert doppelgram.list_label_errors(run, collection, progress=progress).images == len(collection)
    assert {what for what, _, _ in progress.bars} >= {"indexing", "embedding images", "embedding gallery", "epoch 1/1"}
    assert any(note.startswith("epoch   1/1  loss") for note in progress.notes)
    assert capfd.readouterr() == ("", "")


def test_another_models_catalog_is_refused(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    doppelgram.index(data, run, tmp_path / "catalog")
    model = doppelgram.load_model(run)
    model.tower.mirror = True
    model.save(tmp_path / "other")
    with pytest.raises(DoppelgramError, match="another model"):
        doppelgram.index(data, tmp_path / "other", tmp_path / "catalog")


def test_same_recipe_data_and_seed_give_the_same_model(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    again = doppelgram.train(data, recipe(), tmp_path / "again", seed=1)
    assert again.facts["fingerprint"] == doppelgram.open_run(run).facts["fingerprint"]


def test_a_frozen_backbone_is_embedded_once(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=3, images=10)
    frozen = recipe(model={"dim": 8, "train": "head"}, augment={"brightness": 0.2, "copies": 3})
    run = doppelgram.train(data, frozen, tmp_path / "run")
    assert run.finished
    model = doppelgram.load_model(run.folder)
    assert doppelgram.evaluate(run.folder)["knn_accuracy"].n == run.split().counts()["test"]
    assert model.dim == 8


def test_resuming_asks_for_the_same_job(
    trained: tuple[Path, Path], class_folder: Callable[..., Path], tmp_path: Path
) -> None:
    data, run = trained
    doppelgram.train(data, recipe(), run, seed=1, resume=True)  # finished already: nothing happens
    other = tmp_path / "other.csv"
    doppelgram.split_data(data, "image", other, seed=77)
    for options, words in (
        ({"seed": 2}, "started with seed 1"),
        ({"recipe": recipe(model={"dim": 9})}, "another recipe .*model.dim"),
        ({"data": class_folder()}, "started on"),
        ({"split": other}, "started with another split"),
    ):
        arguments = {"data": data, "recipe": recipe(), "seed": 1, **options}
        with pytest.raises(DoppelgramError, match=words):
            doppelgram.train(arguments.pop("data"), arguments.pop("recipe"), run, resume=True, **arguments)
    with pytest.raises(DoppelgramError, match="already holds a run"):
        doppelgram.train(data, recipe(), run)


def test_what_cannot_be_trained_says_why(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=1)
    with pytest.raises(DoppelgramError, match="two classes"):
        doppelgram.train(data, recipe(), tmp_path / "a")
    with pytest.raises(DoppelgramError, match="no class has 50 images"):
        doppelgram.train(data, recipe(data={"min_images": 50}), tmp_path / "b")
    with pytest.raises(DoppelgramError, match="no column 'colour'"):
        doppelgram.train(data, recipe(data={"label": "colour"}), tmp_path / "c")
    with pytest.raises(DoppelgramError, match="nearest is 'triplet'"):
        doppelgram.train(class_folder(name="two"), recipe(loss={"name": "tripplet"}), tmp_path / "d")
    bad = recipe(loss={"name": "triplet"}, sampler={"batch": 16, "per_class": 9})
    with pytest.raises(DoppelgramError, match="fewer than two classes"):
        doppelgram.train(class_folder(name="three"), bad, tmp_path / "e")
    with pytest.raises(DoppelgramError, match=r"data\.size=16"):
        doppelgram.train(tmp_path / "two", recipe(model={"backbone": "vgg16"}, data={"size": 16}), tmp_path / "f")
    for name in "abcdef":
        assert not (tmp_path / name).exists(), "what is found wrong early leaves nothing behind"


def test_evaluation_that_cannot_be(trained: tuple[Path, Path], tmp_path: Path) -> None:
    data, run = trained
    for options, words in (
        ({"query": data}, "--query needs --gallery"),
        ({"root": data}, "--root goes with --pairs"),
        ({"part": "exam"}, "train, val or test"),
        ({"gallery": data, "part": "val"}, "does not go with"),
        ({"gallery": tmp_path / "none"}, "no such folder"),
        ({"weights": tmp_path / "none"}, "no such folder of weights"),
    ):
        with pytest.raises(DoppelgramError, match=words):
            doppelgram.evaluate(run, **options)
    with pytest.raises(DoppelgramError, match="without its run"):
        doppelgram.evaluate(run / "model")


def test_a_folder_called_as_a_backbone_changes_nothing(
    class_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = class_folder(classes=2, images=6)
    (tmp_path / "small").mkdir()
    monkeypatch.chdir(tmp_path)
    assert doppelgram.train(data, recipe(optimiser={"epochs": 1}), tmp_path / "run").finished


def test_camera_file_names_do_not_spoil_the_split(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in range(3):
        (tmp_path / f"data/kind{kind}").mkdir(parents=True)
        for n in range(10):
            stripes(kind, rng).save(tmp_path / f"data/kind{kind}/IMG_{n:04}.png")
    run = doppelgram.train(tmp_path / "data", recipe(optimiser={"epochs": 1}), tmp_path / "run")
    assert run.split().counts() == {"train": 18, "val": 6, "test": 6}


def test_odd_labels_go_through_everything(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = ["[/bold] :warning:", "ж 漢\tx", "7"]
    rows = []
    for kind, label in enumerate(labels):
        for n in range(10):
            stripes(kind, rng).save(tmp_path / f"{kind}_{n}.png")
            rows.append((f"{kind}_{n}.png", label))
    pd.DataFrame(rows, columns=["path", "what"]).to_csv(tmp_path / "t.csv", index=False)
    run = doppelgram.train(tmp_path / "t.csv", recipe(optimiser={"epochs": 1}), tmp_path / "run")
    assert sorted(doppelgram.load_model(run.folder).labels) == sorted(labels)
    doppelgram.index(tmp_path / "t.csv", run.folder, tmp_path / "catalog")
    (found,) = doppelgram.search(tmp_path / "catalog", [tmp_path / "0_0.png"], 29, montage=tmp_path / "m.png")
    assert {match.label for match in found.matches} == set(labels)


def test_troublesome_files_never_stop_the_job(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=3, images=12)
    good = (data / "kind0/1000_00.png").read_bytes()
    (data / "kind0/truncated.jpg").write_bytes(_jpeg(data / "kind0/1000_00.png")[:400])
    (data / "kind1/text.png").write_text("not an image")
    (data / "kind1/empty.png").write_bytes(b"")
    (data / "kind2/copy.png").write_bytes(good)
    (data / "kind2/new\nline é.png").write_bytes((data / "kind2/1001_20.png").read_bytes() + b"\0")
    run = doppelgram.train(data, recipe(optimiser={"epochs": 2}), tmp_path / "run")
    outcomes = {Path(o["path"]).name: o for o in json.loads((run.folder / "files.json").read_text())["outcomes"]}
    assert (
        outcomes["truncated.jpg"]["status"]
        == outcomes["text.png"]["status"]
        == outcomes["empty.png"]["status"]
        == "broken"
    )
    assert outcomes["copy.png"]["status"] == "duplicate"
    assert outcomes["new\nline é.png"]["status"] == "ok"
    report = doppelgram.index(data, run.folder, tmp_path / "catalog")
    assert (report.added, report.broken, report.duplicate) == (37, 3, 1)


def _jpeg(path: Path) -> bytes:
    import io

    out = io.BytesIO()
    Image.open(path).save(out, "JPEG")
    return out.getvalue()
