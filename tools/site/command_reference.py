"""The reference of the command line, from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer

from doppelgram.cli import app

_INTRO = """# Commands

Every command with its options, as `doppelgram COMMAND --help` has them. The [guide](guide.md) shows what they are for.
"""


def command_reference() -> str:
    """All commands in Markdown, panel by panel as the program lists them."""
    parts, panel = [_INTRO], ""
    for name, command in _commands(typer.main.get_command(app)):
        heading = getattr(command, "rich_help_panel", None) or panel
        if " " not in name and heading != panel:
            panel = heading
            parts.append(f"## {panel}")
        parts.append(_section(name, command))
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.commands[name]
        yield f"{before}{name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")


def _section(name: str, command: Any) -> str:
    parts = [f"### doppelgram {name}", _plain(command.help or "")]
    if hasattr(command, "commands"):
        return "\n\n".join(part for part in parts if part)
    parameters = [parameter for parameter in command.params if parameter.name != "help"]
    arguments = [parameter for parameter in parameters if parameter.param_type_name == "argument"]
    options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
    words = [str(each.metavar or each.name.upper()) for each in arguments]
    words = [word if each.required else f"[{word}]" for word, each in zip(words, arguments, strict=True)]
    parts.append(f"```text\ndoppelgram {' '.join([name, *words])}{' [options]' if options else ''}\n```")
    rows = [
        *((f"`{word.strip('[]')}`", _plain(each.help)) for word, each in zip(words, arguments, strict=True)),
        *((_spelling(each), _about(each)) for each in options),
    ]
    parts.append("\n".join(["| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)]))
    examples = [line.strip().replace("\\[", "[") for line in (command.epilog or "").splitlines()]
    lines = [line for line in examples if line.startswith("doppelgram ")]
    if lines:
        parts.append("```sh\n" + "\n".join(lines) + "\n```")
    return "\n\n".join(part for part in parts if part)


def _spelling(option: Any) -> str:
    names = [*option.opts, *option.secondary_opts]
    value = f" {option.metavar}" if option.metavar and not option.is_flag else ""
    return _cell(" / ".join(f"`{name}{value}`" for name in names))


def _about(option: Any) -> str:
    text, default = _plain(option.help), option.default
    if option.required:
        return f"{text} Must be given."
    plain = not option.is_flag and isinstance(default, (str, int, float)) and str(default) != ""
    path = not option.is_flag and hasattr(default, "parts")
    return f"{text} Default: `{default}`." if plain or path else text


def _plain(text: str | None) -> str:
    """Help as Markdown: no markup of the terminal, lines joined within a paragraph, nothing that looks like a tag."""
    paragraphs = re.split(r"\n\s*\n", (text or "").strip())
    joined = "\n\n".join(" ".join(part.split()) for part in paragraphs)
    return _cell(joined.replace("\\[", "[").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
