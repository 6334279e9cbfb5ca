"""What distances of one embedding mean, to whoever compares two images and to whoever searches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from doppelgram.evaluation.answers import ANSWERS, nearest_answers
from doppelgram.evaluation.calibration import fit_calibration, pair_weights
from doppelgram.evaluation.curve_fit import fit_curve
from doppelgram.evaluation.sampling import MIX, mixed_pairs, sample_pairs
from doppelgram.evaluation.task import EmbeddedSet, make_task
from doppelgram.space.calibration import Calibration
from doppelgram.space.euclidean import EuclideanSpace
from doppelgram.space.exact import pair_distances


def calibrate_embedding(
    images: EmbeddedSet, gallery: EmbeddedSet | None = None, *, fitted_on: str, seed: int = 0
) -> Calibration:
    """Fit what Euclidean distances mean to labelled images that the network was not trained on.

    Pairs are drawn among the images themselves. Searches look for each image among the others and, if there is a
    gallery, for all of them in that, too: what a distance says then depends less on what is searched in.

    Args:
        images: that were not trained on. Images of one id are never compared, so ids may be groups, such as scenes.
        gallery: further images to search in, such as those that were trained on.
        fitted_on: which images these are, in words.
        seed: of the pairs that are drawn.

    Raises:
        DoppelgramError: unusable input, a kind of pair is missing, or distances say nothing.
    """
    among = make_task(images)
    tasks = [among]
    if gallery is not None and set(np.unique(images.labels)) & set(np.unique(gallery.labels)):
        tasks.append(make_task(gallery, images))
    space = EuclideanSpace(among.gallery.shape[1])
    a, b, n_same = sample_pairs(among, seed=seed)
    same = np.arange(len(a)) < n_same
    fitted = fit_calibration(pair_distances(among.query, among.gallery, a, b), same, fitted_on=fitted_on)
    a, b, same = mixed_pairs(among, space.index(among.gallery).ranker(), seed=seed)
    distances = pair_distances(among.query, among.gallery, a, b)
    pairs = fit_curve(distances, same, weights=pair_weights(same), sources=a, about=MIX)
    found = [nearest_answers(space, task) for task in tasks]
    search = fit_curve(
        np.concatenate([answers.distance for answers in found]),
        np.concatenate([answers.right for answers in found]),
        sources=np.concatenate([answers.query for answers in found]),
        about=f"the {ANSWERS} nearest of {len(among.query):,} images",
    )
    return replace(fitted, pairs=pairs, search=search)
