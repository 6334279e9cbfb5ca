"""The comparison with other tools: the page says what the results say, and the scores are right."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks/peers"
MACHINE = {"processor": "p", "python": "3", "torch": "2", "load_before": 0.0}


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of benchmarks/peers, and forgets all of them afterwards."""
    monkeypatch.syspath_prepend(str(PEERS.parent))
    monkeypatch.syspath_prepend(str(PEERS))
    before = set(sys.modules)

    def imported(name: str) -> ModuleType:
        return __import__(name)

    yield imported
    for name in set(sys.modules) - before:
        if str(PEERS.parent) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_the_page_is_what_the_committed_results_make_of_it(peers: Any) -> None:
    document, section = peers("document"), peers("section")
    sections = section.read_sections()
    assert sections
    assert document.PAGE.read_text(encoding="utf-8") == document.render(sections)


def test_every_version_of_every_tool_is_pinned() -> None:
    files = sorted(PEERS.glob("*.txt"))
    assert len(files) >= 5
    for file in files:
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        assert lines
        for line in lines:
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line), f"{file.name}: {line}"
        names = [re.sub(r"[-_.]+", "-", line.split("==")[0].lower()) for line in lines]
        assert len(names) == len(set(names)), file.name


def test_only_lines_between_the_marks_count_as_written(peers: Any, tmp_path: Path) -> None:
    environments = peers("environments")
    program, settings = tmp_path / "a.py", tmp_path / "b.yaml"
    program.write_text("before\n# begin\nfirst\n\n# a comment\n    second\n# end\nafter\n", encoding="utf-8")
    settings.write_text("one: 1\n\ntwo: 2\n", encoding="utf-8")
    assert environments.written_lines(program) == 2
    assert environments.written_lines(program, settings) == 4


def test_memory_of_the_caller_is_not_that_of_the_command(peers: Any, tmp_path: Path) -> None:
    environments = peers("environments")
    large = bytearray(300_000_000)
    used = environments.measured([sys.executable, "-c", "print('done')"], tmp_path)
    assert 1 < used.peak_mb < 200 < len(large) / 1e6
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == "done\n"


