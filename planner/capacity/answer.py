"""From a capacity question to its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.candidates.enumerate import enumerate_candidates
from planner.capacity.closest import closest_targets
from planner.capacity.question import Question
from planner.capacity.ways import Way, ways_for_gpus, ways_for_rate
from planner.explain.diagnosis import servable
from planner.explain.unservable import explain_unservable
from planner.fleet import Fleet

__all__ = ["Answer", "GpuAnswer", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuAnswer:
    """The ways to serve the load on one GPU type, best first.

    Parameters
    ----------
    gpu
        Catalogue name.
    demand_per_s
        Requests per second to serve, headroom included; None: as many as the GPUs can.
    ways
        Fewest GPUs first, or most requests first where the GPUs are given. Empty: see `reason`.
    reason, closest
        Why there is no way, and the closest thing that would work; empty where there is one.
    basis
        The weakest of what the numbers rest on; empty without a way.
    """

    gpu: str
    demand_per_s: float | None
    ways: tuple[Way, ...]
    reason: str = ""
    closest: str = ""
    basis: str = ""

    @property
    def best(self) -> Way | None:
        """The first of the ways."""
        return self.ways[0] if self.ways else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answers for all GPU types of a question, best first; those without a way last."""

    question: Question
    by_gpu: tuple[GpuAnswer, ...]

    @property
    def feasible(self) -> bool:
        """Whether any GPU type can do it."""
        return any(found.ways for found in self.by_gpu)


def answer(question: Question, *, cancelled: Callable[[], bool] | None = None) -> Answer:
    """Answer a capacity question.

    Each way is uniform: all its instances of a role are equal. Placement on nodes and the loss of a node are
    not asked here; a fleet document asks them.

    Raises
    ------
    InvalidInput, UnknownName
        The question cannot be meant: everything wrong with it in one error.
    """
    found = [_on_gpu(question, gpu, cancelled) for gpu in question.gpus]
    return Answer(question=question, by_gpu=tuple(sorted(found, key=lambda a: _rank(question, a))))


def _on_gpu(question: Question, gpu: str, cancelled: Callable[[], bool] | None) -> GpuAnswer:
    fleet = question.fleet(gpu)
    workload = fleet.workloads[0]
    name = fleet.pools[0].gpu.name
    demand = workload.rate_per_s * (1 + question.headroom) if question.has_rate else None
    candidates = enumerate_candidates(fleet, cancelled=cancelled)
    if not servable(candidates.accepted):
        found = explain_unservable(fleet, workload, candidates.accepted, candidates.refused)
        return GpuAnswer(gpu=name, demand_per_s=demand, ways=(), reason=found.message, closest=found.closest)
    most = question.most_gpus
    ways = (
        ways_for_rate(candidates.accepted, demand)
        if demand is not None
        else ways_for_gpus(candidates.accepted, most or 0)
    )
    fitting = tuple(way for way in ways if most is None or way.gpus <= most)
    if fitting:
        weakest = _weakest(fitting[0])
        return GpuAnswer(gpu=name, demand_per_s=demand, ways=fitting, basis=weakest)
    assert demand is not None
    assert most is not None
    return _too_few(fleet, name, demand, most, ways, ways_for_gpus(candidates.accepted, most))


def _too_few(
    fleet: Fleet, gpu: str, demand: float, most: int, wanted: list[Way], possible: list[Way]
) -> GpuAnswer:
    """Return the answer for a load that so many GPUs cannot carry within the targets."""
    best = f"{possible[0].capacity_per_s:.3g}/s" if possible else "nothing"
    reason = (
        f"{demand:.4g} requests/s within the targets need {wanted[0].gpus} × {gpu}; "
        f"{most} of them serve {best}"
    )
    offers = [f"{wanted[0].gpus} GPUs"] if wanted else []
    if possible:
        offers.append(f"a rate of {possible[0].capacity_per_s:.3g}/s on {most}")
    slower = closest_targets(fleet, demand, most)
    if slower is not None:
        offers.append(f"{slower} with {most}")
    return GpuAnswer(gpu=gpu, demand_per_s=demand, ways=(), reason=reason, closest=", or ".join(offers))


def _weakest(way: Way) -> str:
    order = ("measured", "imported", "extrapolated", "datasheet")
    bases = [candidate.basis for _, candidate in way.parts]
    return max(bases, key=lambda basis: order.index(basis) if basis in order else len(order))


def _rank(question: Question, found: GpuAnswer) -> tuple[bool, float, float]:
    """Feasible ones first; by price where every type has one, else by GPUs; by rate where that is asked."""
    best = found.best
    if best is None:
        return True, 0.0, 0.0
    size = float(best.gpus)
    if set(question.price_per_gpu_hour) == set(question.gpus):
        size = best.price_per_hour
    if found.demand_per_s is None:
        return False, size / best.capacity_per_s, size
    return False, size, -best.capacity_per_s
