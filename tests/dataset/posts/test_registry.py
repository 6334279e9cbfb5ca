from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts import registry
from doppelgram.dataset.posts.posts import Posts, ReadOptions
from doppelgram.dataset.posts.registry import READERS, PostReader, as_posts, read_posts
from doppelgram.dataset.posts.source import Source
from doppelgram.errors import DoppelgramError


def picture(file: Path, *, taken: str = "", offset: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (8, 8))
    exif = Image.Exif()
    entries = exif.get_ifd(0x8769)
    if taken:
        entries[0x9003] = taken
    if offset:
        entries[0x9011] = offset
    image.save(file, exif=exif)
    return file


def write(file: Path, value: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return file


def times(posts: Collection) -> list[str]:
    return ["" if pd.isna(at) else at.isoformat().replace("+00:00", "Z") for at in posts.table["timestamp"]]


def test_a_table_in_many_spellings_of_time(tmp_path: Path) -> None:
    table = write(
        tmp_path / "my.csv",
        "path,author,timestamp,place,likes\n"
        "a.jpg,ann,2019-12-20T04:27:27Z,paris,7\nb.jpg,bo,2019-12-20 05:27:27+01:00,paris,\nc.jpg,,1576816047,,\n"
        "d.jpg,bo,,,\ne.jpg,bo,2019-07-01 12:00,,\nf.jpg,bo,1970-01-01T00:00:01Z,,\n",
    )
    posts = read_posts(table, timezone="Europe/Paris")
    same = "2019-12-20T04:27:27Z"
    assert times(posts) == [same, same, same, "", "2019-07-01T10:00:00Z", "1970-01-01T00:00:01Z"]
    assert posts.table["author"].tolist() == ["ann", "bo", "", "bo", "bo", "bo"]
    assert posts.table["likes"].tolist()[:2] == ["7", ""]
    assert posts.names[0] == "a.jpg"
    assert posts.paths[0] == tmp_path / "a.jpg"
    assert posts.notes == ("1 time names no time zone and is read as Europe/Paris (--timezone)",)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("path,author,timestamp\na.jpg,x,yesterday\n", r"my.csv: row 2: timestamp 'yesterday'"),
        ("path,author,timestamp\na.jpg,x,\n,y,\n", r"row 3: the path is empty"),
        ("path,author\na.jpg,x\n", r"there is no 'timestamp' among path, author"),
        ("path,author,timestamp\n", r"has no rows"),
        ("path,author,timestamp\na.jpg,x,0019-12-20\n", r"row 2: timestamp '0019-12-20' lies in the year 19"),
    ],
)
def test_a_wrong_row_of_a_table_is_named(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(DoppelgramError, match=said):
        read_posts(write(tmp_path / "my.csv", rows))


def test_a_zone_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="'Mars/Base' is not known"):
        read_posts(tmp_path, timezone="Mars/Base")


def test_hours_that_come_twice_or_never(tmp_path: Path) -> None:
    table = write(tmp_path / "p.csv", "path,author,timestamp\na,x,2021-10-31 02:30\nb,x,2021-03-28 02:30\n")
    assert times(read_posts(table, timezone="Europe/Berlin")) == ["2021-10-31T00:30:00Z", "2021-03-28T01:30:00Z"]


def test_a_parquet_table_beside_its_pictures(tmp_path: Path) -> None:
    moments = pd.to_datetime(["2020-05-01T10:00:00Z", None])
    pd.DataFrame({"path": ["a.png", "b.png"], "author": ["x", None], "timestamp": moments, "likes": [3, 4]}).to_parquet(
        tmp_path / "posts.parquet"
    )
    posts = read_posts(tmp_path)
    assert times(posts) == ["2020-05-01T10:00:00Z", ""]
    assert posts.table["author"].tolist() == ["x", ""]
    assert posts.table["likes"].tolist() == ["3", "4"]


def test_posts_that_were_sorted_or_filtered_keep_their_own_times(tmp_path: Path) -> None:
    moments = [f"2019-12-{20 + day}T04:27:27Z" for day in range(4)]
    table = pd.DataFrame(
        {"path": [f"{n}.png" for n in range(4)], "author": list("abcd"), "timestamp": pd.to_datetime(moments)}
    )
    for frame in (table.iloc[[2, 0, 3, 1]], table[table["author"] != "a"], table.iloc[::-1].set_index("timestamp")):
        frame.to_parquet(tmp_path / "posts.parquet")
        posts = read_posts(tmp_path)
        assert len(posts) == len(frame)
        for name, author, time in zip(posts.names, posts.table["author"], times(posts), strict=True):
            assert (author, time) == ("abcd"[int(name[0])], moments[int(name[0])])


