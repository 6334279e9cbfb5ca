from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from doppelgram.errors import DoppelgramError
from doppelgram.pose.estimators.known import KnownPeople
from doppelgram.pose.people import People
from doppelgram.pose.skeleton import KEYPOINT_NAMES, L_WRIST, NECK, R_WRIST
from doppelgram.pose.table import read_people, write_people
from helpers.tiny_networks import standing


def write(file: Path, content: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def openpose(*people: np.ndarray) -> dict[str, Any]:
    return {"version": 1.3, "people": [{"pose_keypoints_2d": person.reshape(-1).tolist()} for person in people]}


def numbered(count: int, offset: float = 0) -> np.ndarray:
    return np.stack([np.arange(count) + offset, np.arange(count) * 2.0, np.full(count, 0.5)], axis=1)


def test_a_folder_of_openpose_files_by_name_and_folder(tmp_path: Path) -> None:
    write(tmp_path / "rome/7_keypoints.json", openpose(numbered(18)))
    write(tmp_path / "paris/7_keypoints.json", openpose(numbered(25), numbered(25, 100)))
    write(tmp_path / "8_keypoints.json", openpose())
    known = KnownPeople(tmp_path)
    assert len(known) == 3
    rome = known.people("/posts/rome/7.jpg", 50, 60)
    assert (len(rome), rome.width, rome.height) == (1, 50, 60)
    assert rome.keypoints[0, L_WRIST].tolist() == [7, 14, 0.5]
    assert len(known.people("/posts/paris/7.png", 200, 60)) == 2
    assert known.knows("/anywhere/8.jpg")
    assert len(known.people("/anywhere/8.jpg", 50, 60)) == 0
    assert not known.knows("/posts/oslo/7.jpg")
    assert len(known.people("/posts/oslo/7.jpg", 50, 60)) == 0


def test_one_openpose_file(tmp_path: Path) -> None:
    known = KnownPeople(write(tmp_path / "beach_keypoints.json", openpose(numbered(18))))
    assert known.knows("x/beach.jpeg")


def test_coco_annotations_are_scaled_and_hidden_joints_count_half(tmp_path: Path) -> None:
    flags = np.array([2] * 15 + [1, 0])
    points = np.stack([np.arange(17) * 10.0, np.arange(17) * 5.0, flags], axis=1)
    content = {
        "images": [{"id": 3, "file_name": "a/1.jpg", "width": 400, "height": 200}, {"id": 4, "file_name": "a/2.jpg"}],
        "annotations": [
            {"image_id": 3, "keypoints": points.reshape(-1).tolist(), "num_keypoints": 16},
            {"image_id": 3, "bbox": [1, 2, 3, 4]},
        ],
    }
    known = KnownPeople(write(tmp_path / "coco.json", content))
    people = known.people("posts/a/1.jpg", 200, 100)
    assert len(people) == 1
    by_name = dict(zip(KEYPOINT_NAMES, people.keypoints[0].tolist(), strict=True))
    assert by_name["l_ankle"] == [75, 37.5, 0.5]
    assert by_name["r_knee"] == [70, 35, 1]
    assert by_name["r_ankle"][2] == 0
    assert len(known.people("posts/a/2.jpg", 10, 10)) == 0


def test_what_coco_leaves_aside_is_counted(tmp_path: Path) -> None:
    row = numbered(17).reshape(-1).tolist()
    annotations = [
        {"image_id": 1, "keypoints": row},
        {"image_id": 1, "keypoints": row, "iscrowd": 1},
        {"image_id": 1, "keypoints": [0] * 51, "iscrowd": 1},
        {"image_id": 1, "keypoints": [0] * 51},
        {"image_id": 1, "bbox": [0, 0, 1, 1]},
        {"image_id": 7, "keypoints": row},
    ]
    file = write(tmp_path / "coco.json", {"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": annotations})
    known = KnownPeople(file)
    assert len(known.people("1.jpg", 40, 40)) == 1
    assert [note.removeprefix(f"{file}: ") for note in known.notes] == [
        "1 annotation is of an image that the file does not list; left aside",
        "2 annotations are of a crowd and not of one person (iscrowd); left aside",
        "1 annotation has no joint that is marked; left aside",
        "1 annotation has a box and no keypoints; left aside",
    ]


def test_coco_results_by_number_and_by_name(tmp_path: Path) -> None:
    row = numbered(17).reshape(-1).tolist()
    results = [{"image_id": 397133, "keypoints": row, "score": 0.8}, {"image_id": "b.jpg", "keypoints": row}]
    known = KnownPeople(write(tmp_path / "results.json", results))
    assert known.people("val/000000397133.jpg", 20, 40).score.tolist() == [pytest.approx(0.8)]
    assert known.knows("b.jpg")


def test_points_by_path_as_the_sample_world_has_them(tmp_path: Path) -> None:
    content = {
        "tower/star/1.jpg": numbered(18)[:, :2].tolist(),
        "tower/star/2.jpg": [numbered(18).tolist()] * 2,
        "c.jpg": [],
    }
    known = KnownPeople(write(tmp_path / "keypoints.json", content))
    assert known.people("w/tower/star/1.jpg", 40, 40).keypoints[0, R_WRIST].tolist() == [4, 8, 1]
    assert len(known.people("w/tower/star/2.jpg", 40, 40)) == 2
    assert len(known.people("w/c.jpg", 40, 40)) == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("nothing", "is not JSON"),
        ({}, "holds no keypoints that are known"),
        ({"people": [{"face": []}]}, "has 'pose_keypoints_2d'"),
        ({"people": [{"pose_keypoints_2d": [1, 2, 3, 4]}]}, "person 0"),
        ({"people": [{"pose_keypoints_2d": ["a"] * 54}]}, "keypoints are not numbers"),
        (
            {"images": [], "annotations": [{"image_id": 9, "keypoints": [0] * 51}]},
            "an image that the file does not list",
        ),
        ([{"keypoints": [0] * 49}], "person 0"),
        ({"images": [{"id": 1}], "annotations": [{"image_id": 1, "bbox": [0, 0, 1, 1]}]}, "boxes without keypoints"),
        ({"instance_info": [{"frame_id": n, "instances": []} for n in (1, 2)]}, "2 frames are numbered"),
        ({"a.jpg": [[1, 2], [3]]}, "keypoints are not numbers"),
        ({"a.jpg": [[1, 2]] * 5}, r"there are \(5, 3\) numbers"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, content: Any, complaint: str) -> None:
    file = tmp_path / "x_keypoints.json"
    file.write_text("nothing", encoding="utf-8") if content == "nothing" else write(file, content)
    with pytest.raises(DoppelgramError, match=complaint) as raised:
        KnownPeople(file)
    assert "x_keypoints.json" in str(raised.value)


def test_no_file_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="there is no file of keypoints"):
        KnownPeople(tmp_path)
    with pytest.raises(DoppelgramError, match="there is no such file"):
        KnownPeople(tmp_path / "none.json")


