"""The command that starts an engine, from what the server assigned and a template.

A template is words around ``{command}``, which stands for all words of the engine's own command, as in
``numactl -N 0 {command}``. In its other words ``{gpus}``, ``{instance}``, ``{workload}``, ``{model}``,
``{node}``, ``{address}`` and ``{port}`` are replaced. No shell is involved: what the server sends is passed
on as words, never interpreted.
"""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import InvalidInput
from planner.agent.config import AgentConfig
from planner.service.protos import engine_service_pb2

__all__ = ["EngineCommand", "NotYet", "command_of", "filled", "port_of", "read_template"]

_ADDRESS = re.compile(r"\{address:([^{}]+)\}")
_FIELD = re.compile(r"\{(\w+)\}")
FIELDS = ("command", "gpus", "instance", "workload", "model", "node", "address", "port")


class NotYet(Exception):
    """The address of another node of the instance is not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCommand:
    """What to run; `port` is where it answers, None on nodes of an instance that do not."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    port: int | None


def read_template(text: str) -> tuple[str, ...]:
    """The words of a template; InvalidInput where ``{command}`` is none of them, or a field is unknown."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise InvalidInput(f"the template {text!r} cannot be split into words: {error}") from None
    if words.count("{command}") != 1:
        raise InvalidInput(f"the template {text!r} must have {{command}} as one of its words, once")
    unknown = sorted({name for word in words for name in _FIELD.findall(word)} - set(FIELDS))
    if unknown:
        raise InvalidInput(f"the template has {{{unknown[0]}}}; there are {', '.join(FIELDS)}")
    return words


def filled(words: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Words with ``{field}`` replaced; what has no value stays."""
    return tuple(_FIELD.sub(lambda found: values.get(found[1], found[0]), word) for word in words)


def command_of(assigned: engine_service_pb2.AssignedInstance, config: AgentConfig) -> EngineCommand:
    """How to start the part of an instance on this node.

    Raises
    ------
    NotYet
        An address is missing.
    InvalidInput
        The server could not say how: the engine cannot run what the plan says.
    """
    if not assigned.launch.command:
        raise InvalidInput(
            f"{assigned.instance_id}: no command is known for the engine {assigned.instance.engine}"
        )

    def placed(word: str) -> str:
        return _ADDRESS.sub(lambda found: _address(found[1], assigned), word)

    engine = assigned.instance.engine
    words = tuple(placed(word) for word in assigned.launch.command)
    if engine == "sglang" and "--enable-metrics" not in words:
        words = (*words, "--enable-metrics")  # off by default, and there is nothing to report without
    leads = assigned.instance.stages[0].node == assigned.node
    port = port_of(words) if leads else None
    values = {
        "gpus": ",".join(map(str, assigned.gpu_indices)),
        "instance": assigned.instance_id,
        "workload": assigned.instance.workload,
        "model": assigned.instance.model,
        "node": assigned.node,
        "address": config.address,
        "port": "" if port is None else str(port),
    }
    around = config.templates.get(engine, config.templates.get("", ("{command}",)))
    at = around.index("{command}")
    environment = {name: placed(value) for name, value in assigned.launch.environment.items()}
    return EngineCommand(
        words=(*filled(around[:at], values), *words, *filled(around[at + 1 :], values)),
        environment=environment, port=port,
    )  # fmt: skip


def _address(node: str, assigned: engine_service_pb2.AssignedInstance) -> str:
    found = assigned.node_addresses.get(node)
    if not found:
        raise NotYet(f"{assigned.instance_id}: no engine on {node} has registered an address")
    return found


def port_of(words: Sequence[str]) -> int | None:
    """The port in a command, where it has one."""
    for name, value in itertools.pairwise(words):
        if name == "--port" and value.isdecimal():
            return int(value)
    return None
