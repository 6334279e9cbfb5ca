"""Data exports of Instagram and Facebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doppelgram.dataset.posts.registry import read_posts
from doppelgram.errors import DoppelgramError
from helpers.post_files import DAY, MOMENT, TIME, pictures, said, times, told, write


def post(name: str, day: int = 0, folder: str = "media/posts/201912", **more: Any) -> dict[str, Any]:
    return {"media": [{"uri": f"{folder}/{name}", "creation_timestamp": MOMENT + day * DAY, "title": ""}], **more}


def account(root: Path, name: str = "anna.b", key: str = "Username") -> Path:
    fields = {"E-Mail": {"value": "x@example.org"}, "Phone": {"value": "+4912345"}, key: {"value": name}}
    fields |= {"Name": {"value": "Anna"}, "Private": {"value": "false"}}
    place = "personal_information/personal_information/personal_information.json"
    write(root / place, {"profile_user": [{"title": "x", "string_map_data": fields}]})
    return root


def export(root: Path, posts: Any, name: str = "posts_1.json", *files: str) -> Path:
    write(root / "your_instagram_activity/media" / name, posts)
    pictures(root, *files)
    return root


NAMES = [f"media/posts/201912/p{n}.jpg" for n in range(2)]
POSTS = [post(f"p{n}.jpg", n) for n in range(2)]


@pytest.mark.parametrize(
    "key",
    [
        "Username",
        "Benutzername",
        "Nom dâ\x80\x99utilisateur",
        "ã\x83¦ã\x83¼ã\x82¶ã\x83¼ã\x83\x8dã\x83¼ã\x83\xa0",
        "Pangngaran ti agar-aramat",
    ],
)
@pytest.mark.parametrize("file", ["posts_1.json", "posts.json"])
def test_the_account_in_any_language(tmp_path: Path, key: str, file: str) -> None:
    posts = read_posts(account(export(tmp_path, POSTS, file, *NAMES), key=key))
    assert posts.source == "export"
    assert told(posts) == {NAMES[0]: ("anna.b", TIME), NAMES[1]: ("anna.b", "2019-12-21T04:27:27Z")}
    assert "account's own" in dict(posts.left)["personal_information/personal_information/personal_information.json"]


def test_stories_archived_posts_and_what_is_left(tmp_path: Path) -> None:
    export(tmp_path, POSTS, "posts_1.json", *NAMES)
    story = post("s.jpg", 2, "media/stories/201912")["media"][0]
    export(tmp_path, {"ig_stories": [story]}, "stories.json", "media/stories/201912/s.jpg")
    archived = {"ig_archived_post_media": [post("a.jpg", 3, "media/archived_posts/201912")]}
    export(tmp_path, archived, "archived_posts.json", "media/archived_posts/201912/a.jpg")
    profile = {"ig_profile_picture": [post("p.jpg", 0, "media/profile/201801")["media"][0]]}
    export(tmp_path, profile, "profile_photos.json", "media/profile/201801/p.jpg", "media/other/o.jpg")
    write(tmp_path / "your_instagram_activity/likes/liked_posts.json", {"likes_media_likes": [{"title": "bo"}]})
    posts = read_posts(account(tmp_path))
    kinds = dict(zip(posts.names, posts.table["kind"], strict=True))
    assert {name.rsplit("/", 1)[-1]: kind for name, kind in kinds.items()} == {
        "p0.jpg": "",
        "p1.jpg": "",
        "s.jpg": "story",
        "a.jpg": "archived",
    }
    left = dict(posts.left)
    for name in ("media/profile/201801/p.jpg", "media/other/o.jpg", "your_instagram_activity/likes/liked_posts.json"):
        assert name in left
    assert "profiles" in left["your_instagram_activity/media/profile_photos.json: ig_profile_picture 1"]


def test_a_post_without_media_and_times_in_newer_fields(tmp_path: Path) -> None:
    newer: list[dict[str, Any]] = [
        {"timestamp": MOMENT, "media": [], "label_values": [{"label": "Caption", "value": "text only"}]},
        {"timestamp": MOMENT, "media": [{"uri": NAMES[0]}], "label_values": [{"label": "Caption", "value": "hi"}]},
        {"media": [{"uri": NAMES[1]}], "label_values": [{"label": "Zeit", "timestamp_value": MOMENT}]},
        {"title": "note only", "creation_timestamp": MOMENT},
    ]
    posts = read_posts(account(export(tmp_path, newer, "posts_1.json", *NAMES)))
    assert times(posts) == [TIME, TIME]
    assert posts.table["caption"].tolist() == ["hi", ""]
    numbers = [what[-1] for what, why in posts.left if why == "posts without a picture or video"]
    assert numbers == ["1", "4"]


def test_a_second_file_that_begins_without_a_picture(tmp_path: Path) -> None:
    export(tmp_path, POSTS[:1], "posts_1.json", *NAMES)
    export(tmp_path, [{"title": "gone", "creation_timestamp": MOMENT}, POSTS[1]], "posts_2.json")
    assert len(read_posts(account(tmp_path))) == 2


def test_parts_of_an_export_and_other_accounts(tmp_path: Path) -> None:
    name = "instagram-anna.b-2024-05-01-XyZ"
    export(account(tmp_path / name), POSTS, "posts_1.json", NAMES[0])
    pictures(tmp_path / f"{name} (2)", NAMES[1])
    posts = read_posts(tmp_path)
    assert posts.names == [f"{name} (2)/{NAMES[1]}", f"{name}/{NAMES[0]}"]
    assert set(posts.authors) == {"anna.b"}
    # A picture of the same name in another account's export is not hers.
    export(account(tmp_path / "instagram-bo-2024-05-01-AbC", "bo"), [POSTS[1]], "posts_1.json", NAMES[1])
    (tmp_path / f"{name} (2)" / NAMES[1]).unlink()
    posts = read_posts(tmp_path)
    assert told(posts)[f"{name}/{NAMES[1]}"][0] == "anna.b"
    assert not (tmp_path / name / NAMES[1]).exists()  # and is reported as missing
    assert told(posts)[f"instagram-bo-2024-05-01-AbC/{NAMES[1]}"][0] == "bo"


def test_two_exports_of_one_account_count_once(tmp_path: Path) -> None:
    export(account(tmp_path / "instagram-anna.b-2023-05-01-AbC"), POSTS[:1], "posts_1.json", NAMES[0])
    export(account(tmp_path / "instagram-anna.b-2024-05-01-XyZ"), POSTS, "posts_1.json", *NAMES)
    posts = read_posts(tmp_path)
    assert times(posts) == [TIME, "2019-12-21T04:27:27Z"]
    assert said(posts, "1 picture was found twice")


def test_the_form_of_2018(tmp_path: Path) -> None:
    photo = {"caption": "x", "taken_at": "2018-05-06T07:08:09", "location": "Rome", "path": "photos/201805/a.jpg"}
    media = {"photos": [photo], "videos": [{"path": "videos/v.mp4", "taken_at": "2018-05-06T07:08:09"}]}
    media |= {"profile": [{"path": "profile/p.jpg", "taken_at": "2018-05-06T07:08:09"}], "direct": []}
    write(pictures(tmp_path, "photos/201805/a.jpg") / "media.json", media)
    write(tmp_path / "profile.json", {"username": "anna.b", "name": "Anna"})
    posts = read_posts(tmp_path)
    assert told(posts) == {"photos/201805/a.jpg": ("anna.b", "2018-05-06T07:08:09Z")}
    whys = " ".join(why for _, why in posts.left)
    assert "videos" in whys
    assert "profiles" in whys


def test_facebook_s_posts_and_albums(tmp_path: Path) -> None:
    media = {"uri": "posts/media/a/1.jpg", "creation_timestamp": MOMENT, "title": "", "description": "Caf\u00c3\u00a9"}
    status = {"timestamp": MOMENT, "attachments": [{"data": [{"media": media}]}], "title": "Anna added a photo."}
    write(tmp_path / "posts/your_posts_1.json", [{"timestamp": MOMENT, "data": [{"post": "hi"}]}, status])
    album = {"name": "Rome", "photos": [{"uri": "posts/media/b/2.jpg", "creation_timestamp": MOMENT + DAY}]}
    write(pictures(tmp_path, "posts/media/a/1.jpg", "posts/media/b/2.jpg") / "posts/album/0.json", album)
    write(tmp_path / "profile_information/profile_information.json", {"profile_v2": {"name": {"full_name": "Anna B."}}})
    message = {
        "participants": [],
        "messages": [{"photos": [{"uri": "messages/photos/m.jpg", "creation_timestamp": 1}]}],
    }
    write(pictures(tmp_path, "messages/photos/m.jpg") / "messages/inbox/x/message_1.json", message)
    posts = read_posts(tmp_path)
    assert {name: time for name, (_, time) in told(posts).items()} == {
        "posts/media/a/1.jpg": TIME,
        "posts/media/b/2.jpg": "2019-12-21T04:27:27Z",
    }
    assert "messages/photos/m.jpg" in dict(posts.left)


def test_an_export_as_html_is_refused(tmp_path: Path) -> None:
    write(pictures(tmp_path, *NAMES) / "your_instagram_activity/media/posts_1.html", "<html></html>")
    with pytest.raises(DoppelgramError, match=r"posts_1\.html: .*with JSON as its format"):
        read_posts(tmp_path)
