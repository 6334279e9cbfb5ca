"""The oldest versions that are tested are the lower bounds of pyproject.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
# Extras whose packages are not among the oldest: tools of the developers, one that asks for other versions, and one
# whose oldest version nobody has tried.
LEFT_OUT = {"dev", "mediapipe", "datasets"}


def bounds() -> dict[str, Version]:
    """The highest lower bound of each package that the program or one of its extras asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(one for name in extras if name not in LEFT_OUT for one in extras[name])]
    found: dict[str, Version] = {}
    for requirement in map(Requirement, asked):
        name = canonicalize_name(requirement.name)
        if name != "doppelgram":
            (lower,) = (Version(each.version) for each in requirement.specifier if each.operator == ">=")
            found[name] = max(lower, found.get(name, lower))
    return found


def sections() -> list[dict[str, Version]]:
    """Versions of constraints-oldest.txt: the lower bounds, what they need, and what the tests need."""
    text = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8")
    found: list[dict[str, Version]] = []
    for block in text.split("\n\n")[1:]:
        lines = [line.split("==") for line in block.splitlines() if line and not line.startswith("#")]
        found.append({canonicalize_name(name): Version(version) for name, version in lines})
    return found


def test_the_lower_bounds_are_what_is_installed() -> None:
    """Where a bound names fewer numbers than the version has, the first release of that name counts."""
    lowest = sections()[0]
    wanted = bounds()
    assert set(lowest) == set(wanted)
    for name, bound in wanted.items():
        if name == "torch":
            assert lowest[name] == Version("2.13.0") >= bound
            continue
        release = lowest[name].release
        assert release[: len(bound.release)] == bound.release, f"{name}: {lowest[name]} is tested, {bound} allowed"


def test_nothing_stands_there_twice_and_the_newest_are_no_older() -> None:
    parts = sections()
    names = [name for part in parts for name in part]
    assert len(parts) == 3
    assert len(names) == len(set(names))
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    newest = {
        canonicalize_name(name): Version(version)
        for name, version in (line.split("==") for line in lines if line and not line.startswith("#"))
    }
    for name, version in parts[0].items():
        assert version <= newest[name], name
