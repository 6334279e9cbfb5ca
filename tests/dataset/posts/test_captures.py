"""Captures of pages: Zeeschuimer, 4CAT, Apify, CrowdTangle."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from doppelgram.dataset.collection import Collection
from doppelgram.dataset.posts.registry import read_posts
from doppelgram.errors import DoppelgramError
from helpers.post_files import DAY, MOMENT, TIME, pictures, said, times, told, write

CDN = "https://cdn.example.org/v/t51/{}?stp=dst&x=1"


def item(data: dict[str, Any], platform: str = "instagram.com") -> dict[str, Any]:
    envelope = {"timestamp_collected": 1600000000000, "source_platform": platform, "item_id": "i", "nav_index": "1:1"}
    return {**envelope, "data": data}


def listed(code: str, *names: str, **more: Any) -> dict[str, Any]:
    """An item of a list, of one picture or several."""
    media = [{"image_versions2": {"candidates": [{"url": CDN.format(name)}]}} for name in names]
    user = {"username": "anna.b", "id": "77"}
    data = {"code": code, "id": f"{code}_77", "taken_at": MOMENT, "user": user, "caption": {"text": "hi"}}
    data |= media[0] if len(media) == 1 else {"carousel_media": media}
    return item({**data, **more})


def test_zeeschuimer_s_three_kinds_of_items(tmp_path: Path) -> None:
    place = {"name": "Rome", "lat": 41.9, "lng": 12.5}
    graph = {"shortcode": "Cg", "taken_at_timestamp": MOMENT + DAY, "owner": {"id": "77"}, "__typename": "GraphImage"}
    graph |= {"display_url": CDN.format("4_n.webp"), "edge_media_to_caption": {"edges": [{"node": {"text": "yes"}}]}}
    children = [{"node": {"display_url": CDN.format(f"{n}_n.jpg")}} for n in (5, 6)]
    sidecar = {**graph, "shortcode": "Cs", "edge_sidecar_to_children": {"edges": children}}
    polaris = {"__typename": "XIGPolarisImageMedia", "code": "CpPolaris", "user": {"username": "@Anna.B"}}
    items = [
        listed("C1", "1_n.jpg", location=place, like_count=3),
        listed("C2", "2_n.jpg", "3_n.jpg", location={"lat": 1.23456, "lng": 2}),
        item(graph),
        item(sidecar),
        item(polaris),
        listed("Cad", "7_n.jpg", product_type="ad"),
        item({"code": "Cpartial", "_zs_partial": True, "user": {"username": "bo"}}),
        item({"aweme": 1}, "pinterest.com"),
    ]
    names = [f"{n}_n.jpg" for n in (1, 2, 3, 4, 5, 6, 7, 8)]
    pictures(tmp_path, *names, "2019 CpPolaris.jpg")
    for name in ("capture.ndjson", "capture.jsonl"):
        file = write(tmp_path / name, items)
        posts = read_posts(tmp_path)
        assert posts.source == "zeeschuimer"
        later = "2019-12-21T04:27:27Z"
        expected = {f"{n}_n.jpg": ("anna.b", TIME if n < 4 else later) for n in range(1, 7)}
        assert told(posts) == {**expected, "2019 CpPolaris.jpg": ("anna.b", "")}
        rows = posts.table.set_index("path")
        assert rows.loc["1_n.jpg", ["place", "likes", "caption"]].tolist() == ["Rome", "3", "hi"]
        assert rows.loc["2_n.jpg", "place"] == "1.235, 2.000"
        assert said(posts, "neither time nor place (Polaris)")
        left = dict(posts.left)
        for why, number in (("advertisements", 6), ("partial", 7), ("pinterest.com", 8)):
            assert why in left[f"{name}: item {number}"]
        assert {"7_n.jpg", "8_n.jpg"} <= set(left)
        assert read_posts(file).names == posts.names
        file.unlink()


def test_a_capture_with_a_broken_line_and_one_without_its_picture(tmp_path: Path) -> None:
    pictures(tmp_path, "1_n.jpg", "2_n.jpg")
    file = write(
        tmp_path / "capture.ndjson", [listed("C1", "1_n.jpg"), listed("C2", "2_n.jpg"), listed("C3", "3_n.jpg")]
    )
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1][:50], *lines[1:], ""]))
    posts = read_posts(tmp_path)
    assert posts.names == ["1_n.jpg", "2_n.jpg"]
    assert [what for what, _ in posts.left] == ["capture.ndjson: line 2 is not JSON", "capture.ndjson: item 3"]


def test_platforms_whose_fields_are_named_alike(tmp_path: Path) -> None:
    tiktok = {"author": {"uniqueId": "cleo", "id": "5"}, "createTime": MOMENT, "video": {"cover": CDN.format("t.jpeg")}}
    tweet = {
        "core": {"user_results": {"result": {"legacy": {"screen_name": "dee"}}}},
        "legacy": {
            "created_at": "Fri Dec 20 04:27:27 +0000 2019",
            "extended_entities": {"media": [{"media_url_https": CDN.format("x.jpg")}]},
        },
    }
    pin = {"pinner": {"username": "eve"}, "created_at": "Fri, 20 Dec 2019 04:27:27 +0000"}
    pin |= {"images": {"orig": {"url": CDN.format("p.jpg")}}}
    write(pictures(tmp_path, "t.jpg", "x.jpg", "p.jpg") / "c.ndjson", [item(one, "x") for one in (tiktok, tweet, pin)])
    assert told(read_posts(tmp_path)) == {"t.jpg": ("cleo", TIME), "x.jpg": ("dee", TIME), "p.jpg": ("eve", TIME)}


HEADER = "id,thread_id,timestamp,body,author,image_urls,num_likes,location_name,location_latlong,unix_timestamp"


def fourcat(separator: str = ",") -> str:
    """The table: Cx2 shows the picture of Cx1, Cx3 has two, Cx4's was not fetched."""
    rows = [
        f"Cx{n},Cx{n},2019-12-20 01:00:00,hi,user{n},{CDN.format(f'{n}_n.jpg')},{n},{place},{at},{MOMENT + n * DAY}"
        for n, place, at in ((1, "Rome", ""), (2, "", '"41.89,12.49"'), (3, "", ""), (4, "", ""))
    ]
    return "\n".join([HEADER, *rows]).replace(",", separator).replace(f'"41.89{separator}12.49"', '"41.89,12.49"')