def test_a_command_that_fails_or_lasts_says_so(peers: Any, tmp_path: Path) -> None:
    environments = peers("environments")
    with pytest.raises(environments.CannotRun, match="RuntimeError: no weights"):
        environments.measured([sys.executable, "-c", "raise RuntimeError('no weights')"], tmp_path)
    with pytest.raises(environments.CannotRun, match="more than 1 s"):
        environments.measured([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, 1)


def test_an_installation_that_fails_or_lasts_says_so(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    environments = peers("environments")
    with pytest.raises(environments.CannotRun, match="tool cannot be installed: no such package"):
        environments._quiet([sys.executable, "-S", "-c", "raise SystemExit('no such package')"], "tool")
    monkeypatch.setattr(environments, "INSTALL_SECONDS", 0.1)
    with pytest.raises(environments.CannotRun, match=r"tool cannot be installed: that took more than 0\.1 s"):
        environments._quiet([sys.executable, "-c", "import time; time.sleep(60)"], "tool")


def test_what_is_behind_is_told_and_what_is_level_is_not(peers: Any) -> None:
    document, section = peers("document"), peers("section")
    found = section.Section("Title", "About.", ["ours"], ["ours", "theirs"], machine={})
    found.add("signs", "accuracy", "higher", "%", {"ours": 0.9, "theirs": 0.95})
    found.add("signs", "time", "lower", "s", {"ours": 3.0, "theirs": 3.04})  # the same, as they are spelt
    found.add("signs", "memory", "lower", "MB", {"ours": 100, "theirs": 900})
    found.add("signs", "threshold", "higher", "", {"ours": 1.0, "theirs": "has none"})
    assert document.behind(found) == ["signs, accuracy: theirs has 95.0 %, ours 90.0 %."]
    wide = {"value": 0.9, "low": 0.8, "high": 1.0}
    found.rows[0].cells = {"ours": wide, "theirs": {**wide, "value": 0.92}}
    assert "The intervals overlap." in document.behind(found)[0]
    assert document.best(found.rows[1], found.tools) == {"ours", "theirs"}
    found.tools = ["ours", "theirs", "a third's"]
    found.rows[0].cells = {"ours": 0.9, "theirs": 0.95, "a third's": 0.95}
    assert document.behind(found)[0] == "signs, accuracy: a third's and theirs have 95.0 %, ours 90.0 %."


def test_what_has_no_results_is_named(peers: Any) -> None:
    document, section = peers("document"), peers("section")
    assert tuple(document.SUBJECTS) == section.ORDER
    found = section.Section("Title", "About.", ["ours"], ["ours"], machine=MACHINE)
    said = document.render({"copies": found})
    assert "Not measured yet: training; faces; arrangements and their originators." in said
    assert "Not measured yet" not in document.render(dict.fromkeys(section.ORDER, found))


def test_a_comparison_that_is_none_is_refused_in_a_sentence() -> None:
    command = [sys.executable, str(PEERS / "run.py"), "--data", ".", "--weights", ".", "--peers", "."]
    for option, named in (("--only", "signs"), ("--tasks", "copies")):
        done = subprocess.run([*command, option, named], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert f"there is no '{named}'" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_run_of_some_tasks_keeps_the_others(peers: Any, tmp_path: Path) -> None:
    section = peers("section")
    earlier, later = (section.Section("Title", "About.", ["ours"], ["ours"]) for _ in range(2))
    for task, value in (("signs", 1), ("faces", 2)):
        earlier.add(task, "lines", "lower", "", {"ours": value})
        earlier.tasks[task] = f"{value} images"
    earlier.write("training", tmp_path)
    later.add("faces", "lines", "lower", "", {"ours": 3})
    later.tasks["faces"] = "3 images"
    later.take_over(section.read_section(tmp_path / "peers-training.json"))
    assert [(row.task, row.cells["ours"]) for row in later.rows] == [("signs", 1), ("faces", 3)]
    assert later.tasks == {"signs": "1 images", "faces": "3 images"}


@pytest.mark.slow
def test_ours_trains_the_network_that_the_others_train(peers: Any) -> None:
    """With the pooling of the recipe it would be another one; and its augmentations would be more than theirs."""
    from doppelgram.training.recipes.files import read_recipe

    training = peers("training")
    data = training.Data(Path(), 3, flip=True)
    words = training._command(data, Path("table"), Path("split"), Path("run"), 0)
    recipe = read_recipe("signs", [change for word, change in pairwise(words) if word == "--set"])
    assert (recipe.model.backbone, recipe.model.pooling, recipe.model.dim) == ("small", "", 64)
    assert (recipe.augment.blur, recipe.augment.coarse, recipe.augment.flip) == (0, 0, True)
    assert (recipe.sampler.batch, recipe.optimiser.epochs, recipe.optimiser.lr) == (training.BATCH, 3, 0.003)


@pytest.mark.slow
def test_each_comparison_can_be_imported_and_names_what_it_needs(peers: Any) -> None:
    for name in peers("run").MODULES.values():
        assert callable(peers(name).compare)
    training, environments = peers("training"), peers("environments")
    for tool, name, script, config, package in training.PEERS:
        assert environments.versions(name, package), tool
        assert (environments.TOOLS / script).is_file()
        assert not config or (environments.TOOLS / config).is_file()
    assert all(count > 0 for count in training.lines().values())
    assert training.lines()[training.OURS] == 13, "the command, four options and eight changes of the recipe"


def test_pairs_agree_as_counted_one_by_one(peers: Any) -> None:
    arrangements = peers("arrangements")
    found, true = [*"aab b", "", ""], [*"xxxyy", "z", ""]
    found[3] = ""  # alone
    together = [
        {(one, other) for one, other in combinations(range(7), 2) if labels[one] and labels[one] == labels[other]}
        for labels in (found, true)
    ]
    expected = 2 * len(together[0] & together[1]) / (len(together[0]) + len(together[1]))
    assert arrangements.pair_f1(found, true) == pytest.approx(expected)
    assert arrangements.pair_f1(true, true) == 1


def test_the_earliest_of_a_group_is_who_set_it(peers: Any) -> None:
    arrangements = peers("arrangements")
    posts = [{"path": f"{row}.jpg", "time": time} for row, time in enumerate((30.0, 10.0, 20.0, 5.0))]
    table = arrangements.as_trace(posts, [7, 7, 7, -1]).role_models
    assert table["score"].tolist() == [0, 2, 0, 0]
    assert table["parent"].tolist() == ["1.jpg", "", "1.jpg", ""]
    assert table["arrangement"].tolist() == ["7", "7", "7", ""]
    again = arrangements.by_the_earliest(arrangements.as_trace(posts, [7, 7, 7, -1])).role_models
    assert again["score"].tolist() == [0, 2, 0, 0]


def test_programs_that_run_in_a_tools_environment_are_python(tmp_path: Path) -> None:
    files = [str(file) for file in sorted((PEERS / "tools").glob("*.py"))]
    assert files
    done = subprocess.run([sys.executable, "-m", "py_compile", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
