"""One table means one thing: to `read_collection` and to `read_posts`, whatever program wrote it."""

from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.pairs import read_pairs
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.dataset.read import as_collection, read_collection
from doppelgram.dataset.splits import read_split
from doppelgram.dataset.tables import read_table
from doppelgram.errors import DoppelgramError

MOMENT = "2019-12-20T04:27:27Z"
TIMES = [
    "2019-12-20T04:27:27Z",
    "2019-12-20 05:27:27+01:00",
    "2019-12-20T04:27:27.000000000Z",
    "2019-12-20 04:27:27 UTC",
    "20191220T042727Z",
    "1576816047",
    "1576816047.0",
    "1576816047000",
    "1576816047000000",
    "1576816047000000000",
    "Fri Dec 20 04:27:27 +0000 2019",
    "Fri, 20 Dec 2019 04:27:27 +0000",
]
NAIVE = ["2019-12-20T05:27:27", "2019-12-20 05:27:27", "2019:12:20 05:27:27", "20191220052727", " 2019-12-20 05:27:27 "]
COLUMNS = [
    ("path", "author", "timestamp"),
    ("Path", "Author", "Timestamp"),
    ("FILE", "User", "Date"),
    ("image", "username", "taken_at"),
    ("file name", "user_name", "Date Time"),
    (" filename ", "owner", "created_at"),
]


def both(file: Path, timezone: str = "UTC") -> Collection:
    """The table as posts, after seeing that it is the same rows as a collection."""
    posts, images = read_posts(file, timezone=timezone), read_collection(file, timezone=timezone)
    assert posts.source == "table"
    assert posts.names == images.names
    assert posts.paths == images.paths
    for column in set(posts.table) & set(images.table):
        assert posts.table[column].equals(images.table[column]), column
    return posts


def seconds(posts: Collection) -> list[str]:
    return ["" if pd.isna(at) else at.isoformat().replace("+00:00", "Z") for at in posts.table["timestamp"]]


@pytest.mark.parametrize("columns", COLUMNS, ids=lambda names: names[0])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_and_separators(tmp_path: Path, columns: tuple[str, ...], separator: str) -> None:
    lines = [columns, ("a.jpg", "ann", MOMENT), ("b.jpg", "nan", ""), ("c.jpg", "", "none")]
    text = "\n".join(separator.join(line) for line in lines)
    for name, encoding in itertools.product(("t.csv", "t.tsv"), ("utf-8", "utf-8-sig", "utf-16", "utf-16-le")):
        (tmp_path / name).write_bytes(text.encode(encoding))
        posts = both(tmp_path / name)
        assert posts.table.columns.tolist() == ["path", "author", "timestamp"]
        assert posts.names == ["a.jpg", "b.jpg", "c.jpg"]
        assert posts.column("author").tolist() == ["ann", "", ""]
        assert seconds(posts) == [MOMENT, "", ""]


def test_every_spelling_of_a_time_means_one_moment(tmp_path: Path) -> None:
    rows = [f'{n}.jpg,ann,"{text}"' for n, text in enumerate([*TIMES, *NAIVE])]
    (tmp_path / "t.csv").write_text("\n".join(["path,author,timestamp", *rows]))
    posts = both(tmp_path / "t.csv", "Europe/Berlin")
    assert seconds(posts) == [MOMENT] * len(rows)
    for found in (posts, read_collection(tmp_path / "t.csv", timezone="Europe/Berlin")):
        assert any(
            f"{len(NAIVE)} times name no time zone and are read as Europe/Berlin" in note for note in found.notes
        )
    assert seconds(both(tmp_path / "t.csv"))[-1] == "2019-12-20T05:27:27Z"


