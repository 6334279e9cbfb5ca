"""The parts of a photograph that are searched for people."""

from __future__ import annotations

from doppelgram.pose.squares import Square, letterbox

# Photographs are searched in no more detail than this many pixels of their longer side.
DETAIL = 1024
# Side of a tile as a share of the photograph's longer one, so that neighbours overlap by a quarter.
_TILE = 0.62


def regions(width: int, height: int) -> list[Square]:
    """The whole photograph as a square, then tiles of it: four in a square one, two along a panorama."""
    side = max(width, height) * _TILE
    long, short = max(width, height), min(width, height)
    tiles = []
    for x in (side / 2, long - side / 2):
        # Across a panorama one tile holds everything.
        tiles += [Square(x, y, side) for y in ((side / 2, short - side / 2) if short > side else (short / 2,))]
    turned = [Square(tile.y, tile.x, tile.side) if height > width else tile for tile in tiles]
    return [letterbox(width, height), *turned]
