"""Every command of `fulcrum` with its arguments and options, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["command_book"]


def command_book() -> str:
    """Markdown: one section a command, sub-commands under their group, options in the order of ``--help``."""
    import typer

    from planner.cli.app import build_app
    from planner.cli.exit_codes import ExitCode

    root = typer.main.get_command(build_app())
    lines = ["# Commands", "", "What `fulcrum COMMAND --help` says, in one place.", ""]
    lines += ["| exit code | meaning |", "|---|---|"]
    lines += [f"| {code.value} | {code.name.lower().replace('_', ' ')} |" for code in ExitCode]
    for path, command in _leaves(root, ()):
        lines += ["", *_section(path, command)]
    return "\n".join(lines) + "\n"


def _leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in sorted(inner):
        yield from _leaves(inner[name], (*path, name))


def _section(path: tuple[str, ...], command: Any) -> list[str]:
    context = command.make_context("fulcrum", [], resilient_parsing=True)
    usage = " ".join(["fulcrum", *path, *command.collect_usage_pieces(context)])
    lines = [f"## fulcrum {' '.join(path)}", "", *_paragraphs(command.help), "```text", usage, "```"]
    records = (parameter.get_help_record(context) for parameter in command.get_params(context))
    rows = [_row(*record) for record in records if record is not None and "--help" not in record[0]]
    if rows:
        lines += ["", "| argument or option | meaning |", "|---|---|", *rows]
    return lines


def _row(name: str, meaning: str) -> str:
    return (
        f"| `{name.replace('|', chr(0x2223))}` | {_text(meaning)} |"  # a divides sign: `|` would end the cell
    )


def _paragraphs(text: str | None) -> Iterator[str]:
    for part in (text or "").replace("\b", "").split("\n\n"):
        yield _text(part)
        yield ""


def _text(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;").replace("[", r"\[")
