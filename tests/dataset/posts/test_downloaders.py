"""What downloaders leave: instaloader, gallery-dl, Google Takeout, and lists of posts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doppelgram.dataset.posts.registry import read_posts
from doppelgram.errors import DoppelgramError
from helpers.post_files import DAY, MOMENT, TIME, pictures, said, told, write


def node(key: str, owner: dict[str, str], time: int = MOMENT, kind: str = "Post", **more: Any) -> dict[str, Any]:
    found = {"id": key, "shortcode": f"C{key}", "taken_at_timestamp": time, "owner": owner, "location": None, **more}
    return {"node": found, "instaloader": {"version": "4.13", "node_type": kind}}


STEM = "2019-12-{}_04-27-27_UTC"


def test_one_person_by_number_and_by_name(tmp_path: Path) -> None:
    for day, folder, owner in ((20, "anna.b", {"id": "77", "username": "anna.b"}), (21, "#rome", {"id": "77"})):
        pictures(tmp_path / folder, f"{STEM.format(day)}.jpg")
        write(tmp_path / folder / f"{STEM.format(day)}.json.xz", node(str(day), owner, MOMENT + (day - 20) * DAY))
    posts = read_posts(tmp_path)
    assert posts.source == "instaloader"
    assert posts.authors.tolist() == ["anna.b", "anna.b"]
    assert said(posts, "1 row is known by number")


def test_the_same_post_under_a_profile_and_a_hashtag_counts_once(tmp_path: Path) -> None:
    for day in (20, 21):
        for folder, more in ((f"user{day}", {}), ("#rome", {"location": {"name": "Rome"}})):
            for number in ("_1", "_2"):
                pictures(tmp_path / folder, f"{STEM.format(day)}{number}.jpg")
            owner = {"id": str(day), "username": f"user{day}"}
            write(
                tmp_path / folder / f"{STEM.format(day)}.json", node(str(day), owner, MOMENT + (day - 20) * DAY, **more)
            )
    posts = read_posts(tmp_path)
    assert posts.authors.tolist() == ["user20", "user20", "user21", "user21"]
    assert set(posts.table["place"]) == {"Rome"}
    assert said(posts, "4 pictures were found twice")


def test_what_lies_only_in_the_phone_s_answer(tmp_path: Path) -> None:
    struct = {"user": {"username": "anna.b", "pk": 77}, "location": {"lat": 41.9, "lng": 12.5}, "like_count": 5}
    pictures(tmp_path, "a.jpg", "b.jpg")
    write(tmp_path / "a.json", node("1", {"id": "77"}, iphone_struct=struct))
    write(tmp_path / "b.json", node("2", {"id": "77"}, kind="StoryItem"))
    posts = read_posts(tmp_path)
    assert posts.authors.tolist() == ["anna.b", "anna.b"]
    assert posts.table.loc[0, ["place", "likes"]].tolist() == ["41.900, 12.500", "5"]
    assert posts.table["kind"].tolist() == ["", "story"]


def test_names_of_instaloader_say_the_time(tmp_path: Path) -> None:
    pictures(tmp_path / "alone", *(f"{folder}/{STEM.format(20)}.jpg" for folder in ("anna.b", "#rome", "photos")))
    alone = read_posts(tmp_path / "alone")
    assert told(alone) == {
        f"anna.b/{STEM.format(20)}.jpg": ("anna.b", TIME),
        f"#rome/{STEM.format(20)}.jpg": ("", TIME),
        f"photos/{STEM.format(20)}.jpg": ("", TIME),
    }
    mixed = pictures(tmp_path / "mixed", f"{STEM.format(20)}.jpg", f"{STEM.format(21)}.jpg", "cover.jpg")
    write(mixed / f"{STEM.format(20)}.json", node("1", {"username": "anna.b"}))
    posts = read_posts(mixed)
    assert told(posts)[f"{STEM.format(21)}.jpg"] == ("", "2019-12-21T04:27:27Z")
    assert dict(posts.left) == {"cover.jpg": "pictures of which no record speaks"}


def test_one_broken_sidecar_and_what_macos_writes(tmp_path: Path) -> None:
    for day in (20, 21, 22):
        pictures(tmp_path, f"{STEM.format(day)}.jpg")
        file = write(tmp_path / f"{STEM.format(day)}.json.xz", node(str(day), {"username": "anna.b"}))
        (tmp_path / f"._{file.name}").write_bytes(b"\0\5\x16\7\xff")
    (tmp_path / f"{STEM.format(22)}.json.xz").write_bytes(file.read_bytes()[:-20])
    posts = read_posts(tmp_path)
    assert told(posts)[f"{STEM.format(22)}.jpg"] == ("", "2019-12-22T04:27:27Z")
    assert len(posts) == 3
    assert said(posts, "3 left aside (what macOS writes")
    assert "cannot be read" in dict(posts.left)[f"{STEM.format(22)}.json.xz"]


def gallery(number: int, **more: Any) -> dict[str, Any]:
    found = {"category": "instagram", "subcategory": "posts", "username": "anna.b", "owner_id": "77", "num": 1}
    return found | {
        "post_shortcode": f"Cx{number}",
        "date": f"2019-12-{20 + number} 04:27:27",
        "filename": f"30{number}_n",
        "extension": "jpg",
        "location_slug": "rome",
        **more,
    }


@pytest.mark.parametrize("kind", ["dump", "concatenated", "lines", "lines.json", "list"])
def test_gallery_dl_in_one_file(tmp_path: Path, kind: str) -> None:
    items = [gallery(number) for number in range(3)]
    text = {
        "dump": json.dumps(
            [[2, items[0]], *([3, f"https://x.example.org/30{n}_n.jpg", one] for n, one in enumerate(items))]
        ),
        "concatenated": "\n".join(json.dumps(one, indent=4) for one in items),
        "list": json.dumps(items),
    }.get(kind, "\n".join(map(json.dumps, items)))
    pictures(tmp_path, *(f"30{n}_n.jpg" for n in range(3)))
    write(tmp_path / ("metadata.jsonl" if kind == "lines" else "metadata.json"), text)
    posts = read_posts(tmp_path, timezone="Asia/Tokyo")
    assert posts.source == "gallery-dl"
    assert told(posts) == {f"30{n}_n.jpg": ("anna.b", f"2019-12-{20 + n}T04:27:27Z") for n in range(3)}
    assert set(posts.table["place"]) == {"rome"}


@pytest.mark.parametrize("name", ["{date} Cx{n}_{k} - 1080x1350.jpg", "{date} Cx{n} {k}.jpg", "{date} Cx{n}_{k}.jpg"])
def test_gallery_dl_with_a_file_for_each_post(tmp_path: Path, name: str) -> None:
    for n in range(2):
        date = f"2019-12-{20 + n}"
        pictures(tmp_path, *(name.format(date=date, n=n, k=k) for k in (1, 2)))
        write(tmp_path / f"{date} Cx{n}.json", gallery(n))
    assert (
        sorted(told(read_posts(tmp_path)).values()) == [("anna.b", TIME)] * 2 + [("anna.b", "2019-12-21T04:27:27Z")] * 2
    )


def test_gallery_dl_of_other_places(tmp_path: Path) -> None:
    flickr = {"category": "flickr", "subcategory": "favorite", "user": {"username": "who marked it"}, "id": "5"}
    flickr |= {"owner": {"username": "cleo", "nsid": "5@N0"}, "date": "2019-12-20 04:27:27", "filename": "f"}
    flickr |= {"extension": "jpg", "location": {"latitude": "41.9", "longitude": "12.5"}}
    tweet = {"category": "twitter", "subcategory": "timeline", "author": {"name": "dee", "nick": "Dee"}, "num": 1}
    tweet |= {"user": {"name": "who shared it"}, "date": "2019-12-20 04:27:27", "tweet_id": 9, "extension": "jpg"}
    commons = {"category": "wikimediacommons", "subcategory": "article", "user": "Eve", "timestamp": TIME}
    commons |= {"filename": "Roma", "extension": "jpg"}
    pictures(tmp_path, "f.jpg", "9_1.jpg", "Roma.jpg")
    write(tmp_path / "all.json", [flickr, tweet, commons])
    posts = read_posts(tmp_path)
    assert told(posts) == {"f.jpg": ("cleo", TIME), "9_1.jpg": ("dee", TIME), "Roma.jpg": ("Eve", TIME)}
    assert posts.table.set_index("path").loc["f.jpg", "place"] == "41.900, 12.500"


def test_google_takeout_s_names(tmp_path: Path) -> None:
    long = "Screenshot_2019-12-22-04-27-27-1234567890123"
    files = {
        "IMG_1.jpg": ("IMG_1.jpg.supplemental-metadata.json", 1),
        "IMG_1(1).jpg": ("IMG_1.jpg.supplemental-metadata(1).json", 2),
        "IMG_2(3).jpg": ("IMG_2.jpg(3).json", 3),
        "IMG_4.jpg": ("IMG_4.jpg.json", 4),
        f"{long}.jpg": (f"{long}.j.json", 5),
        "PXL_20191221_042727123.PORTRAIT-01.COVER.jpg": ("PXL_20191221_042727123.PORTRAIT-01.COVER.jpg.s.json", 6),
        "IMG_6.heic": ("IMG_6.heic.supplemental-meta.json", 7),
    }
    folder = tmp_path / "Takeout/Google Photos/Photos from 2019"
    for name, (file, day) in files.items():
        taken = {"timestamp": str(MOMENT + day * DAY), "formatted": "x"}
        geo = {"latitude": 41.9, "longitude": 12.5} if day == 1 else {"latitude": 0.0, "longitude": 0.0}
        write(
            folder / file, {"title": name, "photoTakenTime": taken, "creationTime": {"timestamp": "1"}, "geoData": geo}
        )
        (folder / name).write_bytes(b"x")
    for edited in ("IMG_4-edited.jpg", "IMG_4-bearbeitet.jpg", "alone.jpg"):
        (folder / edited).write_bytes(b"x")
    write(folder / "metadata.json", {"title": "Photos from 2019", "access": "protected", "date": {"timestamp": "1"}})
    posts = read_posts(tmp_path)
    assert posts.source == "takeout"
    found = {path.rsplit("/", 1)[-1]: time for path, (_, time) in told(posts).items()}
    days = {name: day for name, (_, day) in files.items()} | {"IMG_4-edited.jpg": 4, "IMG_4-bearbeitet.jpg": 4}
    assert found == {name: f"2019-12-{20 + day}T04:27:27Z" for name, day in days.items()}
    places = posts.table.set_index("path")["place"].to_dict()
    assert [place for place in places.values() if place] == ["41.900, 12.500"]
    left = {what.rsplit("/", 1)[-1]: why for what, why in posts.left}
    assert left == {"alone.jpg": "pictures of which no record speaks", "metadata.json": "descriptions of albums"}


RECORDS = [{"file": f"p{n}.jpg", "username": "anna", "timestamp": MOMENT + n} for n in range(3)]


@pytest.mark.parametrize(
    "value",
    [
        RECORDS,
        {f"C{n}": record for n, record in enumerate(RECORDS)},
        {"data": {"user": {"posts": {"edges": [{"node": record} for record in RECORDS]}}}},
        [{**record, "file": f"/home/anna/dl/{record['file']}"} for record in RECORDS],
        [{**record, "file": f"C:\\dl\\{record['file']}"} for record in RECORDS],
        [*RECORDS, {"username": "anna", "timestamp": MOMENT, "text": "no picture"}],
        json.dumps(RECORDS)[:-1] + ', {"file": "p3.j',  # breaks off
    ],
)
def test_lists_of_posts(tmp_path: Path, value: Any) -> None:
    pictures(tmp_path, "p0.jpg", "p1.jpg", "p2.jpg")
    write(tmp_path / "posts.json", value)
    write(tmp_path / "places.json", [{"media": "x", "name": "Rome"}])
    posts = read_posts(tmp_path)
    assert told(posts) == {f"p{n}.jpg": ("anna", f"2019-12-20T04:27:{27 + n}Z") for n in range(3)}
    left = dict(posts.left)
    assert left.pop("places.json") == "files that no reader of posts understands"
    assert len(left) == ((value not in (RECORDS,) and len(value) == 4) or isinstance(value, str))


def test_photographs_with_json_that_nobody_understands_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg")
    write(tmp_path / "things.json", {"x": [1, 2]})
    with pytest.raises(DoppelgramError, match=r"things\.json: no reader.*not taken for plain photographs"):
        read_posts(tmp_path)
    assert read_posts(tmp_path, reader="exif").names == ["a.jpg"]
    with pytest.raises(DoppelgramError, match="no reader of posts called 'what'"):
        read_posts(tmp_path, reader="what")
    (tmp_path / "things.json").unlink()
    write(tmp_path / "things.csv", "a,b\n1,2\n")
    with pytest.raises(DoppelgramError, match=r"things\.csv: no reader"):
        read_posts(tmp_path)
    (tmp_path / "things.csv").rename(tmp_path / "keypoints.json")  # this program's own is no matter
    assert read_posts(tmp_path).source == "exif"


def test_a_picture_found_by_two_readers_counts_once(tmp_path: Path) -> None:
    pictures(tmp_path, "300_n.jpg")
    write(tmp_path / "gallery.json", [gallery(0)])
    write(tmp_path / "list.json", [{"file": "300_n.jpg", "username": "Anna.B", "timestamp": MOMENT, "likes": 3}])
    posts = read_posts(tmp_path)
    assert told(posts) == {"300_n.jpg": ("anna.b", TIME)}
    assert posts.table.loc[0, ["place", "likes"]].tolist() == ["rome", "3"]
    assert posts.source == "gallery-dl+records"