def capture(folder: Path) -> Path:
    def entry(name: str, ids: list[str], success: bool = True) -> dict[str, Any]:
        return {"filename": name, "success": success, "from_dataset": "ab", "post_ids": ids}

    entries = {
        CDN.format("1_n.jpg"): entry("first.jpg", ["Cx1", "Cx2"]),
        CDN.format("3_n.jpg"): entry("3_n.jpg", ["Cx3"]),
        CDN.format("3b_n.jpg"): entry("3b_n.jpg", ["Cx3"]),
        CDN.format("4_n.jpg"): entry("", ["Cx4"], success=False),
    }
    write(pictures(folder, "first.jpg", "3_n.jpg", "3b_n.jpg") / ".metadata.json", entries)
    return folder


def times_of(day: int) -> str:
    return f"2019-12-{20 + day}T04:27:27Z"


@pytest.mark.parametrize("kind", ["beside", "below", "zip", "semicolon"])
def test_4cat_s_table_with_its_pictures(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "data"
    capture(data / "images" if kind in ("below", "semicolon") else data)
    write(data / "instagram-search.csv", fourcat(";" if kind == "semicolon" else ","))
    if kind == "zip":
        with zipfile.ZipFile(data / "pictures.zip", "w") as packed:
            for file in (data / ".metadata.json", *data.glob("*.jpg")):
                packed.write(file, file.name)
                file.unlink()
    posts = read_posts(data)
    assert posts.source == "4cat"
    rows = {(path.rsplit("/", 1)[-1], author): time for path, (author, time) in told(posts).items()}
    assert rows == {
        ("first.jpg", "user1"): times_of(1),
        ("first.jpg", "user2"): times_of(2),
        ("3_n.jpg", "user3"): times_of(3),
        ("3b_n.jpg", "user3"): times_of(3),
    }
    assert all(path.is_file() for path in posts.paths)
    assert len(set(posts.names)) == 4
    if kind == "zip":  # pictures are called by their names in the archive, not by where it was unpacked
        assert {Path(name).as_posix() for name in posts.names} == {
            f"pictures.zip/{name}.jpg" for name in ("first", "3_n", "3b_n")
        }
        assert str(tmp_path) not in " ".join([*posts.names, *posts.notes, *(where for where, _ in posts.left)])
        again = Collection(posts.root, posts.table)  # as a table of images may name them, too
        assert again.paths == posts.paths
    by_author = posts.table.set_index("author")["place"].to_dict()
    assert (by_author["user1"], by_author["user2"]) == ("Rome", "41.890, 12.490")
    assert dict(posts.left)["instagram-search.csv: row 5"] == "posts whose picture 4CAT could not fetch"
    assert said(posts, "1 post shows a picture of another post too")


def test_4cat_s_table_without_a_list_goes_by_address(tmp_path: Path) -> None:
    write(pictures(tmp_path, "1_n.jpg", "Cx3.jpg") / "posts.csv", fourcat())
    posts = read_posts(tmp_path)
    assert told(posts) == {"1_n.jpg": ("user1", times_of(1)), "Cx3.jpg": ("user3", times_of(3))}
    assert len(posts.left) == 2


def test_4cat_s_pictures_alone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DoppelgramError, match=r"\.metadata\.json.*put the dataset's CSV"):
        read_posts(capture(tmp_path))


