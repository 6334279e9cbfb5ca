"""Named weights: what there are, where they lie, and the one place that may fetch them."""

from doppelgram.weights.known import KNOWN, HubFiles, PackageFile, UrlFile, Weights, command_for
from doppelgram.weights.lookup import cache_folder, find_weights, place_kind, weight_folders
from doppelgram.weights.pull import fetch, pull_weights

__all__ = [
    "KNOWN",
    "HubFiles",
    "PackageFile",
    "UrlFile",
    "Weights",
    "cache_folder",
    "command_for",
    "fetch",
    "find_weights",
    "place_kind",
    "pull_weights",
    "weight_folders",
]
