"""Every command with a model of places and poses."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from doppelgram.api.compare_images import compare_images
from doppelgram.api.evaluate import evaluate
from doppelgram.api.index import index
from doppelgram.api.label_errors import list_label_errors
from doppelgram.api.map import draw_map
from doppelgram.api.search import search
from doppelgram.api.verify import verify
from doppelgram.catalog.findings import people_from
from doppelgram.catalog.store import Catalog
from doppelgram.cli import main
from doppelgram.console import SilentProgress, TerminalProgress
from doppelgram.errors import DoppelgramError
from doppelgram.models.bundle import load_model
from doppelgram.numbers import probability as percentage
from doppelgram.space.arrangement import ArrangementSpace
from helpers.posts_world import JOINT, random_model, render_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_world(tmp_path_factory.mktemp("world") / "posts")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model().save(tmp_path_factory.mktemp("models") / "model")


@pytest.fixture(scope="module")
def catalog(world: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogs") / "catalog"
    report = index(world, model, folder, progress=SilentProgress())
    assert (report.added, report.missing, report.broken) == (len(list(world.glob("*/*/*.jpg"))), 0, 0)
    return folder


def of_pose(world: Path, pose: str) -> list[Path]:
    return sorted(world.glob(f"*/{pose}/*.jpg"))


def quiet() -> SilentProgress:
    return SilentProgress()


def test_a_catalog_keeps_whom_it_saw(world: Path, model: Path, catalog: Path) -> None:
    """The people of each photograph can be had from it, and indexing again changes nothing, from a moved folder too."""
    known = json.loads((world / "keypoints.json").read_text())
    entries = Catalog.open(catalog).entries()
    for entry in entries:
        people = people_from(entry.columns)
        assert people is not None
        assert len(people) == (entry.name in known)
        if len(people):
            assert np.allclose(people.keypoints[0, :, :2], known[entry.name], atol=0.1)
    again = index(world, model, catalog, progress=quiet())
    assert (again.added, again.already_present, again.updated) == (0, len(entries), 0)


def test_search_ranks_by_both_or_by_either(world: Path, catalog: Path) -> None:
    """Every answer has three probabilities, and its order is that of the one asked for."""
    query = of_pose(world, "tree")[0]
    stored = Catalog.open(catalog)
    rows, vectors = stored.snapshot(["id", "name"])
    own = rows["name"].tolist().index(query.relative_to(world).as_posix())
    space = random_model().space
    compared = space.compare(np.repeat(vectors[own][None], len(vectors), axis=0), vectors)
    for by in ("", "place", "pose"):
        expected = compared.parts[by].probability if by else compared.probability
        (found,) = search(catalog, [query], k=8, by=by, progress=quiet())
        ranked = np.sort(np.delete(expected, own))[::-1][:8]
        answers = [match.parts[by] if by else match.probability for match in found.matches]
        assert answers == pytest.approx(ranked.tolist(), abs=1e-6)
        assert found.unknown == ()
        for match in found.matches:
            row = rows["id"].tolist().index(match.id)
            assert match.probability == pytest.approx(compared.probability[row], abs=1e-6)
            assert match.distance == pytest.approx(1 - compared.probability[row], abs=1e-6)
            assert match.unknown == (("pose",) if match.name.split("/")[1].startswith("_") else ())


def test_search_for_a_bare_place(world: Path, catalog: Path, tmp_path: Path) -> None:
    """By both the pose counts as unknown and a remark says so; by pose there is nothing to ask. A montage is drawn."""
    bare = of_pose(world, "_zz")[0]
    console = Console(record=True, width=200, file=(tmp_path / "said.txt").open("w"))
    (found,) = search(catalog, [bare], k=3, montage=tmp_path / "montage.png", progress=TerminalProgress(console))
    assert "nobody was found in it" in console.export_text()
    assert found.unknown == ("pose",)
    assert {match.unknown for match in found.matches} == {("pose",)}
    assert {round(match.parts["pose"], 4) for match in found.matches} == {0.3775}
    with Image.open(tmp_path / "montage.png") as picture:
        assert picture.width > 300
    with pytest.raises(DoppelgramError, match="no pose to search by"):
        search(catalog, [bare], by="pose", progress=quiet())
    with pytest.raises(DoppelgramError, match="joint, place, pose"):
        search(catalog, [bare], by="colour", progress=quiet())
    with pytest.raises(DoppelgramError, match="--crop"):
        search(catalog, [bare], crop="face", progress=quiet())


def test_verify_says_what_it_knows(world: Path, model: Path) -> None:
    """A photograph with itself, and with one of nobody."""
    file, bare = of_pose(world, "tree")[0], of_pose(world, "_zz")[0]
    same = verify(file, file, model=model, progress=quiet())
    assert same.same
    assert same.probability == pytest.approx(float(JOINT.probability(0.0, 0.0)))
    assert (same.unknown_a, same.unknown_b) == ((), ())
    other = verify(file, bare, model=model, progress=quiet())
    assert (other.unknown_a, other.unknown_b) == ((), ("pose",))
    assert other.parts["pose"] == pytest.approx(0.3775, abs=1e-4)
    assert other.threshold == 0.5


def test_evaluate_by_both_and_by_each(world: Path, model: Path, tmp_path: Path) -> None:
    """Figures of both together, of place and of pose; of given pairs too."""
    files = [path for pose in ("tree", "arms_up") for path in of_pose(world, pose)]
    names = [path.relative_to(world).as_posix() for path in files]
    lines = ["path_a,path_b,same"]
    lines += [
        f"{a},{b},{int(a.split('/')[:2] == b.split('/')[:2])}" for i, a in enumerate(names) for b in names[i + 1 :]
    ]
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("\n".join(lines) + "\n")
    result = evaluate(model, pairs=pairs, root=world, gallery=world, out=tmp_path / "report", progress=quiet())
    metrics = result.to_dict()
    for name in (
        "knn_accuracy",
        "precision_at_1",
        "map_at_r",
        "place_precision_at_1",
        "pose_precision_at_1",
        "pair_auc",
        "pair_accuracy",
        "pair_place_auc",
        "pair_pose_auc",
    ):
        assert 0 <= metrics[name]["low"] <= metrics[name]["value"] <= metrics[name]["high"] <= 1
    assert metrics["pair_auc"]["n"] == len(lines) - 1
    assert "by pose alone" in (tmp_path / "report" / "metrics.md").read_text()
    vectors = random_model().embed_images(files)
    space: ArrangementSpace = random_model().space
    left, right = np.triu_indices(len(files), 1)
    same = np.array([line.endswith("1") for line in lines[1:]])
    pose = space.compare(vectors[left], vectors[right]).parts["pose"].probability
    wins = (pose[same][:, None] > pose[~same]).mean() + 0.5 * (pose[same][:, None] == pose[~same]).mean()
    assert metrics["pair_pose_auc"]["value"] == pytest.approx(wins, abs=1e-6)


def test_folds_of_pairs_are_reported(world: Path, model: Path, tmp_path: Path) -> None:
    points, named = json.loads((world / "keypoints.json").read_text(encoding="utf-8")), {}
    for person, pose in (("A", "tree"), ("B", "arms_up")):
        (tmp_path / person).mkdir()
        for number in (1, 2, 3):
            file, name = of_pose(world, pose)[number], f"{person}/{person}_{number:04d}.jpg"
            shutil.copy(file, tmp_path / name)
            named[name] = points[file.relative_to(world).as_posix()]
    (tmp_path / "keypoints.json").write_text(json.dumps(named), encoding="utf-8")
    lines = ["2\t1", "A\t1\t2", "A\t1\tB\t2", "B\t2\t3", "A\t2\tB\t3"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = evaluate(model, pairs=tmp_path / "pairs.txt", out=tmp_path / "figures", progress=quiet())
    said = "In the 2 folds of the file, the threshold for each chosen on the others"
    assert sum(note.startswith(said) for note in result.notes) == 1


def test_compare_images_gives_reasons(world: Path, model: Path, tmp_path: Path) -> None:
    """With and without a model; the picture is drawn, the words name body parts, and all of it is JSON."""
    tree, arms, bare = (of_pose(world, pose)[0] for pose in ("tree", "arms_up", "_zz"))
    drawn = tmp_path / "pair.png"
    answer = compare_images(tree, arms, model=model, out=drawn)
    with Image.open(drawn) as picture:
        assert picture.width == 1480
    assert json.loads(json.dumps(answer.to_dict()))["joints"] == 18
    assert answer.probability == pytest.approx(verify(tree, arms, model=model, progress=quiet()).probability)
    assert max(answer.limbs, key=lambda part: answer.limbs[part]) in " ".join(answer.why)
    assert max(answer.limbs, key=lambda part: answer.limbs[part]) in {
        "right thigh",
        "left thigh",
        "right lower leg",
        "left lower leg",
    }
    threshold = load_model(model).space.calibration.threshold
    together = next(line for line in answer.why if line.startswith("Together: "))
    assert f"the same from {percentage(threshold)} on" in together
    assert together.endswith("these are the same." if answer.same else "these are different.")
    nobody = compare_images(tree, bare, model=model, out=drawn)
    assert (nobody.people_a, nobody.people_b, nobody.limbs, nobody.oks) == (1, 0, {}, None)
    assert "nobody was found in B" in " ".join(nobody.why)
    untrained = compare_images(tree, tree, keypoints=world / "keypoints.json", out=drawn)
    assert (untrained.verdict, untrained.probability, untrained.oks) == ("The poses are alike", None, pytest.approx(1))
    empty = compare_images(bare, bare, keypoints=world / "keypoints.json", out=drawn)
    assert empty.verdict == "The poses cannot be compared"


def test_what_cannot_be_compared_is_said(world: Path, model: Path, tmp_path: Path) -> None:
    """A file that is not a picture or not there, an output that is not a PNG, an estimator beside a model."""
    file = of_pose(world, "tree")[0]
    (tmp_path / "text.jpg").write_text("no picture")
    for options, words in (
        ({"image_b": tmp_path / "text.jpg", "model": model}, r"text\.jpg"),
        ({"image_b": tmp_path / "none.jpg", "model": model}, r"none\.jpg"),
        ({"image_b": file, "out": tmp_path / "x.gif"}, "PNG"),
        ({"image_b": file, "model": model, "estimator": "movenet"}, "--estimator goes without"),
        ({"image_b": file, "estimator": "crystal ball"}, "no estimator"),
    ):
        with pytest.raises(DoppelgramError, match=words):
            compare_images(file, **options)


def test_answers_are_plain_values(world: Path, catalog: Path) -> None:
    """What search finds can be written as JSON."""
    (found,) = search(catalog, of_pose(world, "tree")[:1], k=2, progress=quiet())
    assert set(json.loads(json.dumps(asdict(found)))["matches"][0]["parts"]) == {"place", "pose"}


def test_on_the_command_line(world: Path, model: Path, catalog: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Search gives place, pose and both in columns; verify and compare-images say them in a sentence."""
    tree, bare = str(of_pose(world, "tree")[0]), str(of_pose(world, "_zz")[0])

    def said(*arguments: str) -> str:
        with pytest.raises(SystemExit) as done:
            main(arguments)
        assert done.value.code in (0, None)
        return capsys.readouterr().out

    heading, *lines = said("search", str(catalog), tree, "-k", "3", "--by", "place").splitlines()
    assert heading.split("\t")[4:7] == ["probability", "place", "pose"]
    for line in lines:
        probability, place, pose = line.split("\t")[4:7]
        assert 0 < float(probability) < 1
        assert 0 < float(place) < 1
        assert pose == "unknown" or 0 < float(pose) < 1
    assert len(lines) == 3
    words = said("verify", tree, bare, "--model", str(model))
    assert "the same pose in front of the same place" in words
    assert f"nobody in {bare}" in words
    answer = json.loads(said("compare-images", tree, bare, "--model", str(model), "--json"))
    assert (answer["people_a"], answer["people_b"]) == (1, 0)
    assert "nobody was found in B" in said("compare-images", tree, bare, "--model", str(model))


