"""The places of the world: each a landmark with the ground it stands on, what lies behind it and what grows there."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from doppelgram.samples import halls, spans, towers
from doppelgram.samples.canvas import Floats
from doppelgram.samples.painter import Mesh
from doppelgram.samples.solids import Part


@dataclass(frozen=True)
class Landmark:
    """A place: ``build`` gives its parts; ground, backdrop and trees name what ``scenery`` draws around it.

    ``turn`` is the yaw (degrees) about which its photographs are taken and ``swing`` how far they go to either side.
    """

    name: str
    build: Callable[[], list[Part]]
    ground: str
    backdrop: str
    trees: tuple[str, ...]
    turn: float = 20.0
    swing: float = 40.0


LANDMARKS = (
    Landmark("iron_tower", towers.iron_tower, "lawn", "city", ("round", "round", "poplar"), 18, 30),
    Landmark("domed_palace", halls.domed_palace, "pool", "hills", ("cypress",), 8, 32),
    Landmark("stepped_pyramid", halls.pyramid, "meadow", "jungle", ("palm", "round"), 20, 30),
    Landmark("pagoda", towers.pagoda, "garden", "mountain", ("round", "pine"), 24, 24),
    Landmark("arched_bridge", spans.arched_bridge, "river", "city", ("round", "poplar"), -8, 20),
    Landmark("windmill", towers.windmill, "tulips", "plain", ("poplar", "round"), -18, 34),
    Landmark("lighthouse", towers.lighthouse, "sea", "islands", ("pine",), 10, 40),
    Landmark("temple", halls.temple, "dust", "hills", ("cypress", "round"), 30, 30),
    Landmark("castle", halls.castle, "meadow", "mountain", ("pine", "pine", "round"), 14, 36),
    Landmark("big_wheel", spans.big_wheel, "plaza", "city", ("round", "poplar"), 22, 26),
    Landmark("harbour_opera", halls.opera, "sea", "city", ("palm",), -14, 26),
    Landmark("leaning_tower", towers.leaning_tower, "lawn", "hills", ("cypress", "round"), 0, 26),
)


@cache
def mesh_of(landmark: Landmark) -> Mesh:
    """The landmark's mesh, built once."""
    return Mesh.of(landmark.build())


def bounds(mesh: Mesh) -> Floats:
    """The corners (8, 3) of the box that a mesh fills."""
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    return np.array([[x, y, z] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])
