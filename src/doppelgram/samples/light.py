"""Times of day and seasons: the colours of sky, sun, shade, haze and leaves that a picture is lit with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from doppelgram.samples.canvas import RGB, Floats, mix, rgb, times


@dataclass(frozen=True)
class Hour:
    """The colours of one time of day. Sky stops run from the zenith to the horizon; sun and shade multiply colours."""

    name: str
    sky: tuple[str, ...]
    sun: RGB
    shade: RGB
    haze: str
    cloud: tuple[str, str]
    elevation: float
    shadow: float
    disc: str | None = None
    dark: bool = False


HOURS = (
    Hour(
        "noon",
        sky=("#3f8fd0", "#7cbbe6", "#c9e6f2"),
        sun=(0.62, 0.58, 0.5),
        shade=(0.6, 0.64, 0.72),
        haze="#cfe3ee",
        cloud=("#ffffff", "#c7d8e8"),
        elevation=52,
        shadow=0.5,
    ),
    Hour(
        "morning",
        sky=("#5aa6cf", "#a4d3dd", "#fbe9c8"),
        sun=(0.62, 0.54, 0.42),
        shade=(0.58, 0.61, 0.68),
        haze="#f2e4cf",
        cloud=("#fffaf0", "#d5cfd6"),
        elevation=34,
        shadow=0.48,
        disc="#fff4d8",
    ),
    Hour(
        "golden",
        sky=("#5b87b5", "#f0b98a", "#ffdf9e"),
        sun=(0.78, 0.52, 0.28),
        shade=(0.55, 0.5, 0.56),
        haze="#f6cf9c",
        cloud=("#ffe6c4", "#cf9a93"),
        elevation=20,
        shadow=0.52,
        disc="#fff0bd",
    ),
    Hour(
        "sunset",
        sky=("#3d3f7d", "#c35f7f", "#ffb27a"),
        sun=(0.66, 0.43, 0.32),
        shade=(0.56, 0.5, 0.6),
        haze="#f2a184",
        cloud=("#ffb99a", "#8d5582"),
        elevation=14,
        shadow=0.42,
        disc="#ffe0a0",
    ),
    Hour(
        "overcast",
        sky=("#aab8c4", "#c8d1d6", "#e4e6e3"),
        sun=(0.2, 0.2, 0.2),
        shade=(0.76, 0.78, 0.8),
        haze="#dde1e1",
        cloud=("#eef1f2", "#b3bec8"),
        elevation=60,
        shadow=0.2,
    ),
    Hour(
        "mist",
        sky=("#c6cfd8", "#dfdfdc", "#f3e8da"),
        sun=(0.34, 0.31, 0.27),
        shade=(0.68, 0.69, 0.72),
        haze="#ece5dc",
        cloud=("#f8f4ee", "#d6d4d4"),
        elevation=30,
        shadow=0.24,
        disc="#fff9ec",
    ),
    Hour(
        "dusk",
        sky=("#141d46", "#34477f", "#c08a9c"),
        sun=(0.2, 0.17, 0.2),
        shade=(0.4, 0.43, 0.6),
        haze="#7d7096",
        cloud=("#77699a", "#3c4577"),
        elevation=24,
        shadow=0.2,
        disc=None,
        dark=True,
    ),
)


@dataclass(frozen=True)
class Season:
    """Ground and leaf colours of a season; ``snow`` is the share of the ground that is white."""

    name: str
    grass: tuple[str, str]
    leaves: tuple[str, ...]
    pine: str
    snow: float = 0.0


SEASONS = (
    Season("summer", ("#9dbb62", "#5f8f43"), ("#5c9448", "#6ea552", "#4a8350"), "#3c6e55"),
    Season("spring", ("#b3cf74", "#74a84e"), ("#e9a9bd", "#7fb75c", "#f3c6cf"), "#4b8060"),
    Season("autumn", ("#c3b066", "#94924a"), ("#d98a3a", "#c2573a", "#e2b14c"), "#56704f"),
    Season("winter", ("#f0f4f7", "#dbe5ee"), ("#b9c6cf", "#d5dfe6", "#9fb0b8"), "#6c8a86", 0.85),
)


@dataclass(frozen=True)
class Light:
    """One picture's light: an hour, and the unit vector towards the sun in the camera's axes (x, y up, z back)."""

    hour: Hour
    direction: Floats

    @classmethod
    def at(cls, hour: Hour, azimuth: float) -> "Light":
        """The light of ``hour`` with the sun ``azimuth`` degrees to the right of straight behind the camera."""
        a, e = np.radians(azimuth), np.radians(hour.elevation)
        return cls(hour, np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)]))

    @property
    def haze(self) -> RGB:
        """The colour that distance fades to."""
        return rgb(self.hour.haze)

    def lit(self, colour: RGB, facing: float = 0.6) -> RGB:
        """``colour`` as it looks on a surface whose cosine to the sun is ``facing``."""
        sun, shade = self.hour.sun, self.hour.shade
        k = max(0.0, facing)
        return times(colour, (shade[0] + sun[0] * k, shade[1] + sun[1] * k, shade[2] + sun[2] * k))

    def shader(self, fade: float) -> Callable[[Floats, Floats, Floats], Floats]:
        """What ``painter.paint`` asks for: lit colours of faces, hazier towards the ground by the share ``fade``."""
        sun, shade_of, haze = np.array(self.hour.sun), np.array(self.hour.shade), np.array(self.haze)

        def shade(colours: Floats, normals: Floats, heights: Floats) -> Floats:
            sky = 0.9 + 0.1 * normals[:, 1:2]  # upward faces see more of the sky
            facing = np.maximum(0.0, normals @ self.direction)[:, None]
            lit = colours * sky * (shade_of + sun * facing)
            share = fade * (0.35 + 0.65 * np.exp(-2.2 * np.maximum(0.0, heights)))[:, None]
            return np.asarray(lit + (haze - lit) * share)

        return shade

    def far(self, colour: RGB, share: float) -> RGB:
        """``colour`` in the distance: lit and mixed with ``share`` of haze."""
        return mix(self.lit(colour), self.haze, share)
