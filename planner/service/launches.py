"""How to start the instances of a plan, as argument lists for an agent, which has no shell to expand them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from models.errors import InvalidInput, UnknownName, Unsupported
from planner.export.shared.launch import LaunchCommand, commands_of
from planner.export.shared.words import with_addresses

if TYPE_CHECKING:
    from planner.plan import Plan

__all__ = ["LaunchCommand", "launch_commands", "plan_commands"]


def launch_commands(plan_json: str) -> list[LaunchCommand]:
    """The commands of a plan in canonical JSON; the address of a node is written ``{address:NODE}``.

    Empty for a plan that runs nothing, that an engine's exporter refuses, or that another version of Fulcrum
    wrote in a form this one does not read.
    """
    from planner.plan import Plan

    try:
        return plan_commands(Plan.from_json(plan_json))
    except (Unsupported, UnknownName, InvalidInput):
        return []


def plan_commands(plan: Plan, offsets: Mapping[str, int] | None = None) -> list[LaunchCommand]:
    """The commands of a plan, as of `launch_commands`; `offsets` as for `commands_of`.

    Raises
    ------
    Unsupported, UnknownName, InvalidInput
        The exporter of an engine refuses, or there is none.
    """
    from planner.export import engine_of

    commands: list[LaunchCommand] = []
    for name in sorted({instance.engine for instance in plan.instances}):
        engine = engine_of(name)
        commands += commands_of(plan, engine, engine.versions.default, offsets)
    return [_for_an_agent(command) for command in commands]


def _for_an_agent(command: LaunchCommand) -> LaunchCommand:
    return replace(
        command,
        environment={name: _placed(value) for name, value in command.environment.items()},
        command=tuple(_placed(word) for word in command.command),
    )


def _placed(word: str) -> str:
    return with_addresses(word, lambda node: f"{{address:{node}}}", str)
