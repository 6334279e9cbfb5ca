"""How photographs of any shape are searched with MoveNet, which knows one person in a square."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from doppelgram.pose.estimators.estimator import distinct
from doppelgram.pose.estimators.regions import regions
from doppelgram.pose.people import PASSER_BY, People, boxes, prominence
from doppelgram.pose.skeleton import Keypoints
from doppelgram.pose.squares import Square, letterbox

# The network gives every joint a place, also of people who are not there: below this mean confidence there is nobody.
FOUND = 0.25
# The same for two looks by Thunder, of a hundred people of whom 3 are less sure (5 at 0.25); before places without
# people it sees somebody in 52 of a hundred photographs all the same (42 at 0.25).
FOUND_CLOSE = 0.2
# Two skeletons that agree more than this are of one person; before anybody was looked at closely they must agree more,
# since two half-wrong ones are worth two looks.
SAME, _SAME_AT_FIRST = 0.4, 0.7
# Side of the square round a person, as a multiple of the longer side of the box round the sure joints.
_ROOM = 1.3
# How many people are looked at closely, and how many where it is done thoroughly.
_MOST, _MOST_THOROUGHLY = 2, 4
# Whoever is seen in the whole photograph this surely and this large (diagonal as a share of the photograph's) is whom
# it is about, and no tile is searched.
_OBVIOUS, _LARGE = 0.4, 0.3
# Side of the middle tile as a share of the photograph's longer side.
_MIDDLE = 0.62


class Look(Protocol):
    """One run of the network."""

    def __call__(
        self, image: Image.Image, square: Square, *, mirrored: bool = False, without: Keypoints | None = None
    ) -> Keypoints:
        """The one person in a square, (18, 3), other than somebody who is painted over."""
        ...


def search_plain(look: Look, image: Image.Image) -> People:
    """The whole photograph first, letterboxed, then whoever was seen more closely: about five looks.

    Where somebody is plain to see, that person is painted over and the rest looked at again; elsewhere overlapping
    tiles are searched. Of those who were seen, the two most prominent, passers-by aside, are looked at in a square
    round each of them, as MoveNet itself does from one frame of a film to the next, and the most prominent one once
    more, mirrored; answers are averaged by confidence. Passers-by stay as they were seen.
    """
    candidates, plain = _candidates(look, image)
    first = _distinct(candidates[_score(candidates) >= FOUND / 2], image.size, _SAME_AT_FIRST)
    weights = [_weight(seen, image.size) for seen in first]
    close = sum(weight >= PASSER_BY * weights[0] for weight in weights[:_MOST])
    # Whoever is plain to see was as good as looked at closely.
    found = first[:close] if plain else [look(image, around(seen)) for seen in first[:close]]
    if found:
        main = int(np.argmax([_weight(seen, image.size) for seen in found]))
        found[main] = merged([found[main], look(image, around(found[main]), mirrored=True)])
    found = [keypoints for keypoints in [*found, *first[close:]] if _score(keypoints) >= FOUND]
    if not found:
        return People.nobody(*image.size)
    kept = np.stack(_distinct(np.stack(found), image.size))
    return People(kept, _score(kept), *image.size)


def _candidates(look: Look, image: Image.Image) -> tuple[NDArray[np.float32], bool]:
    """Everybody who is seen at first, (p, 18, 3), some several times; and whether somebody is plain to see."""
    whole, *tiles = regions(*image.size)
    first = look(image, whole)
    left, top, right, bottom = boxes(first[None])[0]
    large = np.hypot(right - left, bottom - top) >= _LARGE * np.hypot(*image.size)
    if large and _score(first) >= _OBVIOUS:
        return np.stack([first, look(image, whole, without=first)]), True
    return np.stack([first, *(look(image, tile) for tile in tiles)]), False


def search_thoroughly(look: Look, image: Image.Image) -> People:
    """The whole photograph, all tiles and its middle: for learning poses, where every wrong joint costs.

    Up to four of those who were seen are looked at in a square round each of them, and once more mirrored, whether or
    not they were plain to see; the three answers are averaged by confidence. That takes two to four times as long as
    `search_plain`.
    """
    middle = Square(image.width / 2, image.height / 2, _MIDDLE * max(image.size))
    seen = np.stack([look(image, region) for region in (*regions(*image.size), middle)])
    found: list[Keypoints] = []
    for first in _distinct(seen[_score(seen) >= FOUND / 2], image.size, SAME)[:_MOST_THOROUGHLY]:
        closer = look(image, around(first))
        better = closer if _score(closer) >= _score(first) else first
        again = look(image, around(better), mirrored=True)
        found.append(merged([each for each in (first, closer, again) if _score(each) >= FOUND / 2]))
    kept: list[Any] = [keypoints for keypoints in found if _score(keypoints) >= FOUND]
    if not kept:
        return People.nobody(*image.size)
    people = np.stack(_distinct(np.stack(kept), image.size, SAME))
    return People(people, _score(people), *image.size)


def search_in_two_looks(look: Look, image: Image.Image) -> People:
    """The whole photograph, letterboxed, then the square round whom was seen there; the surer look counts.

    One person at most. A third look, mirrored, and averages of looks brought nothing more for a good network.
    """
    person = look(image, letterbox(*image.size))
    if _score(person) >= FOUND_CLOSE / 2:
        person = max(person, look(image, around(person)), key=_score)
    if _score(person) < FOUND_CLOSE:
        return People.nobody(*image.size)
    return People(person[None], _score(person)[None], *image.size)


# By the estimator's name, with a number that counts what changed its answers.
SEARCHES: Mapping[str, tuple[Callable[[Look, Image.Image], People], int]] = {
    "movenet": (search_plain, 4),
    "movenet-thorough": (search_thoroughly, 2),
    "movenet-thunder": (search_in_two_looks, 1),
}


def around(keypoints: Keypoints) -> Square:
    """The square round one person (18, 3), with room to err."""
    left, top, right, bottom = boxes(keypoints[None])[0]
    return Square((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top, 16.0) * _ROOM)


def merged(looks: Sequence[Keypoints]) -> Keypoints:
    """Several looks (18, 3) at one person as one: places weighted by squared confidence, confidences by their mean."""
    stack = np.stack(looks).astype(np.float64)
    weight = stack[..., 2:] ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        places = (np.nan_to_num(stack[..., :2]) * weight).sum(0) / weight.sum(0)
    return np.concatenate([places, stack[..., 2:].mean(0)], axis=1).astype(np.float32)


def _score(keypoints: NDArray[Any]) -> NDArray[np.float32]:
    """Mean confidence of the joints (..., 18, 3), (...)."""
    return np.asarray(keypoints[..., 2].mean(-1), dtype=np.float32)


def _weight(person: Keypoints, size: tuple[int, int]) -> float:
    """Prominence times confidence once more: of people who may not be there, the sure ones count."""
    return float(prominence(person[None], *size)[0] * _score(person))


def _distinct(keypoints: NDArray[np.float32], size: tuple[int, int], same: float = SAME) -> list[Keypoints]:
    """Of those (p, 18, 3) that agree the most prominent and surest one, in that order."""
    return distinct(keypoints, prominence(keypoints, *size) * _score(keypoints), same)
