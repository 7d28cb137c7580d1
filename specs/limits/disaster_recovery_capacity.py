"""Scope items have room for what fails over to them when any one item of a fault domain is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, Unsupported
from models.graph import Axis
from models.graph.cells import Array
from models.graph.ops.reduce import COLUMNS
from models.graph.space import Ints
from models.graph.weights import StaticWeights
from specs import measure
from specs.compiler import Compiler
from specs.derived import one, rescoped, sets_of_objects
from specs.dimension import Dimension
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["DisasterRecoveryCapacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DisasterRecoveryCapacity(LimitSpec):
    """``used(s) + failover(s, d) ≤ capacity(s)`` for every item s and every lost domain item d without s.

    When d is lost, every primary in d hands its amount to the first of its secondaries that is not in d;
    failover(s, d) is what arrives on s. Secondaries weigh what the dimension says, also before. In the
    dimension's unit. As a goal: the sum of what is beyond.

    The table has items × domain items rows: meant for hosts × racks, not for hosts × hosts of a large fleet.

    Parameters
    ----------
    scope, dimension
        Places with capacity, and what is summed (one component, the same everywhere).
    failover
        Primary → its secondaries, first choice first.
    domain
        The scope whose items are lost, one at a time; None: `scope` itself. Items of `scope` that lie in
        several domain items are lost with any of them.
    """

    scope: str
    dimension: str
    failover: Mapping[str, tuple[str, ...]]
    domain: str | None = None

    def _chains(self, problem: Problem) -> list[tuple[int, ...]]:
        """(primary, secondary, …) by number."""
        if not self.failover:
            raise InvalidInput("disaster_recovery_capacity: no primary has a secondary")
        weights = problem.weights(self.dimension)
        if not isinstance(weights, StaticWeights) or weights.n_components != 1:
            raise Unsupported(
                f"disaster_recovery_capacity: {self.dimension!r} must have one component and not depend on "
                "the place"
            )
        chains = [
            (one(problem.objects, p), *(one(problem.objects, s) for s in secondaries))
            for p, secondaries in self.failover.items()
        ]
        for chain in chains:
            if len(chain) < 2 or len(set(chain)) != len(chain):
                name = problem.objects.labels[chain[0]]
                raise InvalidInput(
                    f"disaster_recovery_capacity: {name!r} needs different objects as secondaries"
                )
        return chains

    def _lost(self, problem: Problem) -> npt.NDArray[np.bool_]:
        """bool[n_items, n_domains]: whether the item is lost with the domain item."""
        scope, domain = problem.scope(self.scope), problem.scope(self.domain or self.scope)
        lost = np.zeros((scope.items.size, domain.items.size), np.bool_)
        for container in range(problem.containers.size):
            here = scope.indices[scope.indptr[container] : scope.indptr[container + 1]]
            around = domain.indices[domain.indptr[container] : domain.indptr[container + 1]]
            lost[np.ix_(here, around)] = True
        return lost

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        chains, kept = self._chains(problem), (~self._lost(problem)).astype(np.float64)
        weights = problem.weights(self.dimension)
        assert isinstance(weights, StaticWeights)
        items, domains = problem.items(self.scope), problem.items(self.domain or self.scope)
        n, m = items.size, domains.size
        labels = [f"{s} when {d} is lost" for s in items.labels for d in domains.labels]
        axis = Axis("loss", n * m, labels)
        here = rescoped(problem, self.scope, axis, [np.arange(m) + s * m for s in range(n)])
        gone = rescoped(problem, self.domain or self.scope, axis, [np.arange(n) * m + d for d in range(m)])
        # hand-over k: the first `depth` objects of a chain are in d, the next one is on s
        steps = [(chain[:depth], chain[depth]) for chain in chains for depth in range(1, len(chain))]
        hand_over = Axis("hand-over", len(steps))
        ones = np.ones(problem.objects.size)
        lost = c.group_usage(sets_of_objects(problem, hand_over, [s[0] for s in steps]), gone, ones)
        taker = c.group_usage(sets_of_objects(problem, hand_over, [[s[1]] for s in steps]), here, ones)
        depth = np.array([len(s[0]) for s in steps], np.float64).reshape(-1, 1)
        happens = c.positive(c.affine([(lost, 1.0), (taker, 1.0)], -depth))
        amount = weights.values[[s[0][0] for s in steps], 0].reshape(-1, 1)
        arriving = c.total(c.affine([(happens, amount)]), COLUMNS)
        capacity = np.repeat(measure.capacity(problem, self.scope, self.dimension), m)
        mask = kept.reshape(-1)
        used = c.usage(here, weights)
        yield Limit("room for failover", c.affine([(used, mask), (arriving, mask)], -capacity * mask))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        lost = self._lost(problem)
        used = measure.usage(problem, self.scope, self.dimension, assignment)
        weight = measure.weight_table(problem, self.scope, self.dimension)[:, 0, 0]
        on_item = measure.inside(problem, self.scope, assignment)
        on_domain = measure.inside(problem, self.domain or self.scope, assignment)
        load = np.repeat(used[:, None], lost.shape[1], axis=1)
        for primary, *secondaries in self._chains(problem):
            for d in np.flatnonzero(on_domain[primary]):
                taker = next((s for s in secondaries if not on_domain[s, d]), None)
                if taker is not None:
                    load[on_item[taker], d] += weight[primary]
        capacity = measure.capacity(problem, self.scope, self.dimension)
        return np.where(lost, 0.0, load - capacity[:, None]).reshape(-1)

    def describe(self) -> str:
        where = self.domain or self.scope
        return (
            f"every {self.scope} has room for the {self.dimension} that fails over when any {where} is lost"
        )

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="load", failover={"t0": ("t1", "t2")})
        load = Dimension(objects=[5, 1, 1], containers=5)
        # h0 lost: t1 is on h0 too, so t2 takes over: 1 + 5 on h1, 1 beyond; before, h0 holds 6, 1 beyond,
        # when h1 is lost
        return sample(spec, start=[0, 0, 1], end=[0, 0, 1], hosts=2, dimensions={"load": load}, value=2.0)
