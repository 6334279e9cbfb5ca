"""What a person looks like: build, skin, hair, hat and clothes."""

from dataclasses import dataclass

import numpy as np

from doppelgram.samples.canvas import RGB, rgb, stream
from doppelgram.samples.skeleton import Build

SKINS = ("#f1c5a0", "#e6b58b", "#d9a378", "#b97c54", "#8f5a3c", "#633d2b")
HAIRS = ("#2b211d", "#4a3226", "#7a4f2e", "#b9793d", "#e0b866", "#9c3f25", "#b8b5b0")
TOPS = (
    "#e4572e",
    "#f3a712",
    "#2e86ab",
    "#f6f1e5",
    "#4f772d",
    "#b5446e",
    "#29335c",
    "#7fb7be",
    "#d62839",
    "#c9ada7",
    "#5b8e7d",
    "#f4d35e",
    "#6d597a",
    "#222831",
)
BOTTOMS = ("#2f3e5c", "#4a5f85", "#8a7a64", "#3a3a3f", "#c9b79c", "#6b705c", "#7b3f3f", "#e9e2d3")
SHOES = ("#f3efe6", "#3b2f2a", "#b33939", "#54647d", "#d8b365")
HAIRCUTS = ("short", "bob", "long", "bun", "tail", "curls", "crop")
HATS = ("none", "none", "none", "straw", "cap", "beanie", "sun")
WEAR = ("trousers", "trousers", "shorts", "skirt", "dress", "leggings")


@dataclass(frozen=True)
class Look:
    """One person's looks; ``pattern`` is plain, stripes or a yoke, ``sleeve`` the covered share of the arm."""

    name: str
    build: Build
    skin: RGB
    hair: RGB
    haircut: str
    hat: str
    hat_colour: RGB
    top: RGB
    accent: RGB
    pattern: str
    sleeve: float
    wear: str
    bottom: RGB
    shoes: RGB


def choose_look(number: int, seed: int) -> Look:
    """The ``number``-th person of the world of ``seed``."""
    rng = stream(seed, "look", number)

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.integers(len(options)))]

    factors = [
        float(f) for f in np.clip(rng.normal([1, 1, 1, 1, 1.08, 1], [0.08, 0.1, 0.04, 0.05, 0.05, 0.12]), 0.75, 1.3)
    ]
    top = pick(TOPS)
    others = tuple(c for c in TOPS if c != top)
    wear = pick(WEAR)
    return Look(
        name=f"person{number:03d}",
        build=Build(*factors),
        skin=rgb(pick(SKINS)),
        hair=rgb(pick(HAIRS)),
        haircut=pick(HAIRCUTS),
        hat=pick(HATS),
        hat_colour=rgb(pick(TOPS)),
        top=rgb(top),
        accent=rgb(pick(others)),
        pattern=pick(("plain", "plain", "stripes", "yoke")),
        sleeve=(0.0, 0.45, 0.45, 1.0)[int(rng.integers(4))],
        wear=wear,
        bottom=rgb(pick(TOPS)) if wear in ("skirt", "leggings") else rgb(pick(BOTTOMS)),
        shoes=rgb(pick(SHOES)),
    )
