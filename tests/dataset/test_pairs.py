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
