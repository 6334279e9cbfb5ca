"""A landmark view: where the camera stands, the hour, the season and the framing, and the picture they give."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from doppelgram.samples import ground, scenery
from doppelgram.samples.canvas import stream
from doppelgram.samples.landmarks import Landmark, bounds, mesh_of
from doppelgram.samples.light import HOURS, SEASONS, Light, Season
from doppelgram.samples.painter import Camera, paint

HOUR_WEIGHTS = np.array([0.22, 0.2, 0.17, 0.13, 0.12, 0.08, 0.08])
SEASON_WEIGHTS = np.array([0.42, 0.22, 0.2, 0.16])


@dataclass(frozen=True)
class View:
    """The choices behind one photograph; lengths are shares of the picture's side, angles degrees."""

    name: str
    landmark: Landmark
    seed: int
    light: Light
    season: Season
    yaw: float
    fill: float
    distance: float
    height: float
    centre: float
    horizon: float
    sky: str


@dataclass(frozen=True)
class Photo:
    """A rendered view: the picture (square, RGB, larger than a post), its light and the horizon's row.

    People can stand from row ``shore`` on: a quay's edge where there is water.
    """

    picture: Image.Image
    light: Light
    horizon: float
    shore: float


def choose_view(landmark: Landmark, number: int, seed: int) -> View:
    """The ``number``-th view of a landmark in the world of ``seed``."""
    rng = stream(seed, "view", landmark.name, number)
    hour = HOURS[int(rng.choice(len(HOURS), p=HOUR_WEIGHTS))]
    season = SEASONS[int(rng.choice(len(SEASONS), p=SEASON_WEIGHTS))]
    azimuth = float(rng.choice([-1, 1]) * rng.uniform(25, 78))
    skies = {"overcast": ["cover"], "mist": ["cover", "none"], "sunset": ["streaks", "heaps"], "dusk": ["streaks"]}
    return View(
        name=f"{landmark.name}_v{number:03d}",
        landmark=landmark,
        seed=seed,
        light=Light.at(hour, azimuth),
        season=season,
        yaw=landmark.turn + float(rng.uniform(-1, 1)) * landmark.swing,
        fill=float(rng.uniform(0.72, 1.12)),
        distance=float(rng.uniform(3.6, 6.5)),
        height=float(rng.uniform(0.13, 0.36)),
        centre=float(rng.normal(0.5, 0.09)),
        horizon=float(rng.uniform(0.55, 0.68)),
        sky=str(rng.choice(skies.get(hour.name, ["heaps", "heaps", "streaks", "none"]))),
    )


def take(view: View, side: int) -> Photo:
    """Render a view as a square of ``side`` pixels."""
    rng = stream(view.seed, "photo", view.name)
    landmark, light, season = view.landmark, view.light, view.season
    mesh = mesh_of(landmark).turned(view.yaw)
    corners = bounds(mesh)
    rough = Camera(1.0, view.distance, view.height, 0.0, 0.0).project(corners)
    wide, high = float(np.ptp(rough[:, 0])), float(-rough[:, 1].min())
    focal = min(view.fill * side / wide, view.fill * view.horizon * side * 1.02 / high)
    horizon = view.horizon * side
    camera = Camera(focal, view.distance, view.height, view.centre * side, horizon)
    picture = scenery.sky(light, side, side, horizon)
    if light.hour.dark:
        scenery.stars(picture, rng, horizon)
    scenery.clouds(picture, light, rng, horizon, view.sky)
    scenery.backdrop(picture, light, season, rng, horizon + 1, landmark.backdrop)
    ground.lay(picture, light, season, rng, camera, landmark.ground)
    dry = landmark.ground not in ground.WATER or landmark.ground == "pool"
    if dry:
        _plant(picture, view, rng, camera, behind=True)
        ground.cast_shadow(picture, light, camera, mesh)
        ground.contact(picture, camera, landmark, mesh)
    fade = {"mist": 0.34, "overcast": 0.16}.get(light.hour.name, 0.12)
    paint(ImageDraw.Draw(picture), mesh, camera, light.shader(fade), light.hour.dark)
    base = horizon + focal * view.height / (view.distance + 0.1)
    shore = horizon
    if landmark.ground == "pool":
        front = float(camera.project(np.array([[0.0, 0.0, float(corners[:, 2].max())]]))[0, 1])
        ground.reflect(picture, light, rng, camera, "pool", front)
    elif not dry:
        ground.reflect(picture, light, rng, camera, landmark.ground, base)
        shore = max(base + 0.05 * side, side * float(rng.uniform(0.78, 0.84)))
        ground.quay(picture, light, season, rng, shore)
    if dry:
        _plant(picture, view, rng, camera, behind=False)
    return Photo(picture, light, horizon, shore)


def _plant(picture: Image.Image, view: View, rng: np.random.Generator, camera: Camera, behind: bool) -> None:
    """Trees behind the landmark all along, and beside it, where they hide nothing, in front."""
    half = float(np.abs(bounds(mesh_of(view.landmark))[:, [0, 2]]).max())
    spots = []
    if behind:
        spots = [(float(rng.uniform(-1, 1)) * (half + 2.2), float(-half - rng.uniform(0.2, 2.6))) for _ in range(9)]
    else:
        for side in (-1, 1):
            for _ in range(int(rng.integers(0, 3))):
                spots.append((side * (half * 0.95 + float(rng.uniform(0.25, 0.9))), float(rng.uniform(-0.2, 0.9))))
    for x, z in sorted(spots, key=lambda s: s[1]):
        depth = camera.distance - z
        kind = str(rng.choice(view.landmark.trees))
        tall = float(rng.uniform(0.42, 0.68)) * (1.25 if kind in ("poplar", "cypress", "palm") else 1.0)
        foot = camera.project(np.array([[x, 0.0, z]]))[0]
        tree = scenery.Tree(
            kind, (float(foot[0]), float(foot[1])), tall * camera.focal / depth, haze=0.3 if behind else 0.06
        )
        scenery.draw_tree(picture, view.light, view.season, rng, tree)
