"""The commands and the Python of the documentation are run, in order, on a folder of rendered signs."""

from __future__ import annotations

import contextlib
import glob
import io
import json
import re
import shlex
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import typer

from doppelgram.cli import app
from doppelgram.numbers import NONE, estimate
from doppelgram.samples.signs import render_signs
from doppelgram.training.recipes.files import read_recipe, recipe_names
from doppelgram.training.recipes.schema import all_keys, make_recipe
from doppelgram.training.recipes.towers import TOWERS
from doppelgram.weights.known import KNOWN, PackageFile
from helpers.commands import call

ROOT = Path(__file__).parents[1]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [doc for doc in DOCS if "$ doppelgram " in doc.read_text(encoding="utf-8")]


@pytest.mark.parametrize("doc", COMMANDS, ids=lambda doc: doc.name)
def test_commands_and_python_of_the_docs_work(doc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render_signs(tmp_path / "photos", classes=8, per_class=10, seed=0)
    monkeypatch.chdir(tmp_path)
    text = doc.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for language, block in re.findall(r"```(console|python)\n(.*?)```", text, flags=re.DOTALL):
        if language == "python":
            if "from datasets import" in block and find_spec("datasets") is None:
                warnings.warn(f"{doc.name}: NOT RUN, since Hugging Face's datasets is not installed", stacklevel=1)
                continue
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block, doc.name, "exec"), names)
            continue
        for line in block.splitlines():
            if not line.startswith("$ doppelgram "):
                continue
            # Each file name of the page stands for a real one: what matters is that there is such a file.
            words = [word for part in shlex.split(line[2:]) for word in (sorted(glob.glob(part)) or [part])]
            shortened = ["--set", "epochs=1"] if words[1] in ("train", "compare") else []
            done = call(*words[1:], *shortened)
            assert done.status == 0, f"{line}\n{done.stderr}"
            if "--json" in words:
                json.loads(done.stdout)


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_every_command_line_of_the_docs_has_options_that_exist(doc: Path) -> None:
    """Also of those that are not run, because they need weights or a night."""
    for block in re.findall(r"```(?:sh|console|text)?\n(.*?)```", doc.read_text(encoding="utf-8"), flags=re.DOTALL):
        for line in re.findall(r"^(?:\$ )?doppelgram (.+)$", block, flags=re.MULTILINE):
            words, command = shlex.split(line, comments=True), typer.main.get_command(app)
            while hasattr(command, "commands"):
                command = command.commands[words.pop(0)]
            known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            assert {word for word in words if word.startswith("-")} <= known, line


def test_every_key_of_a_recipe_is_documented_with_its_default() -> None:
    text = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 4]
    documented = {key for row in rows for key in re.findall(r"`(\w+\.\w+)`", row.split("|")[1])}
    mentioned = set(re.findall(r"`(\w+\.\w+)`", text))
    assert set(all_keys()) <= mentioned
    assert documented <= {*all_keys(), "pairs.mask", "pairs.negatives", "pairs.batch"}
    default, pairs = make_recipe({}).model_dump(), make_recipe({"task": "pairs"}).pairs.model_dump()
    for row in rows:
        keys = re.findall(r"`(\w+\.\w+)`", row.split("|")[1])
        values = [value.strip() for value in row.split("|")[2].split(",")]
        for key, value in zip(keys, values if len(values) == len(keys) else values * len(keys), strict=True):
            section, name = key.split(".")
            actual = {**default, "pairs": pairs}[section][name]
            if isinstance(actual, (int, float)) and not isinstance(actual, bool):
                assert float(value) == float(actual), key
            elif isinstance(actual, bool):
                assert value == str(actual).lower(), key
            elif actual and not isinstance(actual, dict):
                assert value == actual, key


def test_every_key_of_a_tower_is_documented(tmp_path: Path) -> None:
    text = (ROOT / "docs/recipes.md").read_text(encoding="utf-8").split("## Task arrangements")[1]
    for task in ("classes", "keypoints", "untrained"):
        rows = [
            line
            for line in text.splitlines()
            if line.startswith("|") and {task, "all"} & {*line.split("|")[1].replace(",", "").split()}
        ]
        said = {key for row in rows for key in re.findall(r"`([\w.*]+)`", row.split("|")[2])}
        for key in TOWERS[task].key_names():
            assert key in said or key.partition(".")[0] + ".*" in said or key == "task", f"{task}: {key}"
    example = text.split("```toml\n")[1].split("```")[0]
    (tmp_path / "example.toml").write_text(example, encoding="utf-8")
    towers = read_recipe(tmp_path / "example.toml").towers
    assert [(tower.name, tower.of) for tower in towers] == [
        ("place", "place"),
        ("scene", "place"),
        ("keypoints", "pose"),
    ]


