"""The command line: help, answers, mistakes, interruptions."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import doppelgram
from doppelgram.cli import app
from doppelgram.pose.estimators.registry import ESTIMATORS
from helpers.commands import call, call_with_one_thread

FAST = ["--set", "epochs=2", "--set", "data.size=24", "--set", "sampler.batch=16"]


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a user has it."""
    command = [sys.executable, "-m", "doppelgram", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300, check=False)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from doppelgram.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'pandas', 'PIL', 'lightning', 'transformers', 'lancedb', 'pyarrow', 'matplotlib'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "train" in out
    assert out.strip().endswith("HEAVY []")


@pytest.mark.slow
def test_commands_that_train_nothing_do_not_wait_for_the_trainer() -> None:
    names = "search", "pose", "compare_images", "evaluate", "map", "label_errors", "trace"
    code = f"import sys, {', '.join(f'doppelgram.api.{name}' for name in names)}; print('lightning' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*before, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))


COMMANDS = [(), *commands(typer.main.get_command(app))]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_80_columns_and_has_an_example(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = call(*command, "--help")
    assert done.status == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "…" not in done.stdout
    assert "9223372036854775807" not in done.stdout
    examples = re.findall(r"^ +doppelgram (.+?) *$", done.stdout.partition("Example")[2], flags=re.MULTILINE)
    assert examples
    for example in examples:
        if command:
            assert example.startswith(" ".join(command))
            check_options(example)


def check_options(example: str) -> None:
    """Every option of an example is one that the command has."""
    words = example.split()
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands") and words:
        command = command.commands[words.pop(0)]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("-")} <= known


def test_one_flag_means_one_thing() -> None:
    """An option of the same name takes the same kind of value wherever it stands."""
    values: dict[str, set[str]] = {}
    for names in COMMANDS:
        command: Any = typer.main.get_command(app)
        for name in names:
            command = command.commands[name]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.metavar:
                values.setdefault(parameter.opts[0], set()).add(parameter.metavar)
    several = {name: found for name, found in values.items() if len(found) > 1}
    assert set(several) <= {
        "--out",
        "--part",
        "--by",
        "--face",
        "--faces",
    }


def test_commands_are_listed_in_panels() -> None:
    lines = call("--help").stdout.splitlines()
    panels = [match[1] for line in lines if (match := re.match(r"╭─ (.+?) ─", line))]
    assert panels == ["Options", "Start", "Learn", "Search", "Understand", "Role models", "Reproduce"]


def test_pose_names_every_estimator() -> None:
    usage = call("pose", "--help").stdout
    assert all(name in usage for name in ESTIMATORS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("verify run a.jpg b.jpg", "verify A B --model RUN"),
        ("errors run", "errors [DATA] --model RUN"),
        ("errors run photos", "errors [DATA] --model RUN"),
        ("map run", "map [DATA] --model RUN"),
        ("map run photos", "map [DATA] --model RUN"),
        ("weights pull net --into here", "weights pull NAME --weights DIR"),
    ],
)
def test_earlier_spellings_name_the_new_one(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    done = call(*old.split())
    assert done.status == 2
    assert f"`doppelgram {new}`" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_whole_job(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=3, images=20)
    made = call("split", data, "--by", "group", "--out", tmp_path / "split.csv", "--json")
    assert made.status == 0, made.stderr
    assert sum(json.loads(made.stdout)["images"].values()) == 60
    done = call("train", data, "--recipe", "signs", "--out", tmp_path / "run", "--split", tmp_path / "split.csv", *FAST)
    assert done.status == 0, done.stderr
    assert "epoch   2/2" in done.stderr
    assert "Next: doppelgram evaluate" in done.stdout
    done = call("evaluate", tmp_path / "run", "--out", tmp_path / "report", "--json")
    assert done.status == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "report/metrics.json").read_text())
    done = call("index", data, "--model", tmp_path / "run", "--catalog", tmp_path / "catalog", "--json")
    assert json.loads(done.stdout)["added"] == 60, done.stderr
    queries = sorted(data.glob("*/*.png"))[:2]
    done = call("search", tmp_path / "catalog", *queries, "-k", 3, "--json", "--montage", tmp_path / "m.png")
    found = json.loads(done.stdout)
    assert [entry["query"] for entry in found] == [str(query) for query in queries]
    assert [match["rank"] for match in found[0]["matches"]] == [1, 2, 3]
    assert (tmp_path / "m.png").is_file()
    plain = [line.split("\t") for line in call("search", tmp_path / "catalog", queries[0]).stdout.splitlines()]
    assert plain[0] == ["query", "rank", "label", "distance", "probability", "path"]
    assert [cells[1] for cells in plain[1:]] == ["1", "2", "3", "4", "5"]
    assert all(cells[0] == str(queries[0]) and Path(cells[5]).is_file() for cells in plain[1:])
    done = call("verify", *queries, "--model", tmp_path / "run", "--json")
    assert 0 <= json.loads(done.stdout)["probability"] <= 1
    assert call("verify", queries[0], queries[0], "--model", tmp_path / "run").stdout.startswith("same:")
    done = call("errors", "--model", tmp_path / "run")
    assert done.status == 0
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nowhere", "--recipe", "signs", "--out", "r"], "nowhere: there is no such folder"),
        (["train", ".", "--recipe", "sings", "--out", "r"], "no recipe 'sings'"),
        (["train", ".", "--recipe", "signs", "--out", "r", "--set", "epoch=3"], "did you mean"),
        (["train", ".", "--recipe", "signs"], "Missing option '--out'"),
        (["evaluate", "nowhere"], "no such run"),
        (["evaluate", "."], "neither a run nor a model"),
        (["index", ".", "--model", "nowhere", "--catalog", "c"], "no such run"),
        (["search", "nowhere", "x.png"], "nowhere"),
        (["split", ".", "--by", "image", "--out", "s.csv", "--fractions", "1,2"], "three shares"),
        (["split", "a.csv", "--by", "image", "--out", "s.csv"], "row 3: the path is empty"),
        (["weights", "path", "nothing"], "neither a folder"),
        (["weights", "pull", "nothing"], "known are"),
        (["fly"], "No such command 'fly'"),
        (["search", "nowhere", "x.png", "-k", "0"], "1 or more"),
        (["train", ".", "--recipe", "signs", "--out", "r", "--seed", "-1"], "0 or more"),
        (["train", ".", "--recipe", "signs", "--out", "r", "--seed", str(2**63)], "too large"),
        (["map"], "--model RUN"),
        (["split", "pictures", "--by", "image", "--out", "/dev/null/s.csv"], "/dev/null"),
        (["train", "pictures", "--recipe", "signs", "--out", "/dev/null/run"], "/dev/null"),
        (["search", "nowhere", "x.png", "--montage", "m.jpg"], "a montage is a PNG"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("path,label\nx.png,a\n,b\n")
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).touch()
    done = call(*arguments)
    assert done.status == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


