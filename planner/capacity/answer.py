"""From a capacity question to its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.capacity.attempt import Attempt, attempt
from planner.capacity.closest import Offer, closest_offers
from planner.capacity.question import Question
from planner.capacity.ways import Way
from planner.explain.unservable import explain_unservable
from planner.report.numbers import duration, rate

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
        Why there is no way, and the closest that would work, in words; empty where there is one.
    offers
        The same as questions that have an answer; when another GPU type has one, not all were looked for.
    basis
        The weakest of what the numbers rest on; empty without a way.
    """

    gpu: str
    demand_per_s: float | None
    ways: tuple[Way, ...]
    reason: str = ""
    closest: str = ""
    offers: tuple[Offer, ...] = ()
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
    asked = [_about(question, gpu) for gpu in question.gpus]
    tried = [attempt(one, cancelled=cancelled) for one in asked]
    possible = any(one.fitting for one in tried)
    found = [_on_gpu(one, came, quick=possible) for one, came in zip(asked, tried, strict=True)]
    return Answer(question=question, by_gpu=tuple(sorted(found, key=lambda a: _rank(question, a))))


def _about(question: Question, gpu: str) -> Question:
    """The question about one of its GPU types."""
    prices = {name: price for name, price in question.price_per_gpu_hour.items() if name == gpu}
    return replace(question, gpus=(gpu,), price_per_gpu_hour=prices)


def _on_gpu(question: Question, tried: Attempt, *, quick: bool) -> GpuAnswer:
    name, demand = tried.fleet.pools[0].gpu.name, tried.demand_per_s
    if tried.fitting:
        basis = _weakest(tried.fitting[0])
        return GpuAnswer(gpu=name, demand_per_s=demand, ways=tried.fitting, basis=basis)
    offers = closest_offers(question, tried, quick=quick)
    words = [f"{offer.words} ({offer.flags})" for offer in offers]
    return GpuAnswer(
        gpu=name, demand_per_s=demand, ways=(), reason=_reason(question, tried, offers), offers=offers,
        closest=", or ".join(words) or "no change of one or two of the flags was found to help",
    )  # fmt: skip


def _reason(question: Question, tried: Attempt, offers: Sequence[Offer]) -> str:
    """What binds: a limit of physics, or the number of GPUs."""
    workload, name = tried.fleet.workloads[0], tried.fleet.pools[0].gpu.name
    if not tried.servable:
        accepted, refused = tried.candidates.accepted, tried.candidates.refused
        return explain_unservable(tried.fleet, workload, accepted, refused, find_closest=False).message
    targets = " and ".join(
        f"{kind} p{target.percentile:g} ≤ {duration(target.limit_ms)}"
        for kind, target in (("TTFT", workload.ttft), ("TPOT", workload.tpot))
    )
    needed = next((o.question.most_gpus for o in offers if o.flags.startswith("--max-gpus")), None)
    load = "so much as one instance" if tried.demand_per_s is None else rate(tried.demand_per_s)
    return f"{load} within {targets} needs {needed or 'more'} × {name}, and there are {question.most_gpus}"


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
