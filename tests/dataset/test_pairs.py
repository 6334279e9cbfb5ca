from __future__ import annotations

from pathlib import Path

import pytest

from doppelgram.dataset.pairs import read_pairs
from doppelgram.errors import DoppelgramError


def test_pairs_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("path_a,path_b,same\na.jpg,b.jpg,1\na.jpg,/x/c.jpg,False\n")
    left, right, same, _ = read_pairs(file)
    assert left == [tmp_path / "a.jpg"] * 2
    assert right == [tmp_path / "b.jpg", Path("/x/c.jpg")]
    assert same.tolist() == [True, False]
    assert read_pairs(file, Path("/root"))[0][0] == Path("/root/a.jpg")
    file.write_text("path_a,path_b,same\na.jpg,b.jpg,1,\na.jpg,/x/c.jpg,False,\n")  # rows end in a comma
    assert read_pairs(file)[1] == right
    assert read_pairs(file)[2].tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path_a,same\nx,1\n", "no 'path_b'"),
        ("path_a,path_b,same\nx,y,maybe\n", "row 2: same is 'maybe'"),
        ("path_a,path_b,same\nx,y,1\n,y,1\n", "row 3: path_a is empty"),
        ("path_a,path_b,same\n", "no pairs"),
    ],
)
def test_bad_pair_files(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(DoppelgramError, match=words):
        read_pairs(tmp_path / "p.csv")


def test_lfw_s_own_pairs_with_folds(tmp_path: Path) -> None:
    for person in ("Ann_Lee", "Bo"):
        for number in (1, 2, 3):
            file = tmp_path / f"lfw/{person}/{person}_{number:04d}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
    lines = ["2\t1", "Ann_Lee\t1\t2", "Ann_Lee\t1\tBo\t3", "Bo\t1\t2", "Bo\t2\tAnn_Lee\t1"]
    file = tmp_path / "pairs.txt"
    for text in ("\n".join(lines), "\n".join(lines).replace("\t", " ")):
        file.write_text(text)
        pairs = read_pairs(file)
        assert pairs.a[1] == tmp_path / "lfw/Ann_Lee/Ann_Lee_0001.jpg"
        assert pairs.b[1] == tmp_path / "lfw/Bo/Bo_0003.jpg"
        assert all(path.is_file() for path in (*pairs.a, *pairs.b))
        assert pairs.same.tolist() == [True, False, True, False]
        assert pairs.fold is not None
        assert pairs.fold.tolist() == [0, 0, 1, 1]
        assert read_pairs(file, tmp_path / "lfw").b == pairs.b
    for text, words in (("\n".join(lines[:-1]), "speaks of 4 pairs, and there are 3"), ("1\nx y\n", "line 2")):
        file.write_text(text)
        with pytest.raises(DoppelgramError, match=words):
            read_pairs(file)