@pytest.mark.slow
def test_a_real_process_ends_like_that_too() -> None:
    done = run("evaluate", "nowhere")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_weights(tmp_path: Path) -> None:
    (tmp_path / "mobilenet_v2_imagenet").mkdir()
    listed = json.loads(call("weights", "list", "--weights", tmp_path, "--json").stdout)
    paths = {row["name"]: row["path"] for row in listed}
    assert paths["mobilenet_v2_imagenet"] == str(tmp_path / "mobilenet_v2_imagenet")
    assert paths["movenet_lightning"] == ""
    done = call("weights", "path", "mobilenet_v2_imagenet", "--weights", tmp_path)
    assert done.stdout.strip() == paths["mobilenet_v2_imagenet"]
    assert max(map(len, call("weights", "list").stdout.splitlines())) <= 80


@pytest.mark.slow
def test_ctrl_c_leaves_a_run_that_resumes_to_the_same_model(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=4, images=20)
    settings = ["--recipe", "triplet", "--seed", "3"]
    settings += ["--set", "epochs=6", "--set", "data.size=32", "--set", "sampler.batch=16"]
    whole = call_with_one_thread("train", data, *settings, "--out", tmp_path / "whole")
    assert whole.status == 0, whole.stderr
    assert "epoch   6/6" in whole.stderr
    halted = subprocess.Popen(
        [sys.executable, "-m", "doppelgram", "train", str(data), *settings, "--out", tmp_path / "halted"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert halted.stderr is not None
    for line in halted.stderr:
        if line.startswith("epoch   2/6"):
            halted.send_signal(signal.SIGINT)
            break
    rest = halted.stderr.read()
    halted.wait(timeout=60)
    assert halted.returncode == 130, rest
    assert "--resume" in rest
    assert "Traceback" not in rest
    done = call("evaluate", tmp_path / "halted")
    assert done.status == 2
    assert "no finished model yet" in done.stderr
    again = call_with_one_thread("train", data, *settings, "--out", tmp_path / "halted", "--resume")
    assert again.status == 0, again.stderr
    finished = int(re.search(r"stopped after (\d+) finished epochs", rest).group(1))
    assert finished >= 1
    first = next(line for line in again.stderr.splitlines() if line.startswith("epoch"))
    assert first.startswith(f"epoch   {finished + 1}/6")
    assert "epoch   6/6" in again.stderr
    fingerprints = [
        json.loads((tmp_path / name / "run.json").read_text())["fingerprint"] for name in ("whole", "halted")
    ]
    assert fingerprints[0] == fingerprints[1]


@pytest.mark.slow
def test_kill_9_leaves_a_run_that_resumes(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=4, images=20)
    settings = ["--recipe", "triplet", "--set", "epochs=5", "--set", "data.size=32", "--set", "sampler.batch=16"]
    command = ["train", str(data), *settings, "--out", str(tmp_path / "run")]
    killed = subprocess.Popen([sys.executable, "-m", "doppelgram", *command], stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    for line in killed.stderr:
        if line.startswith("epoch   2/5"):
            break
    time.sleep(0.05)
    killed.kill()
    killed.wait(timeout=60)
    done = call(*command, "--resume")
    assert done.status == 0, done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["epochs"] == 5


def test_the_version() -> None:
    answer = call("--version")
    assert (answer.status, answer.stdout.strip()) == (0, f"doppelgram {doppelgram.__version__}")