@pytest.mark.parametrize("text", ["2019122004", "201912200427", "yesterday", "0019-12-20", "2019-13-01"])
def test_what_is_no_time_or_may_be_two_is_refused_by_both(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.csv").write_text(f"path,author,timestamp\na.jpg,x,{MOMENT}\n\nb.jpg,x,{text}\n")
    for read in (read_posts, read_collection):
        with pytest.raises(DoppelgramError, match=rf"t\.csv: row 4: timestamp '{text}'"):
            read(tmp_path / "t.csv")


def test_parquet_times_with_and_without_a_zone(tmp_path: Path) -> None:
    naive = pd.to_datetime(pd.Series(["2019-12-20T05:27:27", None]))
    for column in (naive, naive.dt.tz_localize("Europe/Berlin"), pd.Series([1576816047, None])):
        pd.DataFrame({"path": ["a", "b"], "author": ["x", None], "timestamp": column}).to_parquet(tmp_path / "t.pq")
        assert seconds(both(tmp_path / "t.pq", "Europe/Berlin")) == [MOMENT, ""]


@pytest.mark.parametrize("word", ["nan", "NaN", "NA", "None", "null", "NULL", "N/A"])
def test_words_for_no_author(tmp_path: Path, word: str) -> None:
    (tmp_path / "t.csv").write_text(f"path,author,timestamp\na,{word},{MOMENT}\nb,Nan Goldin,{MOMENT}\n")
    posts = both(tmp_path / "t.csv")
    assert posts.column("author").tolist() == ["", "Nan Goldin"]
    assert any(repr(word) in note and "not known" in note for note in posts.notes)


def test_authors_by_number(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": list("abc"), "author": [77, None, 3], "timestamp": [MOMENT] * 3})
    mixed = table.assign(author=pd.Series([77.0, None, "x"], dtype=object).map(lambda one: one and str(one)))
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.parquet", "t.csv"):
        assert both(tmp_path / name).column("author").tolist() == ["77", "", "3"]
    mixed.to_csv(tmp_path / "t.csv", index=False)  # 77.0 beside a name may be a name
    assert both(tmp_path / "t.csv").column("author").tolist() == ["77.0", "", "x"]


def test_rows_without_a_value_are_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(f"path,author,timestamp\r\n,,\r\na,x,{MOMENT}\r\n,,\r\n , ,\r\n".encode())
    posts = both(tmp_path / "t.csv")
    assert posts.names == ["a"]
    assert any("3 empty rows" in note for note in posts.notes)
    (tmp_path / "t.csv").write_text(f"path,author,timestamp\n,,\na,x,{MOMENT}\n,y,{MOMENT}\n")
    with pytest.raises(DoppelgramError, match="row 4: the path is empty"):
        both(tmp_path / "t.csv")


def test_zero_bytes_of_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(f"path,author,timestamp\na,x,{MOMENT}\n".encode() + bytes(300))
    posts = both(tmp_path / "t.csv")
    assert posts.names == ["a"]
    assert any("300 zero bytes" in note for note in posts.notes)


@pytest.mark.parametrize("kind", ["NFC", "NFD"])
def test_paths_as_windows_and_macos_write_them(tmp_path: Path, kind: str) -> None:
    other = "NFD" if kind == "NFC" else "NFC"
    name = unicodedata.normalize(kind, "Köln.jpg")
    (tmp_path / "sub").mkdir()
    for file in (name, "a.jpg", "odd\\name.jpg"):
        (tmp_path / "sub" / file).touch()
    paths = [f"sub\\{unicodedata.normalize(other, name)}", "sub\\a.jpg", "sub/odd\\name.jpg", "sub\\gone.jpg"]
    (tmp_path / "t.csv").write_text("\n".join(["path,author,timestamp", *(f"{path},x,{MOMENT}" for path in paths)]))
    posts = both(tmp_path / "t.csv")
    assert posts.names == [f"sub/{name}", "sub/a.jpg", "sub/odd\\name.jpg", "sub/gone.jpg"]
    assert [path.is_file() for path in posts.paths] == [True, True, True, False]
    (tmp_path / "s.csv").write_text("\n".join(["path,part", *(f"{path},train" for path in paths)]))
    assert read_split(tmp_path / "s.csv").rows(posts)["train"].tolist() == [0, 1, 2, 3]
    (tmp_path / "p.csv").write_text(f"path_a;path_b;same\n{paths[0]};{paths[1]};yes\n")
    assert read_pairs(tmp_path / "p.csv").a == [tmp_path / "sub" / name]


def test_the_posts_of_a_folder_are_found_by_all(tmp_path: Path) -> None:
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind/a.jpg").touch()
    (tmp_path / "POSTS.CSV").write_text(f"File;User;Time\nkind\\a.jpg;ann;{MOMENT}\ngone.jpg;bo;{MOMENT}\n")
    posts, images = read_posts(tmp_path), read_collection(tmp_path)
    assert posts.names == ["kind/a.jpg", "gone.jpg"]
    assert images.names == ["kind/a.jpg"]
    for found in (posts, images):
        assert found.column("author")[0] == "ann"
        assert seconds(found)[0] == MOMENT
    assert any("1 of its 2 rows name no image" in note for note in images.notes)


def test_a_column_that_only_sounds_like_a_time(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,time\na,morning\nb,evening\n")
    images = read_collection(tmp_path / "t.csv")
    assert images.label == "time"
    assert images.labels.tolist() == ["morning", "evening"]
    with pytest.raises(DoppelgramError, match="no 'timestamp' among path, time"):
        read_posts(tmp_path / "t.csv")


def test_a_column_is_known_by_its_other_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Image,Species,User\na,ox,ann\nb,hen,bo\n")
    images = read_collection(tmp_path / "t.csv")
    assert images.label == "Species"
    for label in ("user", "User", "author"):
        assert images.with_label(label).labels.tolist() == ["ann", "bo"]
    assert as_collection(images, label="species").labels.tolist() == ["ox", "hen"]
    assert as_collection(images) is images
    assert as_collection(tmp_path / "t.csv", label="user").labels.tolist() == ["ann", "bo"]


def test_excel_s_line_about_the_separator(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('sep=;\npath;label\n"a;b";x,y\n')
    table = read_table(tmp_path / "t.csv")
    assert table.rows.iloc[0].tolist() == ["a;b", "x,y"]
    assert table.where(0).endswith("row 3")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"path,label\na.jpg,K\xf6\x02ln\n", "line 2 is not text in utf-8"),
        (b'path,label\na,x\nb,"y\nc,z\n', "row 3: a quotation mark is opened and never closed"),
        (b"", "is empty"),
        (b"path,path\na,b\n", "'path' stands in the table twice"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(DoppelgramError, match=rf"t\.csv.*{said}"):
        read_table(tmp_path / "t.csv")
