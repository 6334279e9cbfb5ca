"""The copying process: who posts what, where and when, and which earlier post each one repeats.

Each arrangement (a pose before a place) starts with an invention. A later post repeats an earlier one, chosen with
probability proportional to influence times an exponential decay with age, or is an invention of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from doppelgram.samples.canvas import Floats, stream
from doppelgram.samples.skeleton import POSES, Pose, jitter, mirrored

START = datetime(2019, 1, 1, tzinfo=UTC)
SPAN_DAYS = 1095.0
DECAY_DAYS = 150.0
INVENTIONS = 0.08
BARE_PER_PLACE = 6
OWN_WEIGHT = 0.05  # people seldom repeat a post of their own: the weight of one against that of anybody else's


@dataclass(frozen=True)
class Framing:
    """Where the person stands, as shares of the picture's side, the camera's roll, and whether it is mirrored."""

    x: float
    foot: float
    height: float
    roll: float
    mirror: bool


@dataclass(frozen=True)
class Post:
    """One post. ``pose`` is None for a bare place; ``parent`` is the index of the post that it repeats, or None."""

    number: int
    place: int
    pose: str | None
    author: str
    person: int | None
    view: int
    time: datetime
    parent: int | None
    body: Pose | None
    framing: Framing


@dataclass(frozen=True)
class _Circle:
    """People who travel together: they photograph a place from the same spot (a view of it, by place)."""

    people: list[int]
    views: dict[int, int]


@dataclass
class _Planning:
    """The posts planned so far, and what the next ones are made from.

    Attributes:
        names: of all authors.
        numbers: file numbers that are still free, in random order.
        rng: of the process.
        posts: planned so far.
        clock: seconds at which somebody has posted.
    """

    names: list[str]
    numbers: Iterator[int]
    rng: np.random.Generator
    posts: list[Post] = field(default_factory=list)
    clock: set[int] = field(default_factory=set)


def plan(posts: int, places: int, poses: list[str], seed: int) -> list[Post]:
    """All posts and bare places of a world, in no meaningful order; parents refer to positions in the list."""
    rng = stream(seed, "process")
    popularity = rng.permutation(1.0 / (1 + np.arange(places)) ** 0.7)
    circles, names = _circles(posts, places, popularity, rng)
    numbers = iter(rng.permutation(posts + places * BARE_PER_PLACE).tolist())
    state = _Planning(names, numbers, rng)
    share = popularity[:, None] * rng.lognormal(0, 0.45, (places, len(poses)))
    for (place, pose), count in _counts(posts, share, rng).items():
        here = [c for c in circles if place in c.views]
        state.posts += _arrangement(state, place, poses[pose], count, here)
    for place in range(places):
        here = [c for c in circles if place in c.views]
        for _ in range(BARE_PER_PLACE):
            circle = here[int(rng.integers(len(here)))]
            author = circle.people[int(rng.integers(len(circle.people)))]
            time = _moment(float(rng.uniform(0, SPAN_DAYS)), state.clock)
            framing = Framing(0.5, 1.0, 0.55, float(rng.normal(0, 1.2)), bool(rng.random() < 0.12))
            number, view = next(state.numbers), circle.views[place]
            state.posts.append(Post(number, place, None, names[author], None, view, time, None, None, framing))
    return state.posts


def _circles(posts: int, places: int, popularity: Floats, rng: np.random.Generator) -> tuple[list[_Circle], list[str]]:
    # Person and photograph are leak groups. Closed circles keep the groups that they join small, so that a split
    # which separates both remains possible.
    count = max(4, places, round(posts / 12))
    size = 4
    names = [f"user{k:06d}" for k in rng.choice(1_000_000, count * size, replace=False)]
    used = [0] * places
    circles = []
    for k in range(count):
        wanted = min(places, 3 + int(rng.integers(2)))
        odds = popularity / popularity.sum()
        trip = list(dict.fromkeys([k % places, *rng.choice(places, places, replace=False, p=odds).tolist()]))[:wanted]
        views = {}
        for place in trip:
            views[place] = used[place]
            used[place] += 1
        circles.append(_Circle(list(range(k * size, (k + 1) * size)), views))
    return circles, names


def _counts(posts: int, share: Floats, rng: np.random.Generator) -> dict[tuple[int, int], int]:
    """How many posts each arrangement gets: two each as far as they go round, the rest by popularity."""
    flat = (share / share.sum()).ravel()
    least = min(2, posts // flat.size)
    extra = rng.multinomial(posts - least * flat.size, flat)
    width = share.shape[1]
    return {(k // width, k % width): least + int(n) for k, n in enumerate(extra) if least + int(n)}


def _arrangement(state: _Planning, place: int, pose: str, count: int, circles: list[_Circle]) -> list[Post]:
    """The posts of one arrangement in order of time; parents are positions among all posts planned so far."""
    rng, offset = state.rng, len(state.posts)
    start = float(rng.uniform(0, 0.45)) * SPAN_DAYS
    days = np.sort(start + (SPAN_DAYS - start) * np.append(0.0, rng.beta(1.0, 1.7, count - 1)))
    fame = rng.lognormal(0, 0.9, count)
    posts: list[Post] = []
    for k in range(count):
        circle = circles[int(rng.integers(len(circles)))]
        author = circle.people[int(rng.integers(len(circle.people)))]
        time = _moment(float(days[k]), state.clock)
        parent = None
        if k and rng.random() >= INVENTIONS:
            age = np.array([(time - p.time).total_seconds() / 86400 for p in posts])
            own = np.array([OWN_WEIGHT if p.author == state.names[author] else 1.0 for p in posts])
            odds = fame[:k] * np.exp(-age / DECAY_DAYS) * own * (age > 0)
            if odds.sum() > 0:
                parent = int(rng.choice(k, p=odds / odds.sum()))
        body, framing = _stage(pose, None if parent is None else posts[parent], rng)
        posts.append(
            Post(
                next(state.numbers),
                place,
                pose,
                state.names[author],
                author,
                circle.views[place],
                time,
                None if parent is None else offset + parent,
                body,
                framing,
            )
        )
    return posts


def _stage(pose: str, parent: Post | None, rng: np.random.Generator) -> tuple[Pose, Framing]:
    """How the person stands: freely after the pose for an invention, close to the parent's body for a repeat."""
    side = float(rng.choice([-1, 1]))
    x = 0.5 + side * float(rng.uniform(0.02, 0.2))
    height = float(rng.uniform(0.44, 0.64))
    if parent is None or parent.body is None:
        body = jitter(POSES[pose], rng, 7.0)
        body = mirrored(body) if rng.random() < 0.3 else body
    else:
        body = jitter(parent.body, rng, 3.5)
        body = mirrored(body) if rng.random() < 0.08 else body
        x = parent.framing.x + 0.5 * (x - parent.framing.x)
        height = parent.framing.height + 0.6 * (height - parent.framing.height)
    roll = float(rng.normal(0, 1.8))
    return body, Framing(x, float(rng.uniform(0.9, 0.965)), height, roll, bool(rng.random() < 0.12))


def _moment(day: float, clock: set[int]) -> datetime:
    """The time ``day`` days after the start, to the second, moved on until nobody else has posted in it."""
    second = int(day * 86400)
    while second in clock:
        second += 1
    clock.add(second)
    return START + timedelta(seconds=second)
