"""Recipes of the version before, in which no task was named: translated, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doppelgram.errors import DoppelgramError

RENAMED = {
    ("model", "views"): "test_time_copies",
    ("loss", "memory"): "cross_batch",
    ("sampler", "least"): "min_per_class",
    ("augment", "views"): "copies",
}


def translate(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """An old recipe's values by today's keys.

    Raises:
        DoppelgramError: a recipe of places and poses, or of the study's pair networks, which has no translation.
    """
    arrangement = values.get("arrangement")
    if isinstance(arrangement, Mapping) and arrangement.get("estimator"):
        raise DoppelgramError(
            f"{where}: is a recipe of places and poses of an earlier version; recipes of task 'arrangements' list "
            "their towers now, so start from the shipped recipe 'posts'"
        )
    loss = values.get("loss")
    if isinstance(loss, Mapping) and loss.get("name") == "pairs":
        raise DoppelgramError(f'{where}: is a recipe of pairs of an earlier version; it needs task = "pairs" now')
    found: dict[str, Any] = {"task": "metric"}
    for section, keys in values.items():
        if section == "arrangement":
            continue
        if not isinstance(keys, Mapping):
            found[section] = keys
            continue
        found[section] = {RENAMED.get((section, key), key): value for key, value in keys.items()}
        if section == "optimiser" and keys.get("schedule") == "onecycle":
            found[section]["schedule"] = "cosine"
    return found