def test_rows_of_posts_that_end_in_a_comma(tmp_path: Path) -> None:
    write(tmp_path / "posts.csv", "path,author,timestamp\na.png,x,2019-12-20T04:27:27Z,\nb.png,y,2019-12-21 05:00Z,\n")
    posts = read_posts(tmp_path)
    assert posts.names == ["a.png", "b.png"]
    assert posts.table["author"].tolist() == ["x", "y"]
    assert times(posts) == ["2019-12-20T04:27:27Z", "2019-12-21T05:00:00Z"]


def test_photographs_with_the_camera_s_time(tmp_path: Path) -> None:
    picture(tmp_path / "a/one.jpg", taken="2019:12:20 05:27:27", offset="+01:00")
    picture(tmp_path / "two.jpg", taken="2019:12:20 05:27:27")
    picture(tmp_path / "three.jpg")
    picture(tmp_path / "four.jpg", taken="0000:00:00 00:00:00")
    (tmp_path / "five.jpg").write_bytes(b"no picture")
    posts = read_posts(tmp_path, timezone="Asia/Tokyo")
    found = dict(zip(posts.names, times(posts), strict=True))
    assert found["a/one.jpg"] == "2019-12-20T04:27:27Z"
    assert found["two.jpg"] == "2019-12-19T20:27:27Z"
    assert found["three.jpg"] == found["four.jpg"] == found["five.jpg"] == ""
    assert set(posts.table["author"]) == {""}
    assert any("name no author" in note for note in posts.notes)
    assert any("1 time names no time zone" in note for note in posts.notes)


def export(root: Path, name: str, posts: Any) -> Path:
    write(root / "your_instagram_activity/media/posts_1.json", posts)
    facts = {"profile_user": [{"title": "User", "string_map_data": {"Username": {"value": name}}}]}
    write(root / "personal_information/personal_information/personal_information.json", facts)
    return root


def test_a_data_export_has_one_author_and_its_letters_are_repaired(tmp_path: Path) -> None:
    garbled = "Café 🌉".encode().decode("latin-1")
    posts = [
        {"media": [{"uri": "media/posts/201912/1.jpg", "creation_timestamp": 1576816047, "title": garbled}]},
        {
            "media": [
                {"uri": "media/posts/202001/2.jpg", "creation_timestamp": 1577836800, "title": ""},
                {"uri": "media/posts/202001/3.mp4", "creation_timestamp": 1577836801},
            ],
            "title": "two of one",
            "creation_timestamp": 1577836802,
        },
    ]
    root = export(tmp_path / "export", "jo", posts)
    picture(root / "media/posts/201912/1.jpg")
    for data in (root, root / "your_instagram_activity/media/posts_1.json"):
        found = read_posts(data)
        assert found.names == ["media/posts/201912/1.jpg", "media/posts/202001/2.jpg"]
        assert found.paths[0].is_file()
        assert set(found.table["author"]) == {"jo"}
        assert times(found) == ["2019-12-20T04:27:27Z", "2020-01-01T00:00:00Z"]
        assert found.table["caption"].tolist() == ["Café 🌉", "two of one"]
        assert any("3.mp4" in what and "videos" in why for what, why in found.left)
        assert any("by 'jo'" in note for note in found.notes)


def test_several_exports_in_one_folder(tmp_path: Path) -> None:
    for name in ("ann", "bo"):
        media = {"uri": "media/posts/1.jpg", "creation_timestamp": 1576816047}
        picture(export(tmp_path / name, name, [{"media": [media]}]) / "media/posts/1.jpg")
    found = read_posts(tmp_path)
    assert found.table["author"].tolist() == ["ann", "bo"]
    assert all(path.is_file() for path in found.paths)


def test_the_older_form_of_an_export(tmp_path: Path) -> None:
    photo = {"caption": "x", "taken_at": "2018-05-06T07:08:09", "location": "Rome", "path": "photos/201805/a.jpg"}
    root = tmp_path / "some_one_20180601"
    write(root / "media.json", {"photos": [photo], "videos": []})
    found = read_posts(root)
    assert times(found) == ["2018-05-06T07:08:09Z"]
    assert found.table.loc[0, ["author", "place"]].tolist() == ["some_one", "Rome"]


