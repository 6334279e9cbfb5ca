"""The command line as a user has it: real processes, their output and exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from doppelgram.pose.estimators.registry import ESTIMATORS

FAST = ["--set", "epochs=2", "--set", "data.size=24", "--set", "sampler.batch=16"]


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
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


def test_commands_that_train_nothing_do_not_wait_for_the_trainer() -> None:
    names = "searching", "posing", "comparing_images", "evaluating", "mapping", "mistakes", "tracing"
    code = f"import sys, {', '.join(f'doppelgram.api.{name}' for name in names)}; print('lightning' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "False"


@pytest.mark.parametrize("command", ["train", "evaluate", "index", "search", "verify", "split", "demo", "weights"])
def test_every_command_has_help(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0
    usage = " ".join(done.stdout.split())
    assert f"{command} [OPTIONS]" in usage
    assert "Traceback" not in done.stderr


def test_pose_names_every_estimator() -> None:
    usage = run("pose", "--help").stdout
    assert all(name in usage for name in ESTIMATORS)
    assert "one photograph" in " ".join(usage.split())


def test_the_whole_job(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=3, images=20)
    done = run("split", data, "--by", "group", "--out", tmp_path / "split.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["images"].values()) == 60
    done = run("train", data, "--recipe", "signs", "--out", tmp_path / "run", "--split", tmp_path / "split.csv", *FAST)
    assert done.returncode == 0, done.stderr
    assert "epoch   2/2" in done.stderr
    assert "Next: doppelgram evaluate" in done.stdout
    done = run("evaluate", tmp_path / "run", "--out", tmp_path / "report", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads((tmp_path / "report/metrics.json").read_text())
    done = run("index", data, "--model", tmp_path / "run", "--catalog", tmp_path / "catalog", "--json")
    assert json.loads(done.stdout)["added"] == 60, done.stderr
    queries = sorted(data.glob("*/*.png"))[:2]
    done = run("search", tmp_path / "catalog", *queries, "-k", 3, "--json", "--montage", tmp_path / "m.png")
    found = json.loads(done.stdout)
    assert [entry["query"] for entry in found] == [str(query) for query in queries]
    assert [match["rank"] for match in found[0]["matches"]] == [1, 2, 3]
    assert (tmp_path / "m.png").is_file()
    plain = [line.split("\t") for line in run("search", tmp_path / "catalog", queries[0]).stdout.splitlines()]
    assert [cells[1] for cells in plain] == ["1", "2", "3", "4", "5"]
    assert all(cells[0] == str(queries[0]) and Path(cells[5]).is_file() for cells in plain)
    done = run("verify", tmp_path / "run", *queries, "--json")
    assert 0 <= json.loads(done.stdout)["probability"] <= 1
    assert run("verify", tmp_path / "run", queries[0], queries[0]).stdout.startswith("same:")


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
        (["split", "pictures", "--by", "image", "--out", "/dev/null/s.csv"], "/dev/null"),
        (["train", "pictures", "--recipe", "signs", "--out", "/dev/null/run"], "/dev/null"),
        (["search", "nowhere", "x.png", "--montage", "m.jpg"], "a montage is a PNG"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(arguments: list[str], words: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path,label\nx.png,a\n,b\n")
    for name in ("a/1.png", "a/2.png", "b/1.png", "b/2.png"):
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pictures" / name).touch()
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert done.stdout == ""


def test_weights(tmp_path: Path) -> None:
    (tmp_path / "mobilenet_v2_imagenet").mkdir()
    listed = json.loads(run("weights", "list", "--weights", tmp_path, "--json").stdout)
    paths = {row["name"]: row["path"] for row in listed}
    assert paths["mobilenet_v2_imagenet"] == str(tmp_path / "mobilenet_v2_imagenet")
    assert paths["movenet_lightning"] == ""
    assert (
        run("weights", "path", "mobilenet_v2_imagenet", "--weights", tmp_path).stdout.strip()
        == paths["mobilenet_v2_imagenet"]
    )


def test_ctrl_c_leaves_a_run_that_resumes_to_the_same_model(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=4, images=20)
    arguments = ["train", data, "--recipe", "triplet", "--seed", "3", "--set", "epochs=6", "--set", "data.size=32",
                 "--set", "sampler.batch=16"]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "doppelgram", *map(str, arguments)]
    whole = subprocess.run(
        [*command, "--out", tmp_path / "whole"], capture_output=True, text=True, env=environment, check=True
    )
    assert "epoch   6/6" in whole.stderr
    halted = subprocess.Popen(
        [*command, "--out", tmp_path / "halted"], stderr=subprocess.PIPE, text=True, env=environment
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
    done = run("evaluate", tmp_path / "halted")
    assert done.returncode == 2
    assert "no finished model yet" in done.stderr
    again = subprocess.run(
        [*command, "--out", tmp_path / "halted", "--resume"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    finished = int(re.search(r"stopped after (\d+) finished epochs", rest).group(1))
    assert finished >= 1
    first = next(line for line in again.stderr.splitlines() if line.startswith("epoch"))
    assert first.startswith(f"epoch   {finished + 1}/6")
    assert "epoch   6/6" in again.stderr
    fingerprints = [
        json.loads((tmp_path / name / "run.json").read_text())["fingerprint"] for name in ("whole", "halted")
    ]
    assert fingerprints[0] == fingerprints[1]


def test_kill_9_leaves_a_run_that_resumes(class_folder: Callable[..., Path], tmp_path: Path) -> None:
    data = class_folder(classes=4, images=20)
    command = [sys.executable, "-m", "doppelgram", "train", str(data), "--recipe", "triplet", "--set", "epochs=5",
               "--set", "data.size=32", "--set", "sampler.batch=16", "--out", str(tmp_path / "run")]  # fmt: skip
    killed = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert killed.stderr is not None
    for line in killed.stderr:
        if line.startswith("epoch   2/5"):
            break
    time.sleep(0.05)
    killed.kill()
    killed.wait(timeout=60)
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["epochs"] == 5
