"""Who follows whom among the traced posts, as drawings need it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from doppelgram.numbers import date, probability
from doppelgram.rolemodels.result import RoleModels

UNKNOWN_AUTHOR = "author not known"


@dataclass(frozen=True)
class Post:
    """A post that was traced.

    Attributes:
        path: of the post.
        author: of the post.
        time: UTC seconds.
        parent: position of the post that it most likely follows, -1 for none.
        about: what else to say of it, such as the probability of the match.
        view_points: matched points of the same view as the parent's, 0 for too few; None where nobody looked.
    """

    path: str
    author: str
    time: float
    parent: int = -1
    about: str = ""
    view_points: int | None = None

    @property
    def words(self) -> str:
        """Author, date and more, for those who point at it."""
        return ", ".join(part for part in (self.author, date(self.time), self.about) if part)


class History:
    """Posts and their followers.

    Attributes:
        posts: all of them; a parent is given by its position here.
        at: position of each post by its path.
        children: by a post's position those of its direct followers, in order of time.
    """

    def __init__(self, posts: Sequence[Post]) -> None:
        self.posts = posts
        self.at = {post.path: k for k, post in enumerate(posts)}
        self.children: dict[int, list[int]] = {}
        for k in sorted(range(len(posts)), key=lambda k: (posts[k].time, posts[k].path)):
            if posts[k].parent >= 0:
                self.children.setdefault(posts[k].parent, []).append(k)

    @classmethod
    def of(cls, found: RoleModels) -> History:
        """The history that tracing found."""
        parents = found.edges[found.edges["is_parent"].astype(bool)]
        points = {
            target: int(number)
            for target, number in zip(parents["target"], parents["view_points"], strict=True)
            if not pd.isna(number)
        }
        about = {
            target: f"probability of a match {probability(chance)}"
            + (f", the same view: {points[target]:,} matched points" if points.get(target) else "")
            for target, chance in zip(parents["target"], parents["probability"], strict=True)
        }
        traced = found.traced
        paths = traced["path"].astype(str).tolist()
        at = {path: k for k, path in enumerate(paths)}
        seconds = ((traced["timestamp"] - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)).tolist()
        columns = paths, traced["author"].astype(str), seconds, traced["parent"]
        return cls(
            [
                Post(path, author, time, at.get(parent, -1), about.get(path, ""), points.get(path))
                for path, author, time, parent in zip(*columns, strict=True)
            ]
        )

    def views(self, k: int) -> list[int]:
        """Matched points of the direct followers of the post at position ``k``, as far as somebody looked."""
        points = [self.posts[child].view_points for child in self.children.get(k, [])]
        return [number for number in points if number is not None]

    def below(self, root: int) -> list[int]:
        """Positions of a post's followers and of theirs, each after its parent."""
        found: list[int] = []
        waiting = list(self.children.get(root, []))
        while waiting:
            k = waiting.pop()
            found.append(k)
            waiting += self.children.get(k, [])
        return found
