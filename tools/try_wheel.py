"""Build the wheel, install it alone into an environment of its own, and do the first steps with it.

Run it with ``make wheel``; it takes some minutes, and fetches what the wheel depends on. The checkout is not touched
and not seen: everything lies in a temporary folder. It ends with an error where a step does not do what it should, and
otherwise writes ``benchmarks/results/wheel.md`` and ``wheel.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
# Extras that stand for other extras, and those that no command needs, with what needs them.
JOINT = {"dev", "ready-made"}
FOR_PYTHON = {"datasets": "doppelgram.to_hugging_face('catalog')"}
LARGEST = 10
SAMPLES = (
    "from doppelgram.samples.signs import render_signs; render_signs('photos', classes=4, per_class=10, seed=0); "
    "from doppelgram.samples.posts import render_posts; render_posts('posts', posts=6, places=2, poses=2, size=96)"
)
LIST_SIZES = """
import json, os
from importlib.metadata import distributions
found = {}
for one in distributions():
    files = [one.locate_file(file) for file in one.files or []]
    found[one.metadata["Name"]] = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Step:
    """A command and what has to come of it.

    Attributes:
        words: after ``doppelgram``.
        says: what its output has to hold.
        status: its exit status.
        writes: files that have to be there afterwards.
    """

    words: tuple[str, ...]
    says: str = ""
    status: int = 0
    writes: tuple[str, ...] = ()


def steps() -> list[Step]:
    """What a person does first, with nothing but the wheel."""
    a, b = "a.png", "b.png"
    return [
        Step(("--help",), "verify"),
        Step(("--version",), project()["version"]),
        Step(("models",), "things"),
        Step(("weights", "list"), "efficientnet_lite2"),
        Step(("check", "photos", "--images"), "40"),
        Step(("check", "posts"), "posts"),
        Step(
            ("train", "photos", "--recipe", "signs", "--set", "epochs=2", "--out", "run"),
            writes=("run/model/model.json",),
        ),
        Step(("evaluate", "run", "--out", "report"), writes=("report/metrics.json",)),
        Step(("index", "photos", "--model", "run", "--catalog", "catalog"), "40"),
        Step(("search", "catalog", a, "-k", "3", "--montage", "found.png"), writes=("found.png",)),
        Step(("verify", a, b, "--model", "run", "--out", "why.png"), "probability", writes=("why.png",)),
        Step(("map", "catalog", "--method", "pca", "--out", "map.html"), writes=("map.html",)),
        Step(("duplicates", "catalog")),
        Step(("catalog", "info", "catalog"), "40"),
    ]


def asking(call: str) -> str:
    """A program that makes a call which an extra is missing for, and prints the sentence that comes of it."""
    return f"import doppelgram\ntry:\n    {call}\nexcept doppelgram.DoppelgramError as problem:\n    print(problem)"


def steps_without(extra: str) -> Step:
    """A command that needs an extra, which has to be named in one sentence."""
    a, b = "a.png", "b.png"
    words = {
        "face": ("verify", a, b, "--model", "run", "--crop", "face"),
        "faces": ("verify", a, b, "--model", "faces"),
        "things": ("verify", a, b),
        "view": ("compare-images", a, b, "--keypoints", "posts/keypoints.json", "--view"),
        "pose": ("index", "photos", "--model", "run", "--catalog", "other", "--runtime", "openvino"),
        "mediapipe": ("verify", a, b, "--model", "run", "--crop", "face:mediapipe"),
        "cluster": ("index", "photos", "--model", "run", "--catalog", "other", "--engine", "ray"),
        "export": ("export", "run", "--out", "exported"),
    }[extra]
    return Step(words, f"doppelgram[{extra}]", 2)


def project() -> dict[str, object]:
    """The project's table of pyproject.toml."""
    table: dict[str, object] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@dataclass
