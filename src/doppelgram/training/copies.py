"""Augmented copies of the training images, made once, that a backbone's first layers have seen."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.read import as_collection
from doppelgram.errors import DoppelgramError
from doppelgram.images.read import Want, read
from doppelgram.images.whole import WholePhotograph
from doppelgram.models.networks.embedding import EmbeddingNetwork
from doppelgram.pose.extras import MASK, MaskExtra
from doppelgram.pose.pasting import CutOut, cut_outs, with_people
from doppelgram.pose.segmenter import make_segmenter
from doppelgram.training.recipes.schema import MetricRecipe
from doppelgram.training.tasks.first_layers import Maps, check_cut, first_maps
from doppelgram.weights import cache_folder

# Long side to which photographs are made smaller before people are cut out of them.
_LONGEST = 640


def read_people(recipe: MetricRecipe, weights: Path | None, progress: Progress) -> list[CutOut]:
    """The people that a recipe wants before its images, cut out of the photographs of a folder.

    Args:
        recipe: its ``augment.people`` names the folder; empty for none.
        weights: folder to look the segmenter's weights up in first.
        progress: where a bar is shown.

    Raises:
        DoppelgramError: there is no such folder, or nobody in it.
    """
    if not recipe.augment.people:
        return []
    try:
        paths = as_collection(Path(recipe.augment.people)).paths
    except DoppelgramError as problem:
        raise DoppelgramError(f"augment.people: {problem}") from None
    masks = MaskExtra(make_segmenter("deeplab", weights), cache_folder() / "poses")
    want = Want(WholePhotograph(_LONGEST), extras={MASK: masks})
    found: list[CutOut] = []
    with progress.bar("cutting out people", len(paths)) as advance, closing(read(paths, want)) as photographs:
        for photograph in photographs:
            found += cut_outs([photograph])
            advance(1)
    if not found:
        raise DoppelgramError(f"augment.people: nobody can be cut out of the photographs in {recipe.augment.people}")
    progress.note(f"{len(found)} people of {recipe.augment.people} are set before the images")
    return found


def copied_maps(
    recipe: MetricRecipe,
    network: EmbeddingNetwork,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.int64],
    people: Sequence[CutOut],
    seed: int,
    progress: Progress,
) -> NDArray[Any]:
    """What a network's frozen layers make of images, and of augmented copies of those that are trained on.

    Args:
        recipe: how many layers, how many copies, and how they are changed.
        network: whose layers.
        pixels: framed images, uint8 (n, size, size, 3).
        rows: of the images that are trained on; of all others there is no copy but the image itself.
        people: who is set before the copies; nobody if empty.
        seed: of the changes.
        progress: where a bar is shown.

    Returns:
        float16 (n, copies, c, rows, columns), the image itself first.
    """
    layers, copies = recipe.model.frozen_layers, recipe.augment.copies
    check_cut(network, layers, recipe.data.size)
    others = np.setdiff1d(np.arange(len(pixels)), rows)
    before = partial(with_people, people=people, generator=np.random.default_rng(seed)) if people else None
    with progress.bar("first layers, once", copies * len(rows) + len(others)) as advance:

        def seen(of: NDArray[np.int64], more: int) -> Maps:
            spec = recipe.augment.changes
            return first_maps(network, layers, pixels[of], spec, more, seed, before=before, progress=advance)

        trained = seen(rows, copies - 1)
        # Rows that are never written to take no memory.
        found = np.zeros((len(pixels), copies, *trained.shape[2:]), dtype=trained.dtype)
        for copy in range(copies):
            found[rows, copy] = trained[copy]
        if len(others):
            found[others, 0] = seen(others, 0)[0]
    return found
