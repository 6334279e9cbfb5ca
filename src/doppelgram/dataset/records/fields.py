"""What the fields of a post's record mean, whatever program wrote it and however it calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from doppelgram.dataset.columns import is_empty
from doppelgram.dataset.records.field_names import (
    CAPTIONS,
    CHILDREN,
    COORDINATES,
    DEEPER,
    FILES,
    IDS,
    KEYS,
    LIKES,
    NAMES,
    OWNER_FIRST,
    PICTURES,
    PLACES,
    TIMES,
    URLS,
)

_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PLAIN = re.compile(r"[\s/-]+")
_URL_NAME = re.compile(r"[a-z][a-z0-9+.-]*://[^?#]*?/?([^/?#]+)/?(?:[?#].*)?$", re.IGNORECASE)
_PICTURE_NAME = re.compile(r"\.(jpe?g|jfif|png|webp|gif|heic|heif|avif|bmp|tiff?)$", re.IGNORECASE)
_LATLONG = re.compile(r"\s*\(?\s*(-?\d+(?:\.\d+)?)\s*[,; ]\s*(-?\d+(?:\.\d+)?)\s*\)?\s*")


class Found(NamedTuple):
    """A value and the name of the field that it was found in."""

    value: Any = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a record says of a post; text is empty where it says nothing.

    Attributes:
        author: name of who posted it.
        author_id: the same person's number.
        time: as it is spelled, or None.
        key: id of the post, or empty.
        number: of the picture in the post, from 1; 0 where that is not said.
        media: of each picture the names that it may have: paths, or last parts of addresses.
        local: whether these are paths of files, not addresses.
        more: place, likes, caption and kind.
        origins: name of the field that author, timestamp and the others came from.
    """

    author: str = ""
    author_id: str = ""
    time: Any = None
    key: str = ""
    number: int = 0
    media: tuple[tuple[str, ...], ...] = ()
    local: bool = False
    more: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def is_post(self) -> bool:
        """Whether it says who posted something, or when."""
        return bool(self.author or self.author_id or self.time is not None)


def facts_of(record: Mapping[str, Any]) -> Facts:
    """Read a record."""
    layers = [_folded(record)]
    layers += [_folded(layers[0][name]) for name in DEEPER if isinstance(layers[0].get(name), Mapping)]
    flickr = str(layers[0].get("category", "")) == "flickr"
    author = _first(layers, OWNER_FIRST if flickr else NAMES, _name)
    number = _first(layers, IDS, _id)
    time = _time(layers)
    place = _first(layers, PLACES, _text)
    place = place if place.value else _coordinates(layers)
    likes, caption = _first(layers, LIKES, _number), _first(layers, CAPTIONS, _text)
    key = _first(layers, KEYS, _key)
    local: list[tuple[str, ...]] = [(name,) for name in _paths(layers[0])]
    media = local or next((names for layer in layers if (names := list(_media(layer)))), [])
    found = {"author": author if author.value else number, "timestamp": time, "place": place, "likes": likes}
    found |= {"caption": caption, "pictures": Found(1, "the names of files" if local else "the addresses of pictures")}
    position = layers[0].get("num")
    return Facts(
        author.value or "",
        number.value or "",
        time.value,
        key.value or "",
        position if isinstance(position, int) and not isinstance(position, bool) else 0,
        tuple(media),
        bool(local),
        {"place": place.value or "", "likes": likes.value or "", "caption": caption.value or ""},
        {name: one.key for name, one in found.items() if one.value and (name != "pictures" or media)},
    )


def repaired(text: str) -> str:
    """Text whose UTF-8 was taken for Latin-1, as Meta's exports write it, put right; other text as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


def unwrapped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record itself, where it stands in a ``node``."""
    node = value.get("node")
    return node if isinstance(node, Mapping) else value


def name_in_url(address: str) -> str:
    """The last part of an address without what follows a question mark; other text as it is."""
    match = _URL_NAME.fullmatch(address.strip())
    return match[1] if match else address.strip()


def look(record: Mapping[str, Any], path: str) -> Any:
    """The value at a path of folded names such as ``user.username``; None where there is none."""
    head, _, rest = path.partition(".")
    found = record.get(head)
    if found is None or not rest:
        return found
    for name in rest.split("."):
        if not isinstance(found, Mapping):
            return None
        found = _folded(found).get(name)
    return found


@lru_cache(4096)
def fold(name: str) -> str:
    """``ownerUsername``, ``Owner Username`` and ``owner-username`` are ``owner_username``."""
    return _PLAIN.sub("_", _CAMEL.sub("_", name.strip())).casefold()


def _folded(record: Mapping[str, Any]) -> dict[str, Any]:
    return {fold(str(name)): value for name, value in reversed(list(record.items()))}


def _first(layers: list[dict[str, Any]], paths: list[str], read: Any) -> Found:
    for layer in layers:
        for path in paths:
            value = look(layer, path)
            if value is not None and (text := read(value)):
                return Found(text, path)
    return Found()


