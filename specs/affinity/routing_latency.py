"""Every origin's traffic reaches a nearby replica."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph import Axis
from models.graph.cells import Array
from models.graph.ops.reduce import ROWS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import rescoped
from specs.dimension import COUNT
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import NamedAxis, Numbers, complete

__all__ = ["RoutingLatency"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingLatency(LimitSpec):
    """Traffic of every origin goes to the nearest item with an object of the group.

    With ``latency(g, i) = min {latency_ms[i, s] : g has an object on s}`` for origin i, or `nowhere_ms` where
    there is none, and ``share(i) = traffic(i) / Σ traffic``:

    - metric ``average``: ``Σ_i share(i) · latency(g, i) ≤ limit_ms(g)`` for every group g, in milliseconds.
    - metric ``within``: ``quantile ≤ Σ_i share(i) · [latency(g, i) ≤ limit_ms]`` for every group g: at least
      that share of the traffic is served within the limit.

    As a goal: the sum of what is beyond. With `limit_ms` 0 the average itself.

    Parameters
    ----------
    scope, partition
        Places and groups (the replicas of one model).
    latency_ms
        Origin → {item: milliseconds}, for every item.
    traffic
        Origin → amount, at least 0.
    limit_ms
        One number; for the metric ``average`` also by group.
    metric
        ``average`` or ``within``.
    quantile
        For ``within``: share of the traffic, above 0 and at most 1.
    nowhere_ms
        Latency of a group that is nowhere; at least the largest listed one. None: the largest listed one.
    """

    scope: str
    partition: str
    latency_ms: Mapping[str, Mapping[str, float]]
    traffic: Mapping[str, float]
    limit_ms: Numbers = 0.0
    metric: Literal["average", "within"] = "average"
    quantile: float = 1.0
    nowhere_ms: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.quantile <= 1:
            raise InvalidInput(f"routing_latency: the quantile lies above 0, at most 1, got {self.quantile}")
        if self.metric == "average" and self.quantile != 1.0:
            raise InvalidInput("routing_latency: the quantile belongs to the metric 'within'")
        if self.metric == "within" and not isinstance(self.limit_ms, (int, float)):
            raise InvalidInput("routing_latency: the metric 'within' takes one limit for all groups")

    def _tables(self, problem: Problem) -> tuple[Array, Array, float]:
        """Latencies float64[n_origins, n_items], shares float64[n_origins], latency when nowhere."""
        if not self.latency_ms:
            raise InvalidInput("routing_latency: there are no origins")
        origins = NamedAxis("origin", list(self.latency_ms))
        latency = np.stack([
            complete(row, problem.items(self.scope), f"routing_latency: latency_ms of {origin!r}")
            for origin, row in self.latency_ms.items()
        ])  # fmt: skip
        traffic = complete(dict(self.traffic), origins, "routing_latency: traffic")
        if traffic.min() < 0 or traffic.sum() <= 0 or latency.min() < 0:
            raise InvalidInput(
                "routing_latency: traffic and latencies are at least 0, some traffic is above 0"
            )
        nowhere = float(latency.max()) if self.nowhere_ms is None else self.nowhere_ms
        if nowhere < latency.max():
            raise InvalidInput(
                f"routing_latency: nowhere_ms is {nowhere}, below the largest latency {latency.max()}"
            )
        return latency, traffic / traffic.sum(), nowhere

    def _steps(self, problem: Problem) -> list[tuple[float, list[int]]]:
        """(price, items): the price is saved where the group is on one of the items."""
        latency, share, nowhere = self._tables(problem)
        steps = []
        for row, part in zip(latency, share, strict=True):
            if self.metric == "within":
                assert isinstance(self.limit_ms, (int, float))
                steps.append((float(part), np.flatnonzero(row <= self.limit_ms).tolist()))
                continue
            levels = [*np.unique(row).tolist(), nowhere]
            for level, following in pairwise(levels):
                if following > level:
                    steps.append((float(part * (following - level)), np.flatnonzero(row <= level).tolist()))
        return steps

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        # Being on one of the j nearest items saves the step from level j to level j + 1, for each j.
        problem, steps = c.problem, self._steps(c.problem)
        groups = problem.partition(self.partition).groups
        _, _, nowhere = self._tables(problem)
        limit = self._limits(problem)
        if not steps:  # every item is equally far, nowhere too
            yield Limit("latency", c.constant(groups, nowhere - limit))
            return
        nearest: list[list[int]] = [[] for _ in range(problem.items(self.scope).size)]
        for k, (_, items) in enumerate(steps):
            for item in items:
                nearest[item].append(k)
        axis = Axis("nearest items", len(steps))
        near = rescoped(problem, self.scope, axis, nearest)
        weights = problem.weights(COUNT)
        there = c.present(c.group_usage(problem.partition(self.partition), near, weights))
        prices = np.array([price for price, _ in steps]).reshape(1, -1)
        saved = c.total(c.affine([(there, prices)]), ROWS)
        if self.metric == "within":
            yield Limit("served within the limit", c.affine([(saved, -1.0)], self.quantile))
        else:
            yield Limit("average latency", c.affine([(saved, -1.0)], nowhere - limit))

    def _limits(self, problem: Problem) -> Array:
        return complete(self.limit_ms, problem.groups(self.partition), "routing_latency: limit_ms")

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        latency, share, nowhere = self._tables(problem)
        there = measure.usage_by_group(problem, self.partition, self.scope, COUNT, assignment) > 0
        out = []
        for group, limit in enumerate(self._limits(problem)):
            to_nearest = np.array([row[there[group]].min(initial=nowhere) for row in latency])
            if self.metric == "average":
                out.append(float(share @ to_nearest) - limit)
            else:
                served = there[group].any() & (to_nearest <= limit)
                out.append(self.quantile - float(share @ served))
        return np.array(out)

    def describe(self) -> str:
        return f"traffic reaches a nearby item of {self.scope} of every {self.partition}"

    @classmethod
    def example(cls) -> Example:
        latency = {"west": {"r0": 10.0, "r1": 80.0}, "east": {"r0": 70.0, "r1": 20.0}}
        spec = cls(scope="rack", partition="job", latency_ms=latency, traffic={"west": 3.0, "east": 1.0},
                   limit_ms=20.0)  # fmt: skip
        # j0 is in r0 only: 0.75 · 10 + 0.25 · 70 = 25 ms, 5 beyond; j1 in both: 0.75 · 10 + 0.25 · 20 = 12.5
        return sample(spec, start=[0, 0, 1], end=[0, 0, 1], hosts=2, racks=[0, 1],
                      jobs={"j0": ["t0"], "j1": ["t1", "t2"]}, value=5.0)  # fmt: skip
