"""What a set of running instances can serve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.errors import InvalidInput
from planner.plan import Instance

__all__ = ["capacity_by_workload", "floors_between", "phase_capacity"]


def phase_capacity(mixed: float, prefill: float, decode: float) -> float:
    """Requests per second of instances that do both, plus pairs as far as the scarcer phase goes."""
    return mixed + min(prefill, decode)


def capacity_by_workload(instances: Iterable[Instance]) -> dict[str, float]:
    """Requests per second within the targets, by workload."""
    sums: dict[str, dict[str, float]] = {}
    for instance in instances:
        phases = sums.setdefault(instance.workload, {"mixed": 0.0, "prefill": 0.0, "decode": 0.0})
        phases[instance.role] += instance.expected.capacity_per_s
    return {workload: phase_capacity(**phases) for workload, phases in sums.items()}


def floors_between(
    current: Iterable[Instance], new: Iterable[Instance], share: float = 1.0
) -> Mapping[str, float]:
    """`share` of what both plans can serve, by workload: a floor that neither end breaks.

    A workload of only one of the plans has no floor: it is being started or given up.
    """
    if not 0 <= share <= 1:
        raise InvalidInput(f"the share of the floor must lie in 0..1, got {share}")
    before, after = capacity_by_workload(current), capacity_by_workload(new)
    return {w: share * min(before[w], after[w]) for w in sorted(before.keys() & after.keys())}
