"""The space of a trained network, looked at: whose nearest image is right, in all its dimensions and on a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from doppelgram.console import Progress
from doppelgram.dataset.loading import Images
from doppelgram.maps.neighbours import NearestLabels, nearest_labels
from doppelgram.maps.projection import project, write_arrays
from doppelgram.models.model import Model
from doppelgram.reports.figures import write_figure
from doppelgram.reports.map.picture import draw_points
from doppelgram.space.exact import Float64

PLAIN, PCA, TSNE = "plain", "pca", "tsne"
CAPTIONS = {PLAIN: "as they are", PCA: "by PCA", TSNE: "by t-SNE"}

Rights = NDArray[np.bool_]


@dataclass(frozen=True)
class Neighbourhood:
    """What a network's space says of the test images, each asked of the training images.

    Attributes:
        right: (q,) whether the nearest training image is of the right class.
        units: (q,) which images were drawn together: the number of the panorama, or of the image itself.
        on_map: by method, (q,) whether the nearest training image on the map is of the right class.
        pictures: by method, the drawn map.
        directions: in how many directions the class means of the training part spread; see `spread_directions`.
        plane: share of the variance that the two axes of PCA hold; NaN without a map by PCA.
    """

    right: Rights
    units: NDArray[np.int64]
    on_map: dict[str, Rights] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    directions: float = float("nan")
    plane: float = float("nan")


@dataclass(frozen=True)
class Shown:
    """The images that a space is looked at by.

    Attributes:
        images: n of them, of the training and the test part.
        parts: (n,) ``train`` or ``test`` of each.
        units: (n,) which were drawn together; anything that can be compared.
    """

    images: Images
    parts: NDArray[np.str_]
    units: NDArray[Any]


def methods(dim: int) -> tuple[str, ...]:
    """How a space of so many dimensions is mapped: two dimensions are a map already."""
    return (PLAIN,) if dim == 2 else (PCA, TSNE)


def spread_directions(vectors: Any, labels: NDArray[np.str_]) -> float:
    """In how many directions class means spread: the participation ratio of their covariance.

    With eigenvalues l of the covariance it is (sum l)^2 / sum l^2: 1 if all means lie on a line, d if they spread
    equally in d directions (Bell and Dean, Discuss. Faraday Soc. 50, 1970; used so for neural activity by Gao and
    others, 2017).

    Args:
        vectors: (n, d) embeddings.
        labels: (n,) class names.
    """
    _, codes = np.unique(labels, return_inverse=True)
    sums = np.zeros((codes.max() + 1, np.shape(vectors)[1]))
    np.add.at(sums, codes, np.asarray(vectors, dtype=np.float64))
    means = sums / np.bincount(codes)[:, None]
    values = np.linalg.eigvalsh(np.cov(means, rowvar=False)).clip(0)
    return float(values.sum() ** 2 / max((values**2).sum(), np.finfo(np.float64).tiny))


def find_neighbourhood(
    model: Model, shown: Shown, *, drawn: dict[str, Path], title: str, seed: int, progress: Progress
) -> Neighbourhood:
    """Embed the training and the test part, and find who is nearest: in the space and on each map.

    Args:
        model: of the space.
        shown: images of both parts.
        drawn: the file of each map that is to be drawn, by method.
        title: of the maps.
        seed: of t-SNE.
        progress: where progress is shown.
    """
    images, parts = shown.images, shown.parts
    with progress.bar("embedding", len(images.pixels)) as advance:
        vectors = model.embed_pixels(images.pixels, progress=advance)
    labels, test = images.collection.labels.astype(np.str_), parts == "test"

    def nearest(points: Any) -> NearestLabels:
        return nearest_labels(points, labels, parts, images.hashes)

    here = nearest(vectors)
    on_map, plane = {}, float("nan")
    for method, file in drawn.items():
        if method == PLAIN:
            points: Float64 = np.asarray(vectors, dtype=np.float64)
            found, caption = here, "the two dimensions of the embedding as they are"
        else:
            projection = project(vectors, method, seed=seed)
            points, caption = projection.points, projection.about
            found = nearest(points)
            plane = float(projection.components.shares.sum()) if method == PCA else plane
        on_map[method] = ~found.wrong[test]
        # Wrong in the space, not on the map: the picture then shows whether the map tells it. Rings around training
        # images, which are more, would hide the test.
        ringed = here.wrong & test
        write_figure(draw_points(points, labels, parts, ringed, title=title, caption=caption), file, dpi=110)
    numbers = np.unique(shown.units[test], return_inverse=True)[1].astype(np.int64)
    directions = spread_directions(vectors[~test], labels[~test])
    return Neighbourhood(~here.wrong[test], numbers, on_map, dict(drawn), directions, plane)


def write_neighbourhood(space: Neighbourhood, file: Path, fingerprint: str) -> None:
    """Keep all but the pictures, together with the fingerprint of the model."""
    on_map = {f"map-{method}": right for method, right in space.on_map.items()}
    numbers = {"directions": np.array(space.directions), "plane": np.array(space.plane)}
    arrays = {"fingerprint": np.array(fingerprint), "right": space.right, "units": space.units, **numbers, **on_map}
    write_arrays(file, arrays)


def read_neighbourhood(file: Path, fingerprint: str, drawn: dict[str, Path]) -> Neighbourhood | None:
    """What `write_neighbourhood` kept of this very model; None if there is none, or a map that it needs is missing."""
    if not all(picture.is_file() for picture in drawn.values()):
        return None
    try:
        with np.load(file, allow_pickle=False) as arrays:
            if str(arrays["fingerprint"]) != fingerprint:
                return None
            on_map = {method: arrays[f"map-{method}"] for method in drawn}
            numbers = float(arrays["directions"]), float(arrays["plane"])
            return Neighbourhood(arrays["right"], arrays["units"], on_map, dict(drawn), *numbers)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        return None
