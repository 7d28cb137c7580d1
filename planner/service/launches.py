"""How to start the instances of a plan, as argument lists.

The exporters write shell text for people; an agent wants the words. The text is the single source of the
flags, so it is taken apart again by shell rules instead of building the commands twice.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass

from models.errors import InvalidInput, UnknownName, Unsupported

__all__ = ["LaunchCommand", "launch_commands", "split_script"]

_HEADING = re.compile(r"# (?P<instance>\S+) on (?P<node>[^\s,]+)(, part \d+ of \d+)?")
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchCommand:
    """One command for one node of one instance; `environment` comes beside the inherited one."""

    instance: str
    node: str
    environment: dict[str, str]
    command: tuple[str, ...]


def launch_commands(plan_json: str) -> list[LaunchCommand]:
    """The commands of a plan in canonical JSON.

    Empty for a plan that runs nothing, that an engine's exporter refuses, or that another version of Fulcrum
    wrote in a form this one does not read.
    """
    from planner.export import export
    from planner.plan import Plan

    try:
        plan = Plan.from_json(plan_json)
        commands: list[LaunchCommand] = []
        nodes = {stage.node for instance in plan.instances for stage in instance.stages}
        for engine in sorted({instance.engine for instance in plan.instances}):
            commands += split_script(export(plan, engine), nodes)
    except (Unsupported, UnknownName, InvalidInput):
        return []
    return commands


def split_script(script: str, nodes: Collection[str]) -> list[LaunchCommand]:
    """Take apart ``# NAME on NODE`` comments and the command under each.

    The shell variable with the address of a node becomes ``{address:NODE}``: there is no shell to expand it.
    """
    for node in nodes:
        variable = f'"${{ADDRESS_{re.sub(r"[^A-Za-z0-9]", "_", node)}:?}}"'
        script = script.replace(variable, f"{{address:{node}}}")
    commands = []
    for block in script.split("\n\n"):
        heading, _, text = block.strip().partition("\n")
        found = _HEADING.fullmatch(heading)
        if found is None:
            raise Unsupported(f"the exporter wrote {heading!r} where `# INSTANCE on NODE` was expected")
        words = shlex.split(text.replace("\\\n", " "))
        environment = {}
        while words and (assignment := _ASSIGNMENT.fullmatch(words[0])):
            environment[assignment["name"]] = assignment["value"]
            words.pop(0)
        commands.append(
            LaunchCommand(
                instance=found["instance"], node=found["node"], environment=environment, command=tuple(words)
            )
        )
    return commands
