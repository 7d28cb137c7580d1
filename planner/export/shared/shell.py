"""Launch commands as text for a shell."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable

from models.errors import Unsupported
from planner.export.shared.about import period_note
from planner.export.shared.launch import Engine, LaunchCommand, commands_of
from planner.export.shared.words import addresses, with_addresses
from planner.plan import Plan

__all__ = ["address_variable", "script"]


def script(plan: Plan, engine: Engine, version: str) -> str:
    """For each instance and node a comment and the command to run there.

    Instances of other engines are counted in a comment; a plan without any of this engine is refused.
    """
    counts = Counter(i.engine for i in plan.instances if i.engine != engine.name)
    others = sorted(counts)
    commands = list(commands_of(plan, engine, version))
    if not commands:
        raise Unsupported(f"the plan runs no instance of {engine.name}; it runs {', '.join(others)}")
    blocks = [
        f"# instances of {other} are not here, {counts[other]} of them: export to {other}\n"
        for other in others
    ]
    note = period_note(plan)
    return "\n".join((*([note] if note else []), *blocks, *_blocks(commands)))


def _blocks(commands: Iterable[LaunchCommand]) -> Iterable[str]:
    for c in commands:
        part = f", part {c.part} of {c.parts}" if c.parts > 1 else ""
        yield f"# {c.instance} on {c.node}{part}\n{_command(c)}\n"


def _command(launch: LaunchCommand) -> str:
    """One flag a line, each with its value."""
    words = [f"{name}={_quoted(value)}" for name, value in launch.environment.items()]
    lines: list[list[str]] = [words]
    for word in launch.command:
        if word.startswith("--"):
            lines.append([])
        lines[-1].append(_quoted(word))
    return " \\\n  ".join(" ".join(line) for line in lines)


def address_variable(node: str) -> str:
    """The shell variable with the address of a node."""
    return f"ADDRESS_{re.sub(r'[^A-Za-z0-9]', '_', node)}"


def _quoted(word: str) -> str:
    """A word for the shell, which stops where an address is not set."""
    if not addresses(word):
        return shlex.quote(word)
    return with_addresses(word, lambda node: f'"${{{address_variable(node)}:?}}"', shlex.quote)
