"""How fast what runs can change: where weights come from, how long an engine needs, how requests move."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LOCAL_DISK", "Speeds", "WeightSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSource:
    """A tier that holds weights: host memory, a local disk, a store behind the network.

    Parameters
    ----------
    bandwidth_bytes_per_s
        What one node reads from it, shared by all that load there at once.
    models
        Those whose weights it holds; None: all.
    """

    tier: str
    bandwidth_bytes_per_s: float
    models: frozenset[str] | None = None

    def holds(self, model: str) -> bool:
        """Whether the weights of a model can be read from it."""
        return self.models is None or model in self.models


LOCAL_DISK = WeightSource(tier="local disk", bandwidth_bytes_per_s=5e9)
"""NVMe drives of a node read in parallel: ServerlessLLM measures 5 to 12 GB/s (OSDI 2024)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """Times of the steps of a transition.

    Parameters
    ----------
    start_s
        From loaded weights to ready: processes, compilation, graph capture, warm-up.
    switch_s
        Until the router sends requests.
    migrate_bytes_per_s
        Between two instances that hand running requests over (the default: a 100 Gbit/s network); None:
        requests are never moved, an instance that stops waits for its answers to end.
    migrate_pause_s
        For which each request stops at the end of its move (20 to 30 ms in Llumnix).
    longest_answer_percentile
        Of the answers, 0 to 100: what draining waits for.
    in_flight
        Most instances that start or stop at once.
    """

    start_s: float = 60.0
    switch_s: float = 1.0
    migrate_bytes_per_s: float | None = 10e9
    migrate_pause_s: float = 0.03
    longest_answer_percentile: float = 99.0
    in_flight: int = 8
