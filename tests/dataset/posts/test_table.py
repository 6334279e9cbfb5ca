"""Tables of posts, as people have them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from doppelgram.dataset.posts.registry import read_posts
from doppelgram.errors import DoppelgramError
from helpers.post_files import TIME, pictures, said, times, told, write

ROWS = {"path": ["p0.jpg", "p1.jpg"], "author": ["ann", "bo"], "timestamp": [TIME, "2019-12-21T04:27:27Z"]}
EXPECTED = {"p0.jpg": ("ann", TIME), "p1.jpg": ("bo", "2019-12-21T04:27:27Z")}


@pytest.mark.parametrize("name", ["posts.xlsx", "POSTS.XLSX", "anything.xlsx", "anything.csv", "Posts.CSV"])
def test_excel_and_tables_of_any_name(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame(ROWS)
    pictures(tmp_path, "p0.jpg", "p1.jpg", "p2.jpg")
    if name.lower().endswith("xlsx"):
        frame["timestamp"] = pd.to_datetime(frame["timestamp"]).dt.tz_localize(None)  # a date, as Excel keeps it
        with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
            pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
            frame.to_excel(book, sheet_name="posts", index=False)
        (tmp_path / "x.xlsx").rename(tmp_path / name)
    else:
        frame.to_csv(tmp_path / name, index=False)
    posts = read_posts(tmp_path)
    assert posts.source == "table"
    assert told(posts) == EXPECTED
    assert dict(posts.left) == {"p2.jpg": f"pictures that {name} does not name"}


def test_columns_by_the_names_that_somebody_gives(tmp_path: Path) -> None:
    text = f"File;Wer;Created;timestamp\np0.jpg;ann;{TIME};x\np1.jpg;bo;2019-12-21T04:27:27Z;y\n"
    file = write(pictures(tmp_path, "p0.jpg", "p1.jpg") / "list.csv", text)
    columns = {"path": "file", "author": "Wer", "timestamp": "Created"}
    for data in (file, tmp_path):
        posts = read_posts(data, columns=columns)
        assert told(posts) == EXPECTED
        assert posts.origins["author"] == "column 'Wer'"
    with pytest.raises(DoppelgramError, match="no column 'Who' in it; it has File, Wer, Created"):
        read_posts(file, columns={"author": "Who"})
    with pytest.raises(DoppelgramError, match="--columns timestamp=NAME says which"):
        read_posts(write(tmp_path / "other.csv", "path,when\np0.jpg,x\n"))


@pytest.mark.parametrize(
    "cell", [["p0.jpg", "p1.jpg"], "['p0.jpg' 'p1.jpg']", '["p0.jpg", "p1.jpg"]', "p0.jpg; p1.jpg"]
)
def test_several_pictures_in_a_row(tmp_path: Path, cell: object) -> None:
    frame = pd.DataFrame({"path": [cell], "author": ["ann"], "timestamp": [TIME]})
    frame.to_parquet(pictures(tmp_path, "p0.jpg", "p1.jpg") / "posts.parquet")
    assert told(read_posts(tmp_path)) == {"p0.jpg": ("ann", TIME), "p1.jpg": ("ann", TIME)}


def test_paths_from_another_machine(tmp_path: Path) -> None:
    pictures(tmp_path, "img/p0.jpg", "p1.jpg")
    text = f"path,author,timestamp\n/home/x/img/p0.jpg,ann,{TIME}\nC:\\Users\\x\\p1.jpg,bo,2019-12-21T04:27:27Z\n"
    posts = read_posts(write(tmp_path / "posts.csv", text))
    assert told(posts) == {"img/p0.jpg": EXPECTED["p0.jpg"], "p1.jpg": EXPECTED["p1.jpg"]}


def test_a_wrong_row_stops_no_other(tmp_path: Path) -> None:
    rows = [f"p{n}.jpg,ann,2019-12-2{n}" for n in range(6)]
    rows += ["p0.jpg,ann,2019-12-20", ",bo,2019-12-20", "p6.jpg,bo,soon", "p7.jpg,a,b,c,d", "p0.jpg,bo,2019-12-25"]
    rows += ["p8.jpg,bo,2119-12-20"]
    posts = read_posts(write(tmp_path / "posts.csv", "path,author,timestamp\n" + "\n".join(rows)))
    found = told(posts)
    assert found["p6.jpg"] == found["p8.jpg"] == ("bo", "")
    assert found["./p0.jpg"] == ("bo", "2019-12-25T00:00:00Z")  # another post of the same picture
    assert len(posts) == 9
    whys = {what: why for what, why in posts.left if what.startswith("posts.csv")}
    assert list(whys) == ["posts.csv: row 11", "posts.csv: row 9", "posts.csv: row 8"]
    assert said(posts, "row 10: timestamp 'soon'")
    assert said(posts, "1 time lies in the future and counts as not known")
    assert said(posts, "row 13: 2119-12-20")


def test_authors_are_one_person_however_spelled(tmp_path: Path) -> None:
    rows = ["a.jpg,@Anna.B,77", "b.jpg,anna.b,", "c.jpg,,77", "d.jpg,77,", "e.jpg,new.name,77", "f.jpg,anna.b,77"]
    text = "path,author,author_id,timestamp\n" + "".join(f"{row},\n" for row in [*rows, "g.jpg,bo,5"])
    posts = read_posts(write(tmp_path / "t.csv", text))
    assert posts.authors.tolist() == ["anna.b"] * 6 + ["bo"]
    for header, name in (("owner,user", "ann"), ("username,owner", "77")):
        text = f"path,{header},timestamp\na.jpg,77,ann,\n"
        assert read_posts(write(tmp_path / "t.csv", text)).authors.tolist() == [name]


@pytest.mark.parametrize("columns", ["latitude,longitude", "lat,lng", "lat,lon"])
def test_coordinates_stand_for_a_place(tmp_path: Path, columns: str) -> None:
    text = f"path,author,timestamp,{columns}\na.jpg,x,,41.89021,12.49223\nb.jpg,y,,0,0\nc.jpg,z,,,\n"
    posts = read_posts(write(tmp_path / "t.csv", text))
    assert posts.table["place"].tolist() == ["41.890, 12.492", "", ""]


def test_windows_1252(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("path;author;timestamp\na.jpg;Jürgen;20.12.2019 04:27:27\n".encode("cp1252"))
    posts = read_posts(tmp_path / "t.csv")
    assert told(posts) == {"a.jpg": ("Jürgen", TIME)}
    assert said(posts, "line 2 is not UTF-8")


@pytest.mark.parametrize(
    ("spelled", "moment"),
    [
        ("2019:12:20 24:00:00", "2019-12-21T00:00:00Z"),
        ("2019-12-20 04:27:60", "2019-12-20T04:28:00Z"),
        ("2019/12/20 4:27:27 PM", "2019-12-20T16:27:27Z"),
        ("2019:12:20 12:27:27 AM", "2019-12-20T00:27:27Z"),
        ("20.12.2019 04:27", "2019-12-20T04:27:00Z"),
        ("20.12.19", "2019-12-20T00:00:00Z"),
        ("12/20/2019 04:27:27", TIME),
        ("20/12/2019", "2019-12-20T00:00:00Z"),
        ("2019-12-19 23:27:27 EST", TIME),
        ("Dec 20, 2019, 4:27:27 AM UTC", TIME),
        ("Fri, 20 Dec 2019 04:27:27 GMT", TIME),
        ("20 December 2019", "2019-12-20T00:00:00Z"),
        ("1576816047.0", TIME),
    ],
)
def test_times_as_people_and_programs_write_them(tmp_path: Path, spelled: str, moment: str) -> None:
    assert times(read_posts(write(tmp_path / "t.csv", f'path,timestamp\na.jpg,"{spelled}"\n'))) == [moment]


def test_a_column_says_whether_the_day_comes_first(tmp_path: Path) -> None:
    for other, day in (("25/12/2019", "2019-04-03T00:00:00Z"), ("12/25/2019", "2019-03-04T00:00:00Z")):
        file = write(tmp_path / "t.csv", f"path,timestamp\na.jpg,03/04/2019\nb.jpg,{other}\nc.jpg,{other}\n")
        assert times(read_posts(file))[0] == day
    with pytest.raises(DoppelgramError, match=r"row 2: timestamp '03/04/2019' may have the day first or the month"):
        read_posts(write(tmp_path / "t.csv", "path,timestamp\na.jpg,03/04/2019\n"))
