"""One capacity question on one GPU type, tried: what could serve the load, and what of it fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.candidates.enumerate import Candidates, enumerate_candidates
from planner.capacity.question import Question
from planner.capacity.ways import Way, ways_for_gpus, ways_for_rate
from planner.explain.diagnosis import servable
from planner.fleet import Fleet

__all__ = ["Attempt", "attempt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of a question.

    Parameters
    ----------
    demand_per_s
        Requests per second to serve, headroom included; None: as many as the GPUs can.
    servable
        Whether so much as one request can be served within the targets.
    fitting
        The ways to serve the load with the GPUs there are: fewest GPUs first, or most requests first where
        only the GPUs are given.
    """

    fleet: Fleet
    candidates: Candidates
    demand_per_s: float | None
    servable: bool
    fitting: tuple[Way, ...]


def attempt(question: Question, *, cancelled: Callable[[], bool] | None = None) -> Attempt:
    """Try a question on the first of its GPU types.

    Raises
    ------
    InvalidInput, UnknownName
        The question cannot be meant.
    """
    fleet = question.fleet(question.gpus[0])
    demand = fleet.workloads[0].rate_per_s * (1 + question.headroom) if question.has_rate else None
    candidates = enumerate_candidates(fleet, cancelled=cancelled)
    most = question.most_gpus
    possible = servable(candidates.accepted)
    ways: list[Way] = []
    if possible and demand is not None:
        ways = ways_for_rate(candidates.accepted, demand)
    elif possible:
        ways = ways_for_gpus(candidates.accepted, most or 0)
    return Attempt(
        fleet=fleet, candidates=candidates, demand_per_s=demand, servable=possible,
        fitting=tuple(way for way in ways if most is None or way.gpus <= most),
    )  # fmt: skip
