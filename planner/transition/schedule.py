"""Steps with times and dependencies."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence

from models.errors import InvalidInput
from planner.plan import Instance
from planner.plan.transition import Blocked, RollbackPoint, Step, StepKind, Transition
from planner.transition.capacity import capacity_by_workload, floors_between
from planner.transition.estimates import StepTimes
from planner.transition.order import Action, Gpu, find_order, gpus_of
from planner.transition.replay import lowest_capacity

__all__ = ["plan_transition"]


def plan_transition(
    current: Sequence[Instance],
    new: Sequence[Instance],
    *,
    nodes: Mapping[str, Mapping[str, int]],
    times: StepTimes,
    floors: Mapping[str, float] | None = None,
    floor_share: float = 1.0,
    max_in_flight: int = 8,
) -> Transition:
    """Plan the way from what runs to a new plan.

    An instance of both plans with the same name, shape and GPUs goes on running. Every other one of the
    current plan is stopped and every other one of the new plan started; a move is a start and a stop.

    Parameters
    ----------
    nodes
        GPUs of each node, by pool and node name.
    times
        Durations.
    floors
        Requests per second by workload; default: `floor_share` of the smaller of what both plans serve.
    max_in_flight
        Most instances that are being started or stopped at once.

    Raises
    ------
    InvalidInput
        A plan with one GPU given twice or outside of `nodes`, or a step cap below 1.
    """
    if max_in_flight < 1:
        raise InvalidInput(f"at least one instance must be in flight, got {max_in_flight}")
    before, after = {i.name: i for i in current}, {i.name: i for i in new}
    kept = [
        after[n]
        for n, i in sorted(before.items())
        if n in after and (i.shape, i.stages) == (after[n].shape, after[n].stages)
    ]
    stays = {i.name: i for i in kept}
    # one estimate for one instance: what goes on running is valued as the new plan values it
    current = [stays.get(i.name, i) for i in current]
    old = [i for n, i in sorted(before.items()) if n not in stays]
    fresh = [i for n, i in sorted(after.items()) if n not in stays]
    asked = dict(floors_between(current, new, floor_share) if floors is None else floors)
    spare = _spare(nodes, (*current, *new))
    blocked = _ends(current, new, asked)
    order = blocked or find_order(old, fresh, kept, asked, spare)
    if isinstance(order, Blocked):
        return Transition(
            steps=(), duration_s=0.0, lowest_per_s={}, floors_per_s=asked, rollback=(), blocked=order
        )
    steps = _Scheduler(times, max_in_flight, kept, old).run(order)
    return Transition(
        steps=steps,
        duration_s=max((s.end_s for s in steps), default=0.0),
        lowest_per_s=lowest_capacity(steps, current, order),
        floors_per_s=asked,
        rollback=_rollback(steps, {i.name: i for i in old}, times),
    )


def _spare(nodes: Mapping[str, Mapping[str, int]], instances: Sequence[Instance]) -> dict[str, list[Gpu]]:
    used = {gpu for instance in instances for gpu in gpus_of(instance)}
    known = {(node, i) for held in nodes.values() for node, count in held.items() for i in range(count)}
    unknown = sorted(used - known)
    if unknown:
        raise InvalidInput(f"GPU {unknown[0][1]} of node {unknown[0][0]!r} is in a plan but not in the fleet")
    return {
        pool: [(n, i) for n in sorted(held) for i in range(held[n]) if (n, i) not in used]
        for pool, held in nodes.items()
    }


def _ends(
    current: Sequence[Instance], new: Sequence[Instance], floors: Mapping[str, float]
) -> Blocked | None:
    """A floor that one of the plans itself breaks."""
    for plan, instances in (("current", current), ("new", new)):
        have = capacity_by_workload(instances)
        for workload, floor in sorted(floors.items()):
            if have.get(workload, 0.0) < floor * (1 - 1e-9):
                reason = (
                    f"the {plan} plan itself serves {have.get(workload, 0.0):.4g} requests/s of {workload}, "
                    f"below the floor of {floor:.4g}"
                )
                return Blocked(workload=workload, reason=reason, proven=True)
    return None


class _Scheduler:
    """Expands actions into steps: as early as dependencies and the cap allow, in the order of the actions.

    A start waits for the stops that free its GPUs. A stop waits for all starts of its workload that come
    before it in the order: then whatever runs at any time contains what runs after that stop in the
    sequential order, so that the floor holds however the steps overlap. More than two such starts are
    gathered in a ``check``, so that the number of dependencies grows with that of the steps.
    """

    def __init__(
        self, times: StepTimes, max_in_flight: int, kept: Sequence[Instance], old: Sequence[Instance]
    ) -> None:
        self.times, self.cap = times, max_in_flight
        self.steps: list[Step] = []
        self.latest: list[float] = []  # a heap of the `cap` latest ends
        self.freed_by: dict[Gpu, int] = {}
        self.ready: dict[str, list[int]] = {}
        self.reading_until: dict[str, float] = {}
        self.kin = Counter(_kin(i) for i in (*kept, *old))
        self.held = {i.name for i in old}

    def run(self, order: Sequence[Action]) -> tuple[Step, ...]:
        for action in order:
            (self._start if action.start else self._stop)(action)
        return tuple(self.steps)

    def _slot(self) -> float:
        """The earliest time at which fewer than `cap` of the instances so far are in flight."""
        return self.latest[0] if len(self.latest) >= self.cap else 0.0

    def _ended(self, at: float) -> None:
        heapq.heappush(self.latest, at)
        if len(self.latest) > self.cap:
            heapq.heappop(self.latest)

    def _end(self, index: int) -> float:
        return self.steps[index].end_s

    def _add(self, kind: StepKind, action: Action, start: float, duration: float, after: set[int]) -> int:
        index = len(self.steps)
        instance = action.instance
        self.steps.append(
            Step(
                index=index,
                kind=kind,
                instance=instance.name,
                workload=instance.workload,
                stages=instance.stages,
                start_s=start,
                end_s=start + duration,
                after=tuple(sorted(after)),
                surge=kind == "load" and bool(self.held),
                side=action.side,
            )
        )
        return index

    def _start(self, action: Action) -> None:
        instance = action.instance
        after = {self.freed_by[g] for g in gpus_of(instance) if g in self.freed_by}
        start = max([self._slot(), *(self._end(i) for i in after)])
        nodes = sorted({stage.node for stage in instance.stages})
        # one node reads one set of weights after the other
        queued_until = max(self.reading_until.get(node, 0.0) for node in nodes)
        reading = max(start, queued_until) + self.times.load_s(instance)
        for node in nodes:
            self.reading_until[node] = reading
        load = self._add("load", action, start, reading - start + self.times.start_s, after)
        switch = self._add("switch", action, self._end(load), self.times.switch_s, {load})
        self.ready.setdefault(instance.workload, []).append(switch)
        self._ended(self._end(switch))
        self.kin[_kin(instance)] += 1

    def _stop(self, action: Action) -> None:
        instance = action.instance
        after = self._all_ready(instance.workload)
        start = max([self._slot(), *(self._end(i) for i in after)])
        drain = self.times.drain_s(instance)
        kind: StepKind = "drain"
        self.kin[_kin(instance)] -= 1
        target = self.kin[_kin(instance)] > 0
        if self.times.migrate is not None and target and instance.role != "prefill":
            seconds = self.times.migrate.seconds(instance)
            if seconds < drain:
                kind, drain = "migrate", seconds
        empty = self._add(kind, action, start, drain, after)
        retire = self._add("retire", action, self._end(empty), 0.0, {empty})
        for gpu in gpus_of(instance):
            self.freed_by[gpu] = retire
        self.held.discard(instance.name)
        self._ended(self._end(retire))

    def _all_ready(self, workload: str) -> set[int]:
        """Steps whose end means that every instance of a workload started so far takes requests."""
        ready = self.ready.get(workload, [])
        if len(ready) > 2:
            at = max(self._end(i) for i in ready)
            check = Step(
                index=len(self.steps),
                kind="check",
                instance="",
                workload=workload,
                stages=(),
                start_s=at,
                end_s=at,
                after=tuple(sorted(ready)),
                side="new",
            )
            self.steps.append(check)
            self.ready[workload] = [check.index]
        return set(self.ready.get(workload, ()))


def _kin(instance: Instance) -> tuple[str, ...]:
    """What two instances have in common when one can go on with the requests of the other."""
    return (instance.workload, instance.model, instance.role, instance.weights, instance.kv_cache)


def _rollback(
    steps: Sequence[Step], old: Mapping[str, Instance], times: StepTimes
) -> tuple[RollbackPoint, ...]:
    points = [RollbackPoint(after_step=-1, restarts=0, reload_s=0.0)]
    gone, seconds = 0, 0.0
    for step in steps:
        if step.kind == "retire" and step.side == "current":
            gone += 1
            seconds += times.load_s(old[step.instance]) + times.start_s
        if step.kind in ("switch", "retire"):
            points.append(RollbackPoint(after_step=step.index, restarts=gone, reload_s=seconds))
    return tuple(points)
