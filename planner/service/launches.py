"""How to start the instances of a plan, as argument lists for an agent, which has no shell to expand them."""

from __future__ import annotations

from dataclasses import replace

from models.errors import InvalidInput, UnknownName, Unsupported
from planner.export.shared.launch import LaunchCommand, commands_of
from planner.export.shared.words import with_addresses

__all__ = ["LaunchCommand", "launch_commands"]


def launch_commands(plan_json: str) -> list[LaunchCommand]:
    """The commands of a plan in canonical JSON; the address of a node is written ``{address:NODE}``.

    Empty for a plan that runs nothing, that an engine's exporter refuses, or that another version of Fulcrum
    wrote in a form this one does not read.
    """
    from planner.export import engine_of
    from planner.plan import Plan

    commands: list[LaunchCommand] = []
    try:
        plan = Plan.from_json(plan_json)
        for name in sorted({instance.engine for instance in plan.instances}):
            engine = engine_of(name)
            commands += commands_of(plan, engine, engine.versions.default)
    except (Unsupported, UnknownName, InvalidInput):
        return []
    return [_for_an_agent(command) for command in commands]


def _for_an_agent(command: LaunchCommand) -> LaunchCommand:
    return replace(
        command,
        environment={name: _placed(value) for name, value in command.environment.items()},
        command=tuple(_placed(word) for word in command.command),
    )


def _placed(word: str) -> str:
    return with_addresses(word, lambda node: f"{{address:{node}}}", str)
