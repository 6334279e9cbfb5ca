"""Data exports of Instagram and Facebook, of every layout and language from 2018 on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from doppelgram.dataset.posts.source import Document, Record, Source
from doppelgram.dataset.records.fields import Facts, facts_of, repaired
from doppelgram.dataset.records.json_files import read_json
from doppelgram.errors import DoppelgramError

name = "export"
reads = "a data export of Instagram or Facebook as JSON (its folder, its parts in one folder, or its posts_1.json)"
# Folders that lie between an export's root and its lists of posts, at most.
_DEEPEST = 5
_FOLDER = re.compile(
    r"(?:instagram|facebook)-(?P<name>.+?)-(?:\d{4}-\d\d-\d\d|\d\d_\d\d_\d{4}|\d{8}).*|(?P<old>.+?)_\d{8}(?:_part_\d+)?"
)
_LISTS = re.compile(r"(photos|videos|stories|profile|direct|ig_\w+|other_photos_v2|photos_v2|album\w*|cover_photo)")
_KINDS = {
    "story": re.compile(r"(^|[/_])stor(y|ies)([/_.]|$)"),
    "archived": re.compile(r"archived"),
    "reel": re.compile(r"(^|[/_])reels?([/_.]|$)"),
}
_NO_POSTS = re.compile(r"profile|direct$|direct/|recently_deleted|avatar")
_OWN = frozenset(("profile_user", "profile_account_insights", "profile_v2"))
_PAGE = re.compile(r"(posts?(_\d+)?|your_posts.*|stories|start_here|index)\.html?", re.IGNORECASE)
# What the languages of most users call a user's name, folded; elsewhere it is the first value that may be one.
_USER_KEYS = frozenset(
    [
        "username",
        "benutzername",
        "nutzername",
        "nom d'utilisateur",
        "nom d’utilisateur",
        "nombre de usuario",
        "nome utente",
        "nome de usuário",
        "nome de utilizador",
        "gebruikersnaam",
        "nazwa użytkownika",
        "имя пользователя",
        "kullanıcı adı",
        "ユーザーネーム",
        "用户名",
        "用戶名稱",
        "사용자 이름",
        "användarnamn",
        "brugernavn",
        "brukernavn",
        "käyttäjänimi",
        "uživatelské jméno",
        "felhasználónév",
        "όνομα χρήστη",
        "اسم المستخدم",
        "שם משתמש",
        "tên người dùng",
        "nama pengguna",
        "ชื่อผู้ใช้",
        "nume de utilizator",
        "ім’я користувача",
        "उपयोगकर्ता नाम",
    ]
)
_USER = re.compile(r"(?=.*[a-z])[a-z0-9._]{1,30}")


def records(value: Any, file: Path) -> list[Record] | None:
    """The media of a list of posts, stories or archived posts; pictures of profiles are left aside."""
    if isinstance(value, Mapping) and _OWN & set(value):
        return [Record(str(file), Facts(), why_not="the account's own files, which are no posts")]
    lists = list(_posts_in(value, file))
    if not lists:
        return None
    return [record for kind, posts in lists for record in _records(kind, posts, file)]


def _posts_in(value: Any, file: Path) -> Iterator[tuple[str, list[Any]]]:
    """The lists of posts in a value, each with the name that it has there."""
    if isinstance(value, list):
        if any(isinstance(one, Mapping) and _is_post(one) for one in value[:500]):
            yield "", value
    elif isinstance(value, Mapping):
        for key, found in value.items():
            if isinstance(found, list) and _LISTS.fullmatch(str(key)) and _are_media(found):
                yield str(key), found
        if not isinstance(value.get("messages"), list) and _is_post(value):
            yield "", [value]


def _is_post(one: Mapping[str, Any]) -> bool:
    """Whether an entry has media as posts of exports have, and nobody else's: a list of objects with a 'uri'."""
    media = one.get("media")
    if isinstance(media, list) and any(isinstance(m, Mapping) and "uri" in m for m in media):
        return True
    attachments = one.get("attachments")
    if isinstance(attachments, list):
        return any(True for _ in _media(attachments))
    return "uri" in one and "creation_timestamp" in one and "file" not in one