def test_a_table_is_read_back_as_it_was(tmp_path: Path) -> None:
    keypoints = np.stack([standing(80, 60, 90, 0.8), standing(30, 60, 30, 0.7)])
    keypoints[0, NECK] = (np.nan, np.nan, 0)
    people = {"a/1.jpg": People(keypoints, np.array([0.8, 0.7]), 160, 120), "a/2.jpg": People.nobody(40, 30)}
    write_people(tmp_path / "p.parquet", people, "movenet-x-1")
    back = read_people(tmp_path / "p.parquet")
    assert list(back) == list(people)
    for name, one in people.items():
        np.testing.assert_array_equal(back[name].keypoints, one.keypoints)
        np.testing.assert_allclose(back[name].score, one.score)
    pd.read_parquet(tmp_path / "p.parquet").iloc[::-1].to_parquet(tmp_path / "sorted.parquet")
    turned = read_people(tmp_path / "sorted.parquet")
    for name, one in people.items():
        np.testing.assert_array_equal(turned[name].keypoints, one.keypoints)
    known = KnownPeople(tmp_path / "p.parquet")
    halved = known.people("/posts/a/1.jpg", 80, 60)
    np.testing.assert_allclose(halved.keypoints[..., :2], people["a/1.jpg"].keypoints[..., :2] / 2)


def test_the_tables_columns(tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.parquet

    keypoints = np.stack([standing(80, 60, 90, 0.8), standing(30, 60, 20, 0.7)])
    write_people(tmp_path / "p.parquet", {"1.jpg": People(keypoints, np.array([0.8, 0.7]), 160, 120)}, "movenet-x-1")
    table = pd.read_parquet(tmp_path / "p.parquet")
    assert list(table.columns) == ["path", "width", "height", "people", "score", "prominence", "passer_by", "keypoints"]
    row = table.iloc[0]
    assert (row["people"], list(row["passer_by"])) == (2, [False, True])
    assert [len(numbers) for numbers in row["keypoints"]] == [54, 54]
    metadata = pyarrow.parquet.read_schema(tmp_path / "p.parquet").metadata
    assert metadata[b"estimator"] == b"movenet-x-1"


def test_another_table_is_refused(tmp_path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"path": ["a.jpg"]}).to_parquet(tmp_path / "other.parquet")
    (tmp_path / "text.parquet").write_text("no table", encoding="utf-8")
    for name in ("other.parquet", "text.parquet"):
        with pytest.raises(DoppelgramError, match="is not a table of keypoints"):
            KnownPeople(tmp_path / name)


