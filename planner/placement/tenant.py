"""What placement places: instances that go on running and instances that start."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from planner.candidates.candidate import Candidate
from planner.plan.instance import Instance

__all__ = ["Tenant", "make_tenants"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One instance to place.

    Parameters
    ----------
    name
        Of the instance.
    candidate
        Index of its candidate.
    running
        The instance of the current plan it goes on as; None for a new one.
    """

    name: str
    candidate: int
    running: Instance | None


def make_tenants(
    candidates: Sequence[Candidate], counts: Mapping[int, int], current: Sequence[Instance],
    *, gone: frozenset[str] = frozenset(),
) -> tuple[Tenant, ...]:  # fmt: skip
    """Return `counts` instances of each candidate, ordered by candidate and name.

    Instances of the current plan with a candidate's shape go on as it. Where fewer are needed than run,
    those stop that share their nodes with most others of their shape: what stays is spread. New names take
    the lowest numbers that no current instance has.

    Parameters
    ----------
    gone
        Names of those of `current` that have lost a node: they stop before others do.
    """
    running: dict[tuple[str, ...], list[Instance]] = defaultdict(list)
    for instance in sorted(current, key=lambda i: i.name):
        running[instance.shape].append(instance)
    taken = {instance.name for instance in current}
    tenants: list[Tenant] = []
    numbers: dict[str, Iterator[int]] = defaultdict(itertools.count)
    for index in sorted(counts):
        candidate, wanted = candidates[index], counts[index]
        stay = _stay(running[candidate.shape], wanted, gone)
        tenants += [Tenant(name=i.name, candidate=index, running=i) for i in stay]
        for _ in range(wanted - len(stay)):
            prefix = f"{candidate.workload}-{candidate.role}"
            names = (f"{prefix}-{number}" for number in numbers[prefix])
            name = next(name for name in names if name not in taken)
            tenants.append(Tenant(name=name, candidate=index, running=None))
    return tuple(tenants)


def _stay(running: Sequence[Instance], wanted: int, gone: frozenset[str]) -> list[Instance]:
    """Return which of the running instances of one shape go on."""
    whole = [instance for instance in running if instance.name not in gone]
    lost = [instance for instance in running if instance.name in gone]
    stay = whole + lost[: max(wanted - len(whole), 0)]
    while len(stay) > wanted:
        load: dict[str, int] = defaultdict(int)
        for instance in stay:
            for stage in instance.stages:
                load[stage.node] += 1
        crowded = max(stay, key=lambda i: (max(load[stage.node] for stage in i.stages), i.name))
        stay.remove(crowded)
    return stay