def _are_media(found: list[Any]) -> bool:
    return any(isinstance(one, Mapping) and ("path" in one or any(True for _ in _media(one))) for one in found)


def _media(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Every object with a 'uri' below a value."""
    if isinstance(value, Mapping):
        if isinstance(value.get("uri"), str):
            yield value
        elif depth == 0 and isinstance(value.get("path"), str):  # the older form: {"photos": [{"path": ...}]}
            yield {**value, "uri": value["path"]}
        else:
            for one in value.values():
                if isinstance(one, list | Mapping):
                    yield from _media(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _media(one, depth + 1)


def _records(list_name: str, posts: list[Any], file: Path) -> Iterator[Record]:
    kind = next((kind for kind, found in _KINDS.items() if found.search(f"{list_name}/{file.name}".lower())), "")
    for number, post in enumerate(posts, start=1):
        where = f"{file}: {list_name + ' ' if list_name else 'post '}{number}"
        media = list(_media(post))
        if _NO_POSTS.search(f"{list_name}/{file.name}".lower()):
            yield Record(where, Facts(), why_not="pictures of profiles and messages, and deleted ones")
            continue
        if not media:
            yield Record(where, Facts(), why_not="posts without a picture or video")
        for at, medium in enumerate(media, start=1):
            yield Record(where, _facts(post, medium, kind, at))


def _facts(post: Mapping[str, Any], medium: Mapping[str, Any], kind: str, number: int) -> Facts:
    plain = [
        facts_of({key: one for key, one in found.items() if key not in ("uri", "path", "media")})
        for found in (medium, post)
    ]
    time, of_time = next(((one.time, one.origins["timestamp"]) for one in plain if one.time), (None, ""))
    if time is None and (found := _labelled_time(post)):
        time, of_time = found, "label_values"
    titles = [one.get(key) for one in (medium, post) for key in ("title", "caption", "description")]
    caption = next((title for title in titles if isinstance(title, str) and title.strip()), "") or _labelled(post)
    place = medium.get("location") if isinstance(medium.get("location"), str) else plain[1].more["place"]
    more = {"place": repaired(place or ""), "caption": repaired(caption), "kind": kind}
    uri = str(medium["uri"])
    origins = ({"timestamp": of_time} if of_time else {}) | ({"place": "location"} if place else {})
    key = uri.replace("\\", "/").rsplit("/", 1)[-1]
    return Facts(time=time, key=key, media=((uri,),), local=True, more=more, origins=origins, number=0)


def _labelled_time(post: Mapping[str, Any]) -> Any:
    """The time in the newer fields: [{"label": ..., "timestamp_value": ...}]."""
    values = post.get("label_values")
    found = [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []
    return next((one["timestamp_value"] for one in found if one.get("timestamp_value")), None)


def _labelled(post: Mapping[str, Any]) -> str:
    values = post.get("label_values")
    found = [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []
    texts = [str(one.get("value") or "") for one in found if str(one.get("label", "")).lower() in ("caption", "title")]
    return next((text for text in texts if text), "")


def finish(source: Source) -> None:
    """Give every record of an export the account that it is of."""
    for document in source.documents:
        if document.dialect is None or document.dialect.name != name:
            continue
        author, origin = account(source.path if source.is_folder else source.folder, document.file)
        document.records = [
            replace(
                record,
                facts=replace(
                    record.facts, author=author, origins=record.facts.origins | ({"author": origin} if author else {})
                ),
            )
            for record in document.records
        ]


def account(top: Path, file: Path) -> tuple[str, str]:
    """The account that an export's file is of, and where its name stands: in the account's own files, or a folder's."""
    folders = [folder for folder in file.parents if folder == top or folder.is_relative_to(top)]
    folders += [folder for folder in file.parents if folder not in folders][: 0 if folders else _DEEPEST]
    for folder in folders:
        for place in ("personal_information/personal_information", "personal_information", "."):
            for own in ("personal_information.json", "profile.json", "profile_information.json"):
                facts = folder / place / own
                if facts.is_file() and (user := _user_name(facts)):
                    return user, own
    for folder in folders:
        if match := _FOLDER.fullmatch(folder.name):
            return match["name"] or match["old"], "the name of the folder"
    # The other parts of an export may lie beside this one, and the account's own files in one of them.
    root = folders[-1] if folders else file.parent
    return (root.resolve().name, "the name of the folder") if folders else ("", "")


def _user_name(file: Path) -> str:
    try:
        facts = read_json(file)
        if isinstance(facts, Mapping) and isinstance(facts.get("username"), str):
            return repaired(facts["username"].strip())
        if isinstance(facts, Mapping) and isinstance(facts.get("profile_v2"), Mapping):
            return repaired(str(facts["profile_v2"]["name"]["full_name"]).strip())
        fields = facts["profile_user"][0]["string_map_data"]
        values = {
            repaired(str(key)).casefold().strip(): repaired(str(one["value"]).strip()) for key, one in fields.items()
        }
    except (DoppelgramError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    named = next((value for key, value in values.items() if key in _USER_KEYS and value), "")
    return named or next(
        (value for value in values.values() if _USER.fullmatch(value) and value not in ("true", "false")), ""
    )


def root_of(document: Document) -> Path:
    """The folder that media paths of a file given by itself start from: the nearest in which one leads to a file."""
    uris = [name for record in document.records[:50] for names in record.facts.media for name in names]
    folder = document.file.parent
    for place in [folder, *folder.parents][: _DEEPEST + 1]:
        if any((place / uri).is_file() for uri in uris):
            return place
    return _usual_root(document.file) or folder


def _usual_root(file: Path) -> Path | None:
    return next((place for place in [*file.parents][:_DEEPEST] if (place / "personal_information").is_dir()), None)


def base(source: Source, document: Document) -> str:
    """Where missing pictures should be: the export's root."""
    root = _usual_root(document.file)
    if root is None or not root.is_relative_to(source.folder) or root == source.folder:
        return "" if root is not None else document.folder
    return root.relative_to(source.folder).as_posix()


def accepts(source: Source, document: Document, image: str, uri: str) -> bool:
    """Whether a picture may be a document's: it lies in the same export, or in another part of it."""
    end = uri.replace("\\", "/").lstrip("./")
    if not image.endswith(end):
        return False
    top = image[: -len(end)].rstrip("/")
    if document.folder == top or document.folder.startswith(f"{top}/" if top else ""):
        return True
    mine = _author(document)
    if match := _FOLDER.fullmatch(top.rsplit("/", 1)[-1]):
        return (match["name"] or match["old"]) == mine
    return all(_author(one) == mine for one in source.documents if one.dialect is document.dialect)


def _author(document: Document) -> str:
    return next((record.facts.author for record in document.records), "")


def note(source: Source, rows: Any) -> list[str]:
    """Whose posts they are."""
    ours = {document.dialect.name for document in source.documents if document.dialect is not None} & {name}
    authors = {row.author for row in rows}
    one = len(authors) == 1 and "" not in authors
    return [f"a data export is of one account: every post is by {authors.pop()!r}"] if ours and one else []


def refuse_page(source: Source) -> None:
    """Refuse an export that was asked for as HTML.

    Raises:
        DoppelgramError: it is one; says what to ask for.
    """
    pages = [file for file in source.listing.others if _PAGE.fullmatch(file.name)]
    if pages:
        raise DoppelgramError(
            f"{pages[0]}: this data export is of HTML pages, which do not say who posted a picture when in a form that "
            "can be read; ask for the export again, with JSON as its format"
        )
