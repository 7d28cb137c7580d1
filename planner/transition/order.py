"""A safe order of starts and stops.

A new instance can start once the old ones on its GPUs are gone; starting never hurts, since nobody else wants
its GPUs. So only the order of the stops matters: a stop is allowed while what still runs stays above the
floor, with everything started that can be. The most useful stop each time (`planner.transition.greedy`) gives
an order nearly always; where it does not, a depth-first search over the sets of stopped instances finds one
or proves that there is none; it gives up after a number of sets that shrinks with the size of the plans.

When every order is blocked, the two plans wait for each other in a circle. It is broken by running a copy of
a blocking instance on GPUs that neither plan uses, until the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from models.errors import InvalidInput
from planner.plan import Instance, Stage
from planner.plan.transition import Blocked, Side
from planner.transition.capacity import phase_capacity
from planner.transition.greedy import stop_greedily

__all__ = ["Action", "Gpu", "Search", "find_order", "gpus_of"]

STATES = 20_000
"""Sets of stopped instances that the search looks at before it gives up."""
WORK = 500_000
"""Of the sets together, the most instances: large plans get fewer sets."""
SLACK = 1e-9
"""Relative rounding of sums of capacities."""

Gpu = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Action:
    """Start or stop one instance; ``temporary`` ones are copies on spare GPUs."""

    start: bool
    instance: Instance
    temporary: bool = False

    @property
    def side(self) -> Side:
        """Which set of instances it belongs to."""
        if self.temporary:
            return "temporary"
        return "new" if self.start else "current"


def gpus_of(instance: Instance) -> frozenset[Gpu]:
    """(node, index) of every GPU of an instance."""
    return frozenset((stage.node, index) for stage in instance.stages for index in stage.gpus)


def _owners(instances: Sequence[Instance], plan: str) -> dict[Gpu, int]:
    owner: dict[Gpu, int] = {}
    for i, instance in enumerate(instances):
        for gpu in sorted(gpus_of(instance)):
            if gpu in owner:
                other = instances[owner[gpu]].name
                raise InvalidInput(
                    f"the {plan} plan gives GPU {gpu[1]} of {gpu[0]} to {other} and {instance.name}"
                )
            owner[gpu] = i
    return owner


class Search:
    """Indices: old instances to stop, new ones to start; kept ones only count towards capacity."""

    def __init__(
        self,
        old: Sequence[Instance],
        new: Sequence[Instance],
        kept: Sequence[Instance],
        extra: Sequence[Instance],
        floors: Mapping[str, float],
    ) -> None:
        self.old, self.new, self.floors = old, new, floors
        owner = _owners(old, "current")
        self.blockers = [sorted({owner[g] for g in gpus_of(n) if g in owner}) for n in new]
        self.freed_for: list[list[int]] = [[] for _ in old]
        for n, needed in enumerate(self.blockers):
            for o in needed:
                self.freed_for[o].append(n)
        self.have: dict[str, dict[str, float]] = {}
        for instance in (*kept, *old, *extra):
            self._add(instance, 1.0)
        self.missing = [len(b) for b in self.blockers]
        self.started = [False] * len(new)
        self.stopped: list[int] = []
        self.is_stopped = [False] * len(old)
        self.actions: list[Action] = []
        self.deepest: tuple[int, ...] = ()
        for n in range(len(new)):
            if not self.missing[n]:
                self._start(n)

    def _add(self, instance: Instance, sign: float) -> None:
        phases = self.have.setdefault(instance.workload, {"mixed": 0.0, "prefill": 0.0, "decode": 0.0})
        phases[instance.role] += sign * instance.expected.capacity_per_s

    def _start(self, n: int) -> None:
        self.started[n] = True
        self._add(self.new[n], 1.0)
        self.actions.append(Action(True, self.new[n]))

    def allowed(self, o: int) -> bool:
        """Whether the workload of old instance `o` stays above its floor without it."""
        instance = self.old[o]
        floor = self.floors.get(instance.workload, 0.0)
        phases = dict(self.have[instance.workload])
        phases[instance.role] -= instance.expected.capacity_per_s
        return phase_capacity(**phases) >= floor - SLACK * max(floor, 1.0)

    def stop(self, o: int) -> None:
        self.is_stopped[o] = True
        self.stopped.append(o)
        self._add(self.old[o], -1.0)
        self.actions.append(Action(False, self.old[o]))
        for n in self.freed_for[o]:
            self.missing[n] -= 1
            if not self.missing[n]:
                self._start(n)

    def undo(self) -> None:
        """Take the last stop back, with the starts it allowed."""
        while self.actions[-1].start:
            self.actions.pop()
        self.actions.pop()
        o = self.stopped.pop()
        self.is_stopped[o] = False
        self._add(self.old[o], 1.0)
        for n in self.freed_for[o]:
            self.missing[n] += 1
            if self.started[n]:
                self.started[n] = False
                self._add(self.new[n], -1.0)

    def key(self, o: int) -> tuple[bool, float, str, int]:
        """Order of stops: those that free GPUs for the most capacity first, mere retirements last."""
        wanted = [n for n in self.freed_for[o] if not self.started[n]]
        gain = sum(self.new[n].expected.capacity_per_s / self.missing[n] for n in wanted)
        return (not wanted, -gain, self.old[o].name, o)

    def candidates(self) -> list[int]:
        """Allowed stops, the most useful first."""
        return [
            o
            for *_, o in sorted(
                self.key(o) for o in range(len(self.old)) if not self.is_stopped[o] and self.allowed(o)
            )
        ]

    def run(self) -> bool | None:
        """True with an order in `actions`; False when there is none; None when given up."""
        most = min(STATES, WORK // max(len(self.old), 1))
        seen: set[frozenset[int]] = set()
        stack = [iter(self.candidates())]
        while stack:
            if len(self.stopped) == len(self.old):
                return True
            if len(self.stopped) > len(self.deepest):
                self.deepest = tuple(self.stopped)
            chosen = next(stack[-1], None)
            if chosen is None:
                stack.pop()
                if stack:
                    self.undo()
                continue
            state = frozenset((*self.stopped, chosen))
            if state in seen:
                continue
            if len(seen) >= most:
                return None
            seen.add(state)
            self.stop(chosen)
            stack.append(iter(self.candidates()))
        return len(self.stopped) == len(self.old)


def find_order(
    old: Sequence[Instance],
    new: Sequence[Instance],
    kept: Sequence[Instance],
    floors: Mapping[str, float],
    spare: Mapping[str, Sequence[Gpu]],
) -> tuple[Action, ...] | Blocked:
    """Starts and stops in an order in which every prefix is safe.

    Parameters
    ----------
    old, new, kept
        Instances to stop, to start, and those of both plans.
    floors
        Requests per second by workload that must be served all the time.
    spare
        By pool, GPUs that neither plan uses: where temporary copies may run.

    Raises
    ------
    InvalidInput
        A plan gives one GPU to two instances.
    """
    _owners((*kept, *new), "new")
    _owners((*kept, *old), "current")
    free = {pool: list(gpus) for pool, gpus in spare.items()}
    extra: list[Instance] = []
    while True:
        search = Search(old, new, kept, extra, floors)
        verdict: bool | None = stop_greedily(search)
        if not verdict:
            stuck_at = tuple(search.stopped)
            search = Search(old, new, kept, extra, floors)
            search.deepest = stuck_at
            verdict = search.run()
        if verdict:
            before = [Action(True, copy, temporary=True) for copy in extra]
            after = [Action(False, copy, temporary=True) for copy in extra]
            return (*before, *search.actions, *after)
        copied = {copy.name for copy in extra}
        for o in search.deepest:
            if not search.is_stopped[o]:
                search.stop(o)
        stuck = [i for i, done in enumerate(search.is_stopped) if not done]
        waiting = [o for o in stuck if any(not search.started[n] for n in search.freed_for[o])] or stuck
        copy = next((c for o in waiting if (c := _copy(old[o], free, copied)) is not None), None)
        if copy is None:
            return _blocked(search, waiting[0], proven=verdict is False and not extra)
        extra.append(copy)


def _copy(instance: Instance, free: dict[str, list[Gpu]], copied: set[str]) -> Instance | None:
    """The instance on spare GPUs of its pool, every stage within a node, or None; takes the GPUs."""
    name = f"{instance.name}-temporary"
    if name in copied:
        return None
    left = list(free.get(instance.pool, ()))
    stages = []
    for _ in instance.stages:
        by_node: dict[str, list[int]] = {}
        for node, index in left:
            by_node.setdefault(node, []).append(index)
        size = instance.stage_gpus
        roomy = sorted(n for n, indices in by_node.items() if len(indices) >= size)
        if not roomy:
            return None
        taken = sorted(by_node[roomy[0]])[:size]
        stages.append(Stage(roomy[0], tuple(taken)))
        left = [g for g in left if g[0] != roomy[0] or g[1] not in taken]
    free[instance.pool] = left
    return replace(instance, name=name, stages=tuple(stages))


def _blocked(search: Search, o: int, *, proven: bool) -> Blocked:
    instance = search.old[o]
    floor = search.floors.get(instance.workload, 0.0)
    have = phase_capacity(**search.have[instance.workload])
    wanted = sorted(search.new[n].name for n in search.freed_for[o] if not search.started[n])
    purpose = f", whose GPUs {', '.join(wanted[:3])} wait for," if wanted else ""
    reason = (
        f"{instance.name}{purpose} cannot stop: {instance.workload} serves {have:.4g} requests/s at that "
        f"point and may not drop below {floor:.4g}; no spare group of {instance.stage_gpus} GPUs "
        f"in pool {instance.pool} is left for a copy of it. Lower the floor or free such a group"
    )
    return Blocked(workload=instance.workload, reason=reason, proven=proven)