@pytest.mark.parametrize(
    ("media", "said"),
    [
        ([{"uri": "../../secret.jpg", "creation_timestamp": 1576816047}], "post 1: ../../secret.jpg"),
        ([{"uri": "b.jpg", "creation_timestamp": "soon"}], "post 1: timestamp 'soon'"),
        ([], "post 1"),
    ],
)
def test_a_wrong_entry_of_an_export_is_named_and_the_rest_read(tmp_path: Path, media: Any, said: str) -> None:
    good = {"media": [{"uri": "a.jpg", "creation_timestamp": 1576816047}]}
    found = read_posts(export(tmp_path, "jo", [{"media": media}, good]))
    assert times(found)[0] == "2019-12-20T04:27:27Z"
    assert any("posts_1.json: " + said in note for note in found.notes)


def test_sidecars_of_instaloader(tmp_path: Path) -> None:
    def node(owner: Any, time: int) -> dict[str, Any]:
        caption = {"edges": [{"node": {"text": "hello"}}]}
        return {
            "node": {
                "owner": owner,
                "taken_at_timestamp": time,
                "edge_media_to_caption": caption,
                "edge_media_preview_like": {"count": 5},
                "location": {"id": "1", "name": "Petra"},
            },
            "instaloader": {"version": "4.10", "node_type": "Post"},
        }

    folder = tmp_path / "petra"
    for name in ("2019_UTC.jpg", "2020_UTC_1.jpg", "2020_UTC_2.jpg", "ann_profile_pic.jpg"):
        picture(folder / name)
    packed = lzma.compress(json.dumps(node({"id": "1", "username": "ann"}, 1576816047)).encode())
    (folder / "2019_UTC.json.xz").write_bytes(packed)
    write(folder / "2020_UTC.json", node({"id": "77"}, 1577836800))
    write(folder / "2021_UTC.json", node({"id": "77"}, 1577836800))
    write(folder / "ann_profile_pic.json", {"node": {"username": "ann"}, "instaloader": {"node_type": "Profile"}})
    posts = read_posts(tmp_path)
    assert posts.names == ["petra/2019_UTC.jpg", "petra/2020_UTC_1.jpg", "petra/2020_UTC_2.jpg"]
    assert posts.table["author"].tolist() == ["ann", "77", "77"]
    assert posts.table.loc[0, ["place", "likes", "caption"]].tolist() == ["Petra", "5", "hello"]
    assert times(posts)[0] == "2019-12-20T04:27:27Z"
    left = dict(posts.left)
    assert "profiles" in left["petra/ann_profile_pic.json"]
    assert "no picture" in left["petra/2021_UTC.json"]
    assert "no record" in left["petra/ann_profile_pic.jpg"]


def test_sidecars_of_other_downloaders(tmp_path: Path) -> None:
    for name in ("g.jpg", "y.webp", "t.jpg"):
        picture(tmp_path / name)
    gallery = {"category": "instagram", "subcategory": "user", "username": "ann", "date": "2019-12-20 04:27:27"}
    write(tmp_path / "g.jpg.json", gallery)
    write(tmp_path / "y.info.json", {"uploader_id": "bo", "timestamp": 1576816047, "upload_date": "20191220"})
    write(tmp_path / "t.jpg.supplemental-metadata.json", {"photoTakenTime": {"timestamp": "1576816047"}})
    posts = read_posts(tmp_path, timezone="Asia/Tokyo")
    assert dict(zip(posts.names, posts.table["author"], strict=True)) == {"g.jpg": "ann", "y.webp": "bo", "t.jpg": ""}
    assert times(posts) == ["2019-12-20T04:27:27Z"] * 3
    write(tmp_path / "g.jpg.json", {**gallery, "date": "never"})
    again = read_posts(tmp_path)
    assert times(again) == ["", *["2019-12-20T04:27:27Z"] * 2]
    assert any("g.jpg.json: timestamp 'never'" in note for note in again.notes)


