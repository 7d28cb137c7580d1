"""How long a step takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.errors import InvalidInput
from planner.plan import Instance

__all__ = ["KvTransfer", "LoadTier", "StepTimes"]


@dataclass(frozen=True, slots=True)
class LoadTier:
    """A place that holds weights: host memory, local disk, object store.

    ``bandwidth_bytes_per_s`` is what one node reads from it, shared by all that load there at once.
    """

    name: str
    bandwidth_bytes_per_s: float

    def __post_init__(self) -> None:
        if not self.bandwidth_bytes_per_s > 0:
            raise InvalidInput(f"tier {self.name}: the bandwidth must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class KvTransfer:
    """Moving running requests to another instance of the same shape (live migration after Llumnix).

    The cache is append-only and copied while decoding goes on; only the last stage stops the request, for a
    time that does not depend on its length (20 to 30 ms in the paper).

    Parameters
    ----------
    bandwidth_bytes_per_s
        Between two instances.
    downtime_s
        Of each request.
    cache_bytes
        Cache of the running requests of an instance.
    """

    bandwidth_bytes_per_s: float
    downtime_s: float = 0.03
    cache_bytes: Callable[[Instance], float]

    def seconds(self, instance: Instance) -> float:
        """``cache bytes / bandwidth + downtime``."""
        return self.cache_bytes(instance) / self.bandwidth_bytes_per_s + self.downtime_s


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """Durations of all kinds of steps.

    Parameters
    ----------
    weight_bytes
        All weights of an instance.
    tiers
        Tiers that hold an instance's weights; the fastest is used.
    start_s
        From loaded weights to ready: processes, graph capture, warm-up.
    switch_s
        Until the router sends requests.
    answer_tokens
        Longest answer to wait for when draining.
    migrate
        How running requests move; None: instances are always drained.
    """

    weight_bytes: Callable[[Instance], float]
    tiers: Callable[[Instance], Sequence[LoadTier]]
    start_s: float = 30.0
    switch_s: float = 1.0
    answer_tokens: float = 2048.0
    migrate: KvTransfer | None = None

    def load_s(self, instance: Instance, queued_bytes: float = 0.0) -> float:
        """``(queued + bytes) / bandwidth`` of the fastest tier, after ServerlessLLM's ``q + n / b``.

        Parameters
        ----------
        instance
            Its weights are spread evenly over its nodes; every node reads its part.
        queued_bytes
            What the busiest of the nodes has to read before.
        """
        tiers = self.tiers(instance)
        if not tiers:
            raise InvalidInput(f"no tier holds the weights of {instance.name}")
        fastest = max(tiers, key=lambda t: t.bandwidth_bytes_per_s)
        return (queued_bytes + self.node_bytes(instance)) / fastest.bandwidth_bytes_per_s

    def node_bytes(self, instance: Instance) -> float:
        """Weights that the busiest node of the instance reads."""
        stages_of_node: dict[str, int] = {}
        for stage in instance.stages:
            stages_of_node[stage.node] = stages_of_node.get(stage.node, 0) + 1
        busiest = max(stages_of_node.values())
        return self.weight_bytes(instance) * busiest / len(instance.stages)

    def drain_s(self, instance: Instance) -> float:
        """Until the longest answer that may just have begun is complete."""
        return (instance.expected.tpot_ms or 0.0) / 1e3 * self.answer_tokens + (
            instance.expected.ttft_ms or 0.0
        ) / 1e3
