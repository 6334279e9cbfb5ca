"""Captures as people have them, from file to report: what is read of each, and the seconds of each step.

Makes two captures of the sample world: 4CAT's table of 5,000 posts in its 33 columns with a ZIP file of 1,000 pictures
and their list, and Zeeschuimer's of 2,000 items in Instagram's three kinds beside the same pictures. Then runs
``doppelgram check`` and ``doppelgram trace`` on each, in processes of their own. With ``--weights`` the model is the
ready-made one; without, it is a small one of random weights that takes the rendered keypoints, calibrated on another
rendered world: then the seconds count, and what the trace finds does not.

    python benchmarks/captures.py [--weights DIR] [--out DIR]
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from common import machine, machine_line, write
from doppelgram.api.calibrate import calibrate
from doppelgram.images.framing import Framing
from doppelgram.models.arrangement import ArrangementModel
from doppelgram.models.backbones.registry import SmallNet
from doppelgram.models.finder_settings import FinderSettings
from doppelgram.models.networks.embedding import EmbeddingHead, EmbeddingNetwork
from doppelgram.models.networks.keypoints import PoseTower
from doppelgram.models.towers import ImageTower, KeypointTower
from doppelgram.samples.posts import render_posts
from doppelgram.space.arrangement import ArrangementSpace
from doppelgram.space.calibration import Calibration
from doppelgram.space.joint import JointCalibration

POSTS, ITEMS, PLACES = 5000, 2000, 4
PICTURES = 976  # of people; with six bare places a landmark 1,000
HEADER = (
    "id,thread_id,parent_id,timestamp,url,post_source_domain,body,author,author_id,author_fullname,author_avatar_url,"
    "is_verified,coauthors,coauthor_fullnames,media_type,num_media,image_urls,media_urls,hashtags,usertags,likes_hidden,"
    "num_likes,num_comments,num_media_missing,location_name,location_id,location_latlong,location_city,"
    "is_paid_partnership,accessibility_caption,collected_from_url,unix_timestamp,missing_media"
)
COLUMNS = HEADER.split(",")
CDN = "https://cdn.example.org/v/t51/{}?stp=dst-jpg&oh=1"


@dataclass(frozen=True)
class Picture:
    """A rendered picture, who posted it, and when in seconds."""

    file: Path
    author: str
    at: int
    place: str

    @property
    def name(self) -> str:
        """What it is called in a capture."""
        return f"{self.place}_{self.file.parent.name.strip('_')}_{self.file.stem}_n.jpg"

    @property
    def url(self) -> str:
        """Where it was fetched from."""
        return CDN.format(self.name)


@dataclass(frozen=True)
class Truth:
    """What a capture holds: rows to be read, their authors and times."""

    rows: int
    authors: int
    times: int


@dataclass(frozen=True)
class Step:
    """One command: seconds, processor seconds, and what it said."""

    capture: str
    command: str
    seconds: float
    processor: float
    found: dict[str, int]
    said: str


def rendered(folder: Path, posts: int, seed: int) -> list[Picture]:
    """The pictures of a rendered world, in the order of their paths."""
    render_posts(folder, posts=posts, places=PLACES, poses=4, size=64, seed=seed)
    with (folder / "posts.csv").open(encoding="utf-8", newline="") as file:
        return [
            Picture(
                folder / row["path"],
                row["author"],
                int(datetime.fromisoformat(row["timestamp"]).timestamp()),
                row["place"],
            )
            for row in csv.DictReader(file)
        ]


def fourcat(folder: Path, pictures: list[Picture]) -> Truth:
    """4CAT's table and pictures: 20 posts of two pictures, 20 that share one, 100 not fetched, 3,900 not tried."""
    folder.mkdir(parents=True)
    shown = [(one,) for one in pictures[:-40]] + list(zip(pictures[-40::2], pictures[-39::2], strict=True))
    shared = [(one,) for one in pictures[:20]]
    entries: dict[str, dict[str, Any]] = {}
    rows, authors = [], set()
    for number in range(POSTS):
        media = (*shown, *shared)[number] if number < len(shown) + len(shared) else ()
        first = media[0] if media else pictures[number % len(pictures)]
        author, at = first.author, first.at
        if number >= len(shown):  # somebody else, later
            author, at = f"visitor{number % 700}", first.at + 86400 * (1 + number % 40)
        key = f"C{number:05d}"
        urls = [one.url for one in media] or [CDN.format(f"{key}_n.jpg")]
        for url in urls if number < len(shown) + len(shared) + 100 else ():
            name = url.rsplit("/", 1)[-1].split("?")[0] if media else ""
            entry = entries.setdefault(
                url, {"filename": name, "success": bool(media), "from_dataset": "made-up", "post_ids": []}
            )
            entry["post_ids"].append(key)
        if media:
            authors.add(author)
        row = dict.fromkeys(COLUMNS, "")
        row |= {
            "id": key,
            "thread_id": key,
            "parent_id": key,
            "author": author,
            "body": f"A day, \n“{first.place}” #away",
        }
        row |= {"timestamp": f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}", "unix_timestamp": str(at)}
        row |= {"image_urls": ",".join(urls), "media_urls": ",".join(urls), "num_media": str(len(urls))}
        row |= {"url": f"https://www.example.org/p/{key}/", "num_likes": str(number % 97), "media_type": "photo"}
        row |= {"location_name": first.place if number % 3 else "", "likes_hidden": "no"}
        rows.append(row)
    with (folder / "instagram-search.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    with zipfile.ZipFile(folder / "images.zip", "w") as packed:
        packed.writestr(".metadata.json", json.dumps(entries))
        for one in pictures:
            packed.write(one.file, one.name)
    read = len(pictures) + len(shared)
    return Truth(read, len(authors), read)


def zeeschuimer(folder: Path, pictures: list[Picture]) -> Truth:
    """Zeeschuimer's items: lists with carousels, graph, Polaris without times; ads, half-seen items, no picture."""
    folder.mkdir(parents=True)
    for one in pictures:
        (folder / one.name).hardlink_to(one.file)
    groups = [(one,) for one in pictures[:-100]] + list(zip(pictures[-100::2], pictures[-99::2], strict=True))
    accounts = sorted({one.author for one in pictures})
    lines, authors, times = [], set(), 0
    for number in range(ITEMS):
        code, there = f"Z{number:05d}", number < len(groups)
        first = groups[number][0] if there else pictures[number % len(pictures)]
        urls = [one.url for one in groups[number]] if there else [CDN.format(f"{code}_n.jpg")]
        user = {"username": first.author, "id": str(1000 + accounts.index(first.author))}
        media = [{"image_versions2": {"candidates": [{"url": url, "width": 1080}]}} for url in urls]
        kind = "list" if len(urls) > 1 else ("list", "list", "graph", "graph", "polaris")[number % 5]
        if kind == "graph":
            data: dict[str, Any] = {"__typename": "GraphImage", "shortcode": code, "id": str(number)}
            data |= {"taken_at_timestamp": first.at, "owner": user, "display_url": urls[0]}
            data["edge_media_to_caption"] = {"edges": [{"node": {"text": "a day"}}]}
        else:
            data = {"code": code, "id": f"{number}_1", "user": user, "caption": {"text": "a day"}}
            data |= media[0] if len(media) == 1 else {"carousel_media": media}
            if kind == "polaris":
                data["__typename"] = "XIGPolarisImageMedia"
            else:
                data |= {"taken_at": first.at, "location": {"name": first.place, "lat": 48.1, "lng": 2.3}}
        if there:
            authors.add(first.author)
            times += len(urls) * (kind != "polaris")
        elif number % 5 == 0:
            data["product_type"] = "ad"
        elif number % 5 == 1:
            data = {"code": code, "_zs_partial": True, "user": user}
        envelope = {"nav_index": "1:1", "item_id": code, "timestamp_collected": 1_700_000_000_000 + number}
        lines.append(json.dumps({**envelope, "source_platform": "instagram.com", "data": data}))
    (folder / "zeeschuimer-export-instagram.com.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Truth(len(pictures), len(authors), times)


def small_model(folder: Path) -> Path:
    """A model of random weights that takes ready-made keypoints, calibrated on a rendered world of its own."""
    torch.manual_seed(0)
    backbone = SmallNet(width=8)
    place = ImageTower(EmbeddingNetwork(backbone, EmbeddingHead(backbone.dim, 16)), Framing(32), sees="photograph")
    pose = KeypointTower(PoseTower(), 1.0)
    rough = Calibration(slope=30.0, intercept=3.0, threshold=0.1, n_same=5, n_different=5, fitted_on="nothing yet")
    joint = JointCalibration(rough, rough, 1.0, 1.0, -1.0, -0.5, 0.5, rule="both")
    space = ArrangementSpace(place.dim, pose.dim, 1, joint)
    recipe = {"name": "random weights", "data": {"label": "place+pose"}}
    ArrangementModel([place], [pose], space, FinderSettings(), (), recipe).save(folder / "random")
    rendered(folder / "world", 160, seed=1)
    calibrate(folder / "random", labelled=folder / "world", out=folder / "model")
    return folder / "model"


def run(capture: str, command: str, *arguments: object) -> Step:
    """Run a command of the program in its own process, which must answer in JSON."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "doppelgram", command, *map(str, arguments), "--json"], capture_output=True, text=True
    )
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{capture}: doppelgram {command} failed: {done.stderr.strip()}")
    said = json.loads(done.stdout)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if command == "check":
        found = {"rows": said["images"], "authors": said["authors"], "times": said["columns"]["timestamp"]["rows"]}
        text = "; ".join(f"{one['count']:,} {one['why']}" for one in said["left_aside"])
    else:
        found, text = said["counts"], said["headline"]
    return Step(capture, command, round(seconds, 1), round(processor, 1), found, text)


def main() -> None:
    """Make both captures, run both commands on each, write the results."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--weights", type=Path, help="folder of the ready-made model's weights")
    options.add_argument("--out", type=Path, help="keep captures and reports here; a temporary folder by default")
    given = options.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory() as temporary:
        out = given.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        pictures = rendered(out / "world", PICTURES, seed=0)
        with (out / "world/keypoints.json").open(encoding="utf-8") as file:
            points = json.load(file)
        named = {one.name: points.get(one.file.relative_to(out / "world").as_posix()) for one in pictures}
        (out / "keypoints.json").write_text(json.dumps({k: v for k, v in named.items() if v}), encoding="utf-8")
        if given.weights:
            model = ["--model", "arrangements", "--weights", given.weights]
        else:
            model = ["--model", small_model(out / "small"), "--keypoints", out / "keypoints.json", "--no-view"]
        steps, truths = [], {}
        for name, make in (("4CAT", fourcat), ("Zeeschuimer", zeeschuimer)):
            folder = out / name.lower()
            truths[name] = make(folder, pictures)
            steps.append(run(name, "check", folder))
            steps.append(run(name, "trace", folder, "--out", out / f"{name.lower()}-report", *model))
    kind = "arrangements, ready-made" if given.weights else "random weights, calibrated on another rendered world"
    result = {
        "machine": facts,
        "model": kind,
        "truth": {name: asdict(one) for name, one in truths.items()},
        "steps": [asdict(one) for one in steps],
    }
    write("captures", result, table(result))


def table(result: dict[str, Any]) -> str:
    """The results in Markdown."""
    steps = result["steps"]
    checks = [one for one in steps if one["command"] == "check"]
    lines = [
        "# Captures from file to report",
        "",
        f"4CAT: {POSTS:,} posts, 1,000 pictures in a ZIP file. Zeeschuimer: {ITEMS:,} items of three kinds beside the "
        f"same pictures. Model: {result['model']}. Seconds hang on what else the machine does; processor seconds do "
        "not.",
        "",
        "| capture | step | seconds | processor seconds |",
        "|---|---|---:|---:|",
        *(f"| {one['capture']} | `{one['command']}` | {one['seconds']} | {one['processor']} |" for one in steps),
        "",
        "| capture | | pictures with a post | authors | with a time |",
        "|---|---|---:|---:|---:|",
    ]
    for one in checks:
        for what, counts in (("it holds", result["truth"][one["capture"]]), ("read", one["found"])):
            lines.append(f"| {one['capture']} | {what} | " + " | ".join(f"{n:,}" for n in counts.values()) + " |")
    lines += ["", "Left aside:", "", *(f"- {one['capture']}: {one['said']}." for one in checks)]
    lines += ["", "Traced:", ""]
    for one in steps:
        if one["command"] == "trace":
            counts = ", ".join(f"{one['found'][key]:,} {key}" for key in ("posts", "traced", "reposts", "arrangements"))
            lines.append(f"- {one['capture']}: {counts}. {one['said']}")
    return "\n".join([*lines, "", machine_line(result["machine"])])


if __name__ == "__main__":
    main()
