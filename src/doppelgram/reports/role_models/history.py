"""Who follows whom among the traced posts, as drawings need it."""

from __future__ import annotations

import pandas as pd

from doppelgram.numbers import probability
from doppelgram.rolemodels.result import RoleModels

MOST_LEADERS = 10


class History:
    """Who follows whom, for drawing."""

    def __init__(self, found: RoleModels) -> None:
        table = found.role_models
        traced = table[table["status"] == "traced"].reset_index(drop=True)
        self.traced = traced
        self.leaders = traced[traced["score"] > 0].head(MOST_LEADERS)
        self.at = {path: k for k, path in enumerate(traced["path"].tolist())}
        self.parent = [self.at.get(path, -1) for path in traced["parent"].tolist()]
        since = pd.Timestamp(0, tz="UTC")
        self.time = ((traced["timestamp"] - since) / pd.Timedelta(seconds=1)).tolist()
        self.author = traced["author"].astype(str).tolist()
        self.children: dict[int, list[int]] = {}
        for k, parent in enumerate(self.parent):
            if parent >= 0:
                self.children.setdefault(parent, []).append(k)
        parents = found.edges[found.edges["is_parent"].astype(bool)]
        self.about = {
            target: f"probability of a match {probability(chance)}"
            for target, chance in zip(parents["target"], parents["probability"], strict=True)
        }

    def below(self, post: int) -> list[tuple[int, int]]:
        """The posts below one, each with the length of the chain to it."""
        found, waiting = [], [(child, 1) for child in self.children.get(post, [])]
        while waiting:
            k, depth = waiting.pop()
            found.append((k, depth))
            waiting += [(child, depth + 1) for child in self.children.get(k, [])]
        return found

    def path(self, k: int) -> str:
        return str(self.traced["path"].iat[k])
