"""Commands that start the instances of a plan, as words: shell scripts, pods and agents use them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from planner.export.shared.version import Versions
from planner.export.shared.words import address
from planner.plan import Instance, Plan

__all__ = ["Engine", "Flag", "LaunchCommand", "Process", "Seat", "commands_of", "nodes_of", "port_count_of"]

FIRST_PORT = 8000
FIRST_SIDE_CHANNEL_PORT = 5600
FIRST_RENDEZVOUS_PORT = 29500


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where one process of an instance runs, as the engine must be told.

    Parameters
    ----------
    rank, nodes
        Which of how many nodes; texts, because a pod learns its rank when it starts.
    own, head
        Addresses of this node and of the first; words, see `planner.export.shared.words`.
    port
        HTTP.
    side_channel_port
        For handing over the KV cache.
    rendezvous_port
        Where the nodes of an instance meet.
    leads
        Whether this is the first node; None when only the pod will know.
    """

    rank: str = "0"
    nodes: int = 1
    own: str
    head: str
    port: int = FIRST_PORT
    side_channel_port: int = FIRST_SIDE_CHANNEL_PORT
    rendezvous_port: int = FIRST_RENDEZVOUS_PORT
    leads: bool = True


Flag = str | int | float | tuple[str, ...] | None
"""Value of a flag: one word, several, or none."""


def _words(value: Flag) -> tuple[str, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (str(value),)


@dataclass(frozen=True, slots=True)
class Process:
    """What to run: flag words of a command, and its environment.

    Parameters
    ----------
    flags
        Flag → value; None for a flag without one, a tuple for one with several.
    """

    words: tuple[str, ...]
    flags: Mapping[str, Flag]
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self) -> tuple[str, ...]:
        """All words."""
        return (*self.words, *self.flag_words())

    def flag_words(self) -> tuple[str, ...]:
        """The flags with their values."""
        return tuple(word for name, value in self.flags.items() for word in (name, *_words(value)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A serving engine, as its module in `planner.export` describes it.

    Parameters
    ----------
    name
        In plans.
    title
        As people write it.
    versions
        Those whose flags are known.
    image
        Container image, with ``{version}``.
    process
        (instance, seat, version) → what to run on one node; raises `Unsupported` for what the engine cannot
        do.
    """

    name: str
    title: str
    versions: Versions
    image: str
    process: Callable[[Instance, Seat, str], Process]


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchCommand:
    """One command for one node of one instance; `environment` comes beside the inherited one.

    Parameters
    ----------
    part, parts
        Which of how many nodes of the instance, from 1.
    """

    instance: str
    node: str
    environment: dict[str, str]
    command: tuple[str, ...]
    part: int = 1
    parts: int = 1


def nodes_of(instance: Instance) -> list[str]:
    """Its nodes, first stage first, each once."""
    return list(dict.fromkeys(stage.node for stage in instance.stages))


def port_count_of(instance: Instance) -> int:
    """Ports it takes of each kind: with attention replicas, vLLM counts on from its side channel (one a GPU)
    and SGLang from a port of its own (one a replica, and six more).
    """
    return instance.stage_gpus + 6 if instance.data_parallel_size > 1 else 1


def commands_of(
    plan: Plan, engine: Engine, version: str, offsets: Mapping[str, int] | None = None
) -> Iterator[LaunchCommand]:
    """For each instance of the engine and each of its nodes the command to run there, ports assigned.

    Ports are counted over the instances of all engines: two on one node never share one.

    Parameters
    ----------
    offsets
        By instance, how far its first port lies above the first of all, where others run on its nodes too.
    """
    taken: Counter[str] = Counter()
    for instance in plan.instances:
        nodes = nodes_of(instance)
        # One offset for all its nodes: the head's port must be free on each of them.
        offset = max(taken[node] for node in nodes) if offsets is None else offsets[instance.name]
        for node in nodes:
            taken[node] = offset + port_count_of(instance)
        if instance.engine != engine.name:
            continue
        for rank, node in enumerate(nodes):
            seat = Seat(
                rank=str(rank),
                nodes=len(nodes),
                own=address(node),
                head=address(nodes[0]),
                port=FIRST_PORT + offset,
                side_channel_port=FIRST_SIDE_CHANNEL_PORT + offset,
                rendezvous_port=FIRST_RENDEZVOUS_PORT + offset,
                leads=rank == 0,
            )
            process = engine.process(instance, seat, version)
            parts = [gpu for stage in instance.stages if stage.node == node for gpu in stage.gpus]
            gpus = sorted({part // instance.gpu_parts for part in parts}) if instance.gpu_parts > 1 else parts
            yield LaunchCommand(
                instance=instance.name,
                node=node,
                environment={"CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus)), **process.environment},
                command=process.command(),
                part=rank + 1,
                parts=len(nodes),
            )