class Environment:
    """An environment in a folder, and the folder in which its programs run.

    Attributes:
        folder: of the environment.
        work: where programs run.
        failed: a line for each step that did not do what it should.
    """

    folder: Path
    work: Path
    failed: list[str] = field(default_factory=list)

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / ("Scripts" if os.name == "nt" else "bin") / "python")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a program, which knows nothing of the checkout."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DOPPELGRAM"))}
        settings = {**kept, "DOPPELGRAM_CACHE": str(self.work / "cache"), "PYTHONNOUSERSITE": "1"}
        return subprocess.run(words, cwd=self.work, env=settings, capture_output=True, text=True, check=False)

    def must(self, *words: str) -> str:
        """The output of a program that has to end well."""
        done = self.run(*words)
        if done.returncode:
            sys.exit(f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def take(self, step: Step) -> None:
        """Take a step, and write down what is wrong with it."""
        done = self.run(self.python, "-m", "doppelgram", *step.words)
        line, said = f"doppelgram {' '.join(step.words)}", done.stdout + done.stderr
        wrong = []
        if done.returncode != step.status:
            wrong.append(f"status {done.returncode}, not {step.status}")
        if step.says not in said:
            wrong.append(f"does not say '{step.says}'")
        # A note on which model was taken may come first.
        if step.status and not (done.stderr.strip().splitlines() or [""])[-1].startswith("error: "):
            wrong.append("does not end in one sentence")
        if "Traceback" in said:
            wrong.append("shows a traceback")
        wrong += [f"{file} was not written" for file in step.writes if not (self.work / file).is_file()]
        if wrong:
            self.failed.append(f"{line}: {'; '.join(wrong)}\n{said[-1500:]}")
        print(f"{'failed' if wrong else 'fine':>6}: {line}", flush=True)


def built(environment: Environment, folder: Path) -> Path:
    """The wheel, built from a copy of the sources, so that nothing of an earlier building gets in."""
    source = folder / "source"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        source.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    out = folder / "dist"
    environment.must(environment.python, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(out), str(source))
    (wheel,) = out.glob("*.whl")
    return wheel


def missing_files(wheel: Path) -> list[str]:
    """Files of the package that are not in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    files = (file.relative_to(ROOT / "src") for file in (ROOT / "src/doppelgram").rglob("*") if file.is_file())
    return sorted(
        file.as_posix() for file in files if "__pycache__" not in file.parts and file.as_posix() not in inside
    )


def written(wheel: Path, sizes: dict[str, int], python: str) -> str:
    """The result as Markdown; also written as JSON."""
    spelled = {name: size / 1e6 for name, size in sorted(sizes.items(), key=lambda item: -item[1])}
    whole, torch = sum(spelled.values()), spelled["torch"]
    result = {"python": python, "wheel": wheel.stat().st_size, "distributions": sizes}
    lines = [
        "# The wheel alone",
        "",
        f"`make wheel`, Python {python}, {platform.system()}: the wheel without extras, with the versions of "
        "constraints.txt, in an environment of its own. Every step below did what it should.",
        "",
        "| what | MB |",
        "|---|---:|",
        f"| the wheel | {wheel.stat().st_size / 1e6:.2f} |",
        f"| the environment, {len(sizes)} packages | {whole:,.0f} |",
        f"| the same without torch | {whole - torch:,.0f} |",
        *(f"| {name} | {size:,.0f} |" for name, size in list(spelled.items())[:LARGEST]),
        "",
        "Steps:",
        "",
        *(f"- `doppelgram {' '.join(step.words)}`" for step in steps()),
        "",
        "Without an extra, one sentence names it:",
        "",
        *(f"- `{extra}`: `doppelgram {' '.join(steps_without(extra).words)}`" for extra in extras_of_commands()),
        *(f"- `{extra}`: `{call}`, from Python" for extra, call in FOR_PYTHON.items()),
    ]
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "wheel.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "wheel.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "\n".join(lines)


def extras_of_commands() -> list[str]:
    """Extras that stand for themselves, each needed by a command."""
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    return sorted(set(extras) - JOINT - set(FOR_PYTHON))


def main() -> None:
    """Build, install, try, and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="new folder in which everything is left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        if folder.exists() and any(folder.iterdir()):
            sys.exit(f"{folder}: is not empty; name a new folder")
        (folder / "work").mkdir(parents=True, exist_ok=True)
        environment = Environment(folder / "environment", folder / "work")
        subprocess.run([sys.executable, "-m", "venv", str(environment.folder)], check=True)
        wheel = built(environment, folder)
        lacking = missing_files(wheel)
        if lacking:
            sys.exit(f"not in the wheel: {', '.join(lacking)}")
        constraints = str(ROOT / "constraints.txt")
        pip = (environment.python, "-m", "pip")
        environment.must(*pip, "install", "--quiet", "--constraint", constraints, str(wheel))
        environment.must(*pip, "uninstall", "--quiet", "--yes", "pip")
        sizes = json.loads(environment.must(environment.python, "-c", LIST_SIZES))
        environment.must(environment.python, "-c", SAMPLES)
        for name, file in zip("ab", sorted((environment.work / "photos").rglob("*.png")), strict=False):
            shutil.copy(file, environment.work / f"{name}.png")
        for step in [*steps(), *map(steps_without, extras_of_commands())]:
            environment.take(step)
        for extra, call in FOR_PYTHON.items():
            said = environment.must(environment.python, "-c", asking(call))
            if f"doppelgram[{extra}]" not in said:
                environment.failed.append(f"{call}: does not say 'doppelgram[{extra}]'\n{said}")
        if environment.failed:
            sys.exit("\n\n".join(["", *environment.failed]))
        version = re.sub(r"^Python\s+", "", environment.must(environment.python, "--version").strip())
        print(written(wheel, sizes, version))


if __name__ == "__main__":
    main()