@pytest.mark.parametrize("name", ["list.json", "list.jsonl"])
def test_one_json_file_that_lists_posts(tmp_path: Path, name: str) -> None:
    picture(tmp_path / "b.jpg")
    posts = [
        {"post": "1", "owner": "ann", "taken_at": "2019-12-20T04:27:27+00:00", "media_path": "pictures/a.jpg"},
        {"post": "2", "owner": {"username": "bo"}, "taken_at": 1577836800, "media": ["/home/bo/b.jpg", "c.mp4"]},
    ]
    text = json.dumps(posts) if name == "list.json" else "\n".join(json.dumps(post) for post in posts)
    found = read_posts(write(tmp_path / name, text))
    assert found.names == ["b.jpg", "pictures/a.jpg"]
    assert found.table["author"].tolist() == ["bo", "ann"]
    assert times(found) == ["2020-01-01T00:00:00Z", "2019-12-20T04:27:27Z"]
    posts[0]["owner"] = "\udc80nn"
    assert "?nn" in read_posts(write(tmp_path / "halves.json", posts)).table["author"].tolist()
    posts[1]["media"] = []
    again = read_posts(write(tmp_path / "again.json", posts))
    assert again.names == ["pictures/a.jpg"]
    assert any("again.json: post 2" in what and "no picture" in why for what, why in again.left)


def test_what_is_no_list_of_posts(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match="is not JSON"):
        read_posts(write(tmp_path / "a.json", "{"))
    with pytest.raises(DoppelgramError, match=r"(?s)no posts in this file.*lists posts"):
        read_posts(write(tmp_path / "b.json", {"x": 1}))
    with pytest.raises(DoppelgramError, match="no such folder"):
        read_posts(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DoppelgramError, match="there are no posts in this folder"):
        read_posts(tmp_path / "empty")


class OneLine:
    """A format of a single file: the path of a picture and its author."""

    name = "one line"
    reads = "a file picture.txt with a path and an author"

    def claims(self, source: Source) -> bool:
        return (source.path / "picture.txt").is_file()

    def read(self, source: Source, options: ReadOptions) -> Posts:
        path, author = (source.path / "picture.txt").read_text().split()
        time = options.clock.read("2019-12-20 05:27:27", "picture.txt")
        return Posts(
            source.path, pd.DataFrame({"path": [path], "author": author, "timestamp": [time]}), source=self.name
        )


def test_a_new_format_is_one_entry_of_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picture.txt").write_text("a.jpg ann")
    with pytest.raises(DoppelgramError) as refused:
        read_posts(tmp_path)
    assert all(reader.reads in str(refused.value) for reader in READERS)
    entry: PostReader = OneLine()
    monkeypatch.setattr(registry, "READERS", (*READERS, entry))
    posts = read_posts(tmp_path, timezone="Europe/Berlin")
    assert (posts.source, posts.authors.tolist(), times(posts)) == ("one line", ["ann"], ["2019-12-20T04:27:27Z"])
    assert posts.seconds.tolist() == [1576816047.0]
    assert any("Europe/Berlin" in note for note in posts.notes)


def test_each_reader_claims_only_its_own(tmp_path: Path) -> None:
    posts = [{"path": "a.jpg", "owner": "ann", "taken_at": 1576816047}]
    write(tmp_path / "table/posts.csv", "path,author,timestamp\na.jpg,ann,1576816047\n")
    export(tmp_path / "export", "ann", [{"media": [{"uri": "a.jpg", "creation_timestamp": 1576816047}]}])
    write(tmp_path / "sidecars/a.json", posts[0])
    write(tmp_path / "records/list.json", posts)
    for folder in ("exif", "sidecars", "records", "table", "export"):
        picture(tmp_path / folder / "a.jpg", taken="2019:12:20 04:27:27")
    for name in ("exif", "sidecars", "records", "table", "export"):
        found = read_posts(tmp_path / name)
        assert found.source == name
        assert found.names == ["a.jpg"]
        assert times(found) == ["2019-12-20T04:27:27Z"]
        assert found.authors.tolist() == ["" if name == "exif" else "ann"]
        assert found.take([0]).source == name


def test_a_collection_counts_as_posts(tmp_path: Path) -> None:
    images = Collection(tmp_path, pd.DataFrame({"path": ["a.jpg"], "place": ["rome"]}), "place", ("a note",))
    posts = as_posts(images)
    assert (posts.authors.tolist(), posts.label, posts.notes) == ([""], "place", ("a note",))
    assert pd.isna(posts.seconds).all()
    assert as_posts(posts) is posts
    with pytest.raises(DoppelgramError, match="need a column 'author'"):
        Posts(tmp_path, images.table)
