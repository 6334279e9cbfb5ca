"""Colours and shapes that keep many classes apart, for every kind of colour vision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from doppelgram.maps.neighbours import Text
from doppelgram.space.exact import Float64, Int64

# Ten colours for white ground, found by search over the sRGB cube: any two differ by at least 30 in CIELAB to full
# colour vision and to that of protanopes and deuteranopes as Machado, Oliveira and Fernandes (2009) simulate it.
COLOURS = (
    "#0000ee",
    "#ff9900",
    "#33bbaa",
    "#cc2200",
    "#661199",
    "#77aa66",
    "#882266",
    "#5577ff",
    "#881122",
    "#bbaaff",
)

# The names are those that the page's script draws by.
SHAPES = ("circle", "square", "triangle", "diamond", "plus", "down", "star", "cross", "hexagon")


@dataclass(frozen=True)
class Styles:
    """How each class is drawn.

    Attributes:
        names: the c classes, sorted.
        colours: (c,) positions in `COLOURS`.
        shapes: (c,) positions in `SHAPES`.
        centres: (c, 2) middle of each class on the map.
        reaches: (c,) distance from the middle within which most of the class lies.
        sizes: (c,) images of each class.
    """

    names: list[str]
    colours: Int64
    shapes: Int64
    centres: Float64
    reaches: Float64
    sizes: Int64


def style_classes(points: Float64, labels: Text) -> Styles:
    """Give each class a colour and a shape, so that neighbours on the map differ in colour.

    Up to 90 classes no two share both. Beyond, those that share both lie far apart.

    Args:
        points: (n, 2).
        labels: (n,) class names; images without a label form a class of the empty name.
    """
    names, codes = np.unique(labels.astype(np.str_), return_inverse=True)
    members = [points[codes == code] for code in range(len(names))]
    centres = np.array([class_centre(mine) for mine in members]).reshape(-1, 2)
    reaches = np.array(
        [np.quantile(np.linalg.norm(mine - centre, axis=1), 0.8) for mine, centre in zip(members, centres, strict=True)]
    )
    colours, shapes = assign(centres)
    sizes = np.bincount(codes, minlength=len(names))
    return Styles([str(name) for name in names], colours, shapes, centres, reaches, sizes)


def class_centre(points: Float64) -> Float64:
    """The point of a class that is nearest to the medians of its coordinates: on the class, unlike a mean."""
    offsets = points - np.median(points, axis=0)
    centre: Float64 = points[np.einsum("ij,ij->i", offsets, offsets).argmin()]
    return centre


def assign(centres: Float64) -> tuple[Int64, Int64]:
    """Colours and shapes of classes by their centres, one after the other, the most crowded first.

    A class gets the colour that is least used around it, then the shape least used around it in that colour.
    Nearness falls off with the square of the distance, in units of the usual distance between neighbours.

    Args:
        centres: (c, 2).

    Returns:
        Positions in `COLOURS` and `SHAPES`, both (c,).
    """
    count = len(centres)
    colours, shapes = np.full(count, -1), np.full(count, -1)
    if not count:
        return colours, shapes
    squares = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    unit = float(np.median(squares.min(axis=1))) if count > 1 else 1.0
    # The 2 makes the fall steep: what counts are the few next to it.
    near = (1 / (1 + squares / (unit or 1.0))) ** 2
    uses = np.zeros((len(COLOURS), len(SHAPES)))
    for one in np.argsort(-near.sum(axis=1), kind="stable"):
        done = np.flatnonzero(colours >= 0)
        by_colour = np.bincount(colours[done], near[one, done], minlength=len(COLOURS)).astype(np.float64)
        by_shape = np.bincount(shapes[done], near[one, done], minlength=len(SHAPES))
        if (uses == 0).any():
            by_colour[(uses > 0).all(axis=1)] = np.inf
        colour = int(np.lexsort((uses.sum(axis=1), by_colour))[0])
        same = done[colours[done] == colour]
        both = np.bincount(shapes[same], near[one, same], minlength=len(SHAPES))
        shape = int(np.lexsort((by_shape, both))[0])
        colours[one], shapes[one] = colour, shape
        uses[colour, shape] += 1
    return colours, shapes