def body(count: int = 17, scale: float = 1.0) -> list[list[float]]:
    """COCO's joints with the nose at (160, 60), followed by others at (1, 1), which are not to be used."""
    rows = [[160, 60], [165, 55], [155, 55], [172, 58], [148, 58], [180, 92], [140, 92], [190, 130], [130, 130]]
    rows += [[195, 165], [125, 165], [172, 170], [148, 170], [174, 220], [146, 220], [175, 270], [145, 270]]
    return [[x * scale, y * scale, 0.9] for x, y in rows] + [[scale, scale, 0.9]] * (count - 17)


def flat(points: list[list[float]]) -> list[float]:
    return [number for point in points for number in point]


def instance(points: list[list[float]]) -> dict[str, Any]:
    return {"keypoints": [point[:2] for point in points], "keypoint_scores": [point[2] for point in points]}


@pytest.mark.parametrize(
    "content",
    [
        *([{"image_id": "p.jpg", "keypoints": flat(body(count)), "score": 1}] for count in (17, 26, 133, 136)),
        {"p.jpg": body(17, 1 / 320)},  # shares of the sides
        {"p.jpg": [{"x": x, "y": y, "z": 0.1, "visibility": v} for x, y, v in body()]},
        {"p.jpg": [[x, y, 0.5, v] for x, y, v in body()]},
        {"p.jpg": [[str(x), str(y), str(v)] for x, y, v in body()]},
        {"people": [{"pose_keypoints": flat(body())}]},
        {"people": [{"pose_keypoints_2d": flat(body())}, {"pose_keypoints_2d": []}]},
        {"people": [{"pose_keypoints_2d": flat([point[:2] for point in body()])}]},
        [{"people": [{"pose_keypoints_2d": flat(body(17, 1 / 320))}], "canvas_width": 320, "canvas_height": 320}],
        [{"people": [{"pose_keypoints_2d": flat(body(17, 2.0))}], "canvas_width": 640, "canvas_height": 640}],
        [instance(body())],
        {"meta_info": {}, "instance_info": [{"frame_id": 1, "instances": [instance(body())]}]},
        [{"keypoints": {"x": [p[0] for p in body()], "y": [p[1] for p in body()], "visible": [0.9] * 17}}],
        {"images": [{"id": 1, "file_name": "p.jpg"}], "annotations": [{"image_id": 1, "keypoints": flat(body())}]},
        {
            "images": [{"id": 1, "file_name": "C:\\data\\p.jpg"}],
            "annotations": [{"image_id": 1, "keypoints": flat(body())}, {"image_id": 2, "keypoints": flat(body())}],
        },
        {
            "images": [{"id": 1, "file_name": "images/train/p.jpg"}],
            "annotations": [{"image_id": 1, "keypoints": flat(body())}],
        },
    ],
)
def test_what_other_programs_write_is_the_same_person(tmp_path: Path, content: Any) -> None:
    known = KnownPeople(write(tmp_path / "p_keypoints.json", content))
    people = known.people(Path("/photos/p.jpg"), 320, 320)
    [found] = people.keypoints
    for name, place in {"nose": (160, 60), "l_shoulder": (180, 92), "r_ankle": (145, 270)}.items():
        assert found[KEYPOINT_NAMES.index(name), :2] == pytest.approx(place, abs=0.01)
    assert found[0, 2] == pytest.approx(1.0 if np.isclose(found[0, 2], 1.0) else 0.9)


def test_25_joints_in_either_order(tmp_path: Path) -> None:
    usual = [[0.0, 0.0, 0.0]] * 25
    for joint, place in {0: (160, 60), 1: (160, 92), 2: (140, 92), 5: (180, 92), 8: (160, 170), 9: (148, 170)}.items():
        usual[joint] = [*place, 0.9]
    usual[12], usual[17] = [172, 170, 0.9], [148, 58, 0.9]
    later = [*body(17), [160, 92, 0.9], [160, 40, 0.9], *[[150, 280, 0.9]] * 6]
    for points in (usual, later):
        known = KnownPeople(write(tmp_path / "p_keypoints.json", {"people": [{"pose_keypoints_2d": flat(points)}]}))
        [found] = known.people("p.jpg", 320, 320).keypoints
        assert found[KEYPOINT_NAMES.index("r_shoulder"), :2].tolist() == [140, 92]
        assert found[KEYPOINT_NAMES.index("l_hip"), :2].tolist() == [172, 170]


def test_a_file_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    good = json.dumps({"people": [{"pose_keypoints_2d": flat(body())}]})
    (tmp_path / "a_keypoints.json").write_text("\ufeff" + good, encoding="utf-8")
    (tmp_path / "b_keypoints.json").write_text(good[:40])
    (tmp_path / "._a_keypoints.json").write_bytes(b"\0\5\x16\7")
    (tmp_path / "c_pose_keypoints.json").write_text(good)
    (tmp_path / "D.json").write_text(good)
    known = KnownPeople(tmp_path)
    assert [len(known.people(f"{name}.jpg", 320, 320)) for name in "abcd"] == [1, 0, 1, 1]
    assert len(known.notes) == 1
    assert "b_keypoints.json" in known.notes[0]