def test_a_map_of_everything_of_places_and_of_poses(world: Path, model: Path, catalog: Path, tmp_path: Path) -> None:
    """Neighbours are the space's own; whoever has no pose is left out of a map of poses, and said so."""
    names = set(json.loads((world / "keypoints.json").read_text()))
    images = len(Catalog.open(catalog))
    for by, dim, shown in (("", 10 + 2 * 68, images), ("place", 10, images), ("pose", 68, len(names))):
        console = Console(record=True, width=200, file=(tmp_path / "said.txt").open("w"))
        found = draw_map(catalog, method="pca", by=by, save=tmp_path / f"{by}.npz", progress=TerminalProgress(console))
        assert (found.summary()["images"], found.summary()["dim"]) == (shown, dim)
        assert ("nobody was found" in console.export_text()) == (shown < images)
        own = np.zeros(1, dtype=np.int64)
        first = found.space.index(found.images.vectors, found.images.ids).nearest(
            found.images.vectors[own], 5, query_ids=[found.images.ids[0]], by=by
        )
        assert found.nearest.neighbours[0].tolist() == first.positions[0].tolist()
        more = draw_map(catalog, onto=tmp_path / f"{by}.npz", place=world, progress=quiet())
        assert (len(more.images), more.by) == (2 * shown, by)
        assert np.allclose(more.points[:shown], found.points)
    with pytest.raises(DoppelgramError, match="joint, place, pose"):
        draw_map(catalog, by="colour", progress=quiet())


def test_label_errors_by_place_and_pose(world: Path, model: Path, tmp_path: Path) -> None:
    """Copies under another label are found, and distances are the space's own."""
    posts = tmp_path / "posts"
    shutil.copytree(world, posts)
    original = of_pose(posts, "tree")[0]
    copy = original.parent.parent / "arms_up" / "copied.jpg"
    shutil.copy(original, copy)
    answer = list_label_errors(model, posts, keypoints=world / "keypoints.json", progress=quiet())
    copies = [finding for finding in answer.findings if finding.category == "copy"]
    assert {copies[0].label, copies[0].other_label} == {
        f"{original.parent.parent.name}::{p}" for p in ("tree", "arms_up")
    }
    assert all(0 <= finding.distance <= 1 for finding in answer.findings if finding.distance is not None)