def test_every_shipped_recipe_is_documented() -> None:
    text = (ROOT / "docs/recipes.md").read_text(encoding="utf-8")
    assert set(recipe_names()) <= set(re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE))


@pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)
def test_links_inside_the_project_lead_somewhere(doc: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", doc.read_text(encoding="utf-8")):
        assert (doc.parent / target).exists(), target


def test_figures_in_the_readme_stand_in_the_committed_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    figures = readme.split("## Figures")[1].split("\n## ")[0]
    results = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "benchmarks/results").glob("*.md"))
    quoted = re.findall(r"\*\*([\d.]+)( %)?\*\*", figures)
    assert len(quoted) >= 5
    for number, percent in quoted:
        assert (
            re.search(rf"{re.escape(number)}\s?%", results)
            if percent
            else re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])", results)
        ), number


def test_figures_of_the_ladder_stand_in_its_results() -> None:
    """Each measured rung has its row, with the figures of the committed result, and no sentence another one."""
    page = (ROOT / "docs/ladder.md").read_text(encoding="utf-8").split("## Results")[1].split("\n## ")[0]
    results = ROOT / "benchmarks/results"
    found = json.loads((results / "ladder.json").read_text(encoding="utf-8"))["protocols"]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    rows = {row[0]: row[2:] for row in cells[2:]}
    measured = {rung["title"]: key for each in found.values() for key, rung in each["rungs"].items()}
    assert set(rows) == set(measured)
    for title, key in measured.items():
        for name, said in zip(("closed", "open"), rows[title], strict=True):
            metric = found[name]["rungs"].get(key, {}).get("metrics", {}).get("accuracy_same_place")
            assert said == (estimate(metric["value"], metric["low"], metric["high"]) if metric else NONE), title
    written = (results / "ladder.md").read_text(encoding="utf-8")
    sentences = "\n".join(line for line in page.splitlines() if line[:1] != "|")
    quoted = re.findall(r"[\d.]+ %", sentences)
    assert quoted
    assert [figure for figure in quoted if not re.search(rf"(?<![\d.]){re.escape(figure)}", written)] == []


def test_figures_of_the_methods_guide_stand_in_the_results_that_it_names() -> None:
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|") and "benchmarks/results/" in line]
    assert len(rows) >= 10
    for row in rows:
        (file,) = re.findall(r"\((\.\./benchmarks/results/\w+\.md)\)", row)
        result = re.sub(r"(?<=\d)\s*%", " %", (ROOT / "docs" / file).read_text(encoding="utf-8"))
        # a figure in bold, its interval in brackets, and how many there were
        wanted = re.findall(r"\*\*([\d.]+(?: %)?)\*\*", row) + re.findall(r"(?:of|n =) ([\d,]+)(?= [ar|]|\s*\|)", row)
        wanted += [bound for low_high in re.findall(r"\(([\d.]+) to ([\d.]+)\)", row) for bound in low_high]
        assert wanted
        for figure in wanted:
            assert re.search(rf"(?<![\d.]){re.escape(figure)}", result), (figure, file)


def test_the_methods_guide_names_the_licence_of_all_weights() -> None:
    text = (ROOT / "docs/methods.md").read_text(encoding="utf-8").split("## Licences of the weights")[1]
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    said = {name: (row[2], row[3].strip()) for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    assert set(said) == set(KNOWN)
    for name, weights in KNOWN.items():
        brought, licence = said[name]
        assert licence == weights.licence
        assert (
            f"extra `{weights.source.extra}`" if isinstance(weights.source, PackageFile) else "weights pull"
        ) in brought


def test_the_index_of_the_documents_names_every_one() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\(([\w/-]+\.(?:md|ipynb))", index))
    there = {file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs").rglob("*.md")}
    there |= {file.relative_to(ROOT / "docs").as_posix() for file in (ROOT / "docs").rglob("*.ipynb")}
    assert there - {"index.md"} <= named