def test_a_capture_as_a_zip_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOPPELGRAM_CACHE", str(tmp_path / "cache"))
    capture(tmp_path / "data")
    write(tmp_path / "data/posts.csv", fourcat())
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for file in (tmp_path / "data").iterdir():
            packed.write(file, f"in/{file.name}")
        packed.writestr("../outside.jpg", b"no")
    posts = read_posts(tmp_path / "all.zip")
    assert len(posts) == 4
    assert all(path.is_file() for path in posts.paths)
    assert not list(tmp_path.rglob("outside.jpg"))
    (tmp_path / "bad.zip").write_bytes(b"PK no")
    with pytest.raises(DoppelgramError, match=r"bad\.zip: cannot be unpacked"):
        read_posts(tmp_path / "bad.zip")


@pytest.mark.parametrize("with_path", [True, False])
def test_apify_s_items(tmp_path: Path, with_path: bool) -> None:
    base = {"type": "Image", "caption": "hi", "likesCount": 4, "locationName": "Rome", "ownerUsername": "anna.b"}
    base |= {"ownerId": "77", "timestamp": "2019-12-20T04:27:27.000Z", "latestComments": [{"ownerUsername": "bo"}]}
    one = {**base, "id": "1", "shortCode": "Cx1", "displayUrl": CDN.format("1_n.jpg"), "images": []}
    one |= {"path": "1_n.jpg"} if with_path else {}
    children = [{"displayUrl": CDN.format(f"{n}_n.jpg"), "shortCode": f"Cc{n}"} for n in (2, 3)]
    several = {**base, "id": "2", "shortCode": "Cx2", "displayUrl": CDN.format("2_n.jpg"), "childPosts": children}
    hidden = {**base, "id": "3", "shortCode": "Cx3", "displayUrl": CDN.format("4_n.jpg"), "likesCount": -1}
    error = {"url": "https://x.example.org", "error": "not_found", "errorDescription": "Post does not exist"}
    write(pictures(tmp_path, *[f"{n}_n.jpg" for n in (1, 2, 3, 4)]) / "dataset.json", [one, several, hidden, error])
    posts = read_posts(tmp_path)
    assert posts.source == "apify"
    assert told(posts) == {f"{n}_n.jpg": ("anna.b", TIME) for n in (1, 2, 3, 4)}
    assert set(posts.table["place"]) == {"Rome"}
    assert posts.table["likes"].tolist() == ["4", "4", "4", ""]
    assert "Post does not exist" in dict(posts.left)["dataset.json: item 4"]


def test_a_scraper_s_table_of_addresses(tmp_path: Path) -> None:
    text = f"username,image,posted\nann,{CDN.format('1_n.jpg')},{TIME}\nbo,{CDN.format('2_n.jpg')},{TIME}\n"
    file = write(pictures(tmp_path, "img/1_n.jpg", "img/2_n.webp") / "posts.csv", text)
    for data in (tmp_path, file):
        assert told(read_posts(data)) == {"img/1_n.jpg": ("ann", TIME), "img/2_n.webp": ("bo", TIME)}


def test_crowdtangle_s_table(tmp_path: Path) -> None:
    rows = "Account,User Name,Created,Likes,URL,Photo,Description\n"
    rows += f"Anna B.,anna.b,2019-12-19 23:27:27 EST,1,https://www.example.org/p/Cx1abc/,{CDN.format('1_n.jpg')},hi\n"
    rows += "Anna B.,anna.b,2019-07-01 12:00:00 EDT,1,https://www.example.org/p/Cx2abc/,,hi\n"
    rows += "Bo,bo,2019-07-01 12:00:00 EDT,1,https://www.example.org/p/Cx3abc/,,hi\n"
    write(pictures(tmp_path, "1_n.jpg", "Cx2abc.jpg") / "report.csv", rows)
    posts = read_posts(tmp_path)
    assert posts.source == "crowdtangle"
    assert told(posts) == {"1_n.jpg": ("anna.b", TIME), "Cx2abc.jpg": ("anna.b", "2019-07-01T16:00:00Z")}
    assert [what for what, _ in posts.left] == ["report.csv: row 4"]
    assert times(read_posts(tmp_path / "report.csv")) == times(posts)
