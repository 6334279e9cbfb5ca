"""Command lines of earlier versions: each ends in a sentence that names the new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doppelgram.errors import DoppelgramError

# Earlier the model stood first; now what is asked about does.
_MODEL_FIRST = {
    "verify": "doppelgram verify A B --model RUN",
    "errors": "doppelgram errors [DATA] --model RUN",
    "map": "doppelgram map [DATA] --model RUN",
}
_RENAMED = {("pull", "--into"): "doppelgram weights pull NAME --weights DIR"}
_MODEL_FILES = "run.json", "model.json"


def refuse_model_as_data(command: str, data: Path | str | None, model: str | None) -> None:
    """Stop where a run or model folder stands in the place of the images.

    Raises:
        DoppelgramError: ``data`` is one, and no other model is named.
    """
    if data is not None and model is None and any((Path(data).expanduser() / name).is_file() for name in _MODEL_FILES):
        raise DoppelgramError(f"{data}: is a model, and a model is an option; write `{_MODEL_FIRST[command]}`")


def explain(problem: Any) -> str:
    """What is wrong with a command line, in one sentence; for one of an earlier version, the one to write now."""
    message = str(problem.format_message()).rstrip(".")
    context = getattr(problem, "ctx", None)
    name = context.info_name if context is not None else ""
    new = _MODEL_FIRST.get(name) if "--model" in message or "extra argument" in message else None
    for (command, option), successor in _RENAMED.items():
        if name == command and option in message:
            new = successor
    return f"{message}; write `{new}`" if new else message
