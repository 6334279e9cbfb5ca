"""Report on the finished runs of a comparison."""

from __future__ import annotations

from pathlib import Path

from doppelgram.comparison.baselines import read_baselines
from doppelgram.comparison.cells import read_result
from doppelgram.comparison.folder import read_identity, read_results, run_folders
from doppelgram.comparison.result import Comparison
from doppelgram.console import Progress, TerminalProgress
from doppelgram.dataset.splits import read_split
from doppelgram.errors import DoppelgramError
from doppelgram.reports.comparison.report import Facts, write_report
from doppelgram.training.recipes.schema import make_recipe
from doppelgram.training.run import SPLIT_FILE, versions

PARTS = ("val", "test")


def report_comparison(
    out: Path | str, *, part: str = "val", command: str = "", progress: Progress | None = None
) -> Comparison:
    """Report on the finished runs of a comparison, and train nothing.

    Args:
        out: folder of the comparison.
        part: ``val`` or ``test``: whose images were the queries.
        command: the command line, for the report.
        progress: where it is said what was left out; the terminal by default.

    Raises:
        DoppelgramError: there is no comparison in the folder, or none of its runs is finished.
    """
    progress, out = progress or TerminalProgress(), Path(out).expanduser()
    check_part(part)
    identity = read_identity(out)
    if identity is None:
        raise DoppelgramError(f"{out}: there is no comparison here to report on")
    unfinished = sum(read_result(folder, part) is None for folder in run_folders(out))
    if unfinished:
        progress.note(f"note: {unfinished} runs are left out: not finished, or not measured on the {part} part")
    results = read_results(out, part)
    if not results:
        raise DoppelgramError(f"{out}: no run is finished and measured on the {part} part yet")
    comparison = Comparison(results, part=part, baselines=read_baselines(out, part, results))
    recipe = make_recipe({**identity["recipe"], "name": identity.get("name", "")}, drop_unused=True)
    counts = read_split(out / SPLIT_FILE).counts()
    write_report(out, comparison, Facts(identity["data"], recipe, part, command, versions(), counts))
    return comparison


def check_part(part: str) -> None:
    """Refuse a part on which runs are not measured; raises DoppelgramError."""
    if part not in PARTS:
        raise DoppelgramError(f"--part is '{part}'; it is val or test")
