"""Names of `doppelgram.weights`, where networks of pose and models alike are looked up."""

from doppelgram.weights import KNOWN, Weights, cache_folder, fetch, find_weights, pull_weights, weight_folders

__all__ = ["KNOWN", "Weights", "cache_folder", "fetch", "find_weights", "pull_weights", "weight_folders"]