def _name(value: Any) -> str:
    if isinstance(value, Mapping | bool) or not isinstance(value, str | int):
        return ""
    text = repaired(str(value).strip())
    return "" if is_empty(text) or (text.isdigit() and not isinstance(value, str)) else text


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return "" if is_empty(text) else text


def _key(value: Any) -> str:
    return _id(value).split("_", 1)[0] if isinstance(value, str) and re.fullmatch(r"\d+_\d+", value) else _id(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        edges = value.get("edges")
        if isinstance(edges, list):  # of a caption: {"edges": [{"node": {"text": ...}}]}
            value = next((edge["node"] for edge in edges if isinstance(edge, Mapping) and "node" in edge), {})
            value = value if isinstance(value, Mapping) else {}
        value = value.get("name") or value.get("text") or value.get("title") or value.get("_content") or ""
    text = repaired(value.strip()) if isinstance(value, str) else ""
    return "" if is_empty(text) else text


def _number(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("count")
    if isinstance(value, str) and re.fullmatch(r"\d+(\.0)?", value.strip()):
        value = int(float(value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else ""


def _time(layers: list[dict[str, Any]]) -> Found:
    """The time; gallery-dl, which marks its records with a category, writes UTC without saying so."""

    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            value = value.get("timestamp")
        return None if value is None or isinstance(value, bool | list) or str(value).strip() == "" else value

    found = _first(layers, TIMES, read)
    utc = found.key == "date_utc" or ("category" in layers[0] and "subcategory" in layers[0])
    if utc and isinstance(found.value, str) and _NAIVE.fullmatch(found.value):
        return Found(f"{found.value}Z", found.key)
    return found


def _coordinates(layers: list[dict[str, Any]]) -> Found:
    """North and east in degrees to a thousandth, which is a hundred metres; 0, 0 is no place."""
    for layer in layers:
        for north, east in COORDINATES:
            pair = look(layer, north), look(layer, east)
            if text := _latlong(f"{pair[0]},{pair[1]}"):
                return Found(text, f"{north}, {east}")
        for path in ("location_latlong", "latlong", "location.latlong", "geo", "coordinates"):
            if isinstance(value := look(layer, path), str) and (text := _latlong(value)):
                return Found(text, path)
    return Found()


def _latlong(text: str) -> str:
    match = _LATLONG.fullmatch(text)
    if not match:
        return ""
    north, east = float(match[1]), float(match[2])
    return f"{north:.3f}, {east:.3f}" if (north or east) and abs(north) <= 90 and abs(east) <= 180 else ""


def _paths(record: Mapping[str, Any]) -> list[str]:
    """Paths of its pictures, as the record spells them."""
    for key in FILES:
        if paths := [path for path in _strings(record.get(key)) if "://" not in path]:
            ending = record.get("extension")
            return [f"{path}.{ending}" if isinstance(ending, str) and not _ends(path) else path for path in paths]
    named = (path for key in PICTURES for path in _strings(record.get(key)))
    return next(([path] for path in named if "://" not in path and _PICTURE_NAME.search(path)), [])


def _ends(path: str) -> bool:
    return "." in re.split(r"[/\\]", path)[-1][1:]


def _strings(found: Any) -> Iterator[str]:
    if isinstance(found, str) and found.strip():
        yield found.strip()
    elif isinstance(found, Mapping):
        yield from _paths(_folded(found))
    elif isinstance(found, list):
        for one in found:
            yield from _strings(one)


def _media(record: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Of each picture the last parts of the addresses that lead to it."""
    for path in CHILDREN:
        children = look(record, path)
        if isinstance(children, list) and children:
            for child in children:
                if isinstance(child, Mapping) and (names := _addresses(_folded(unwrapped(child)))):
                    yield tuple(dict.fromkeys(names))
            return
    images = look(record, "images")
    images = [images] if isinstance(images, Mapping) else images
    if isinstance(images, list) and len(images) > 1:
        yield from (tuple(dict.fromkeys(names)) for one in images if (names := list(_urls(one))))
        return
    urls = look(record, "image_urls") or look(record, "media_urls")
    urls = re.split(r"[,\s]+(?=https?://)", urls) if isinstance(urls, str) else urls
    if isinstance(urls, list) and len(urls) > 1:
        yield from ((name,) for one in urls for name in _urls(one))
    elif names := _addresses(record):
        yield tuple(dict.fromkeys(names))


def _addresses(record: Mapping[str, Any]) -> list[str]:
    names = [name for path in URLS if path != "url" for name in _urls(look(record, path))]
    own = look(record, "url")  # of the post's page, where it is not of a picture
    return names + [name for name in _urls(own) if _PICTURE_NAME.search(name)]


def _urls(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        if "://" in found:
            yield name_in_url(found)
    elif isinstance(found, list):
        for one in found:
            yield from _urls(one)
    elif isinstance(found, Mapping):
        for one in found.values():
            if isinstance(one, str | list | Mapping):
                yield from _urls(one)
