"""The decision of sizing as a graph sees it: identical slots are the objects, candidates the containers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

from models.graph import AssignmentSpace, Axis, GraphBuilder, Node
from models.graph.ops import Onto
from models.graph.space import Ints
from planner.candidates.candidate import Candidate
from planner.sizing.problem import SizingProblem

__all__ = ["Columns", "Floats", "assignment_of", "counts_of"]

Floats = npt.NDArray[np.float64]


class Columns:
    """The integers ``n[c]`` of one sizing problem, and sums over them.

    Every slot starts unassigned and weighs the same, so the MILP lowering decides the counts themselves: one
    column a candidate. What runs today enters through the goals, as numbers, and as the start of the solve.
    """

    def __init__(self, problem: SizingProblem) -> None:
        self.problem = problem
        self.fleet = problem.fleet
        self.candidates = problem.candidates
        self.builder = GraphBuilder(self._space())
        self.counts: Node = self.builder.usage(
            self.builder.container_scope, np.ones(self.builder.space.n_objects)
        )
        self.most: Floats | None = None

    def limit_counts(self) -> None:
        """Limit each candidate to what it takes to serve all of its workload's demand by itself.

        More of them serve nobody, so no goal that is a price is better with more. Only counts up to the limit
        are then told apart, which lets the relaxation of losses be tighter.
        """
        problem = self.problem
        running, shares = problem.running, problem.loss_shares().tolist()
        most = np.zeros(len(self.candidates))
        for index, candidate in enumerate(self.candidates):
            pool, share = problem.fleet.pool(candidate.pool), shares[index]
            demand = problem.demand_per_s(candidate.workload) / candidate.capacity_per_s
            # n − ⌈share · n⌉ ≥ n · (1 − share) − 1; where one loss may take all, only the supply limits.
            enough = np.ceil((demand + 1.0) / (1.0 - share) - 1e-9) if share < 1.0 else np.inf
            most[index] = max(min(enough, pool.gpus // candidate.gpus), running[index])
        self.builder.constrain(self.weighted(1.0, -most), name="instances of use")
        self.most = most

    def _space(self) -> AssignmentSpace:
        """As many slots as the smallest candidates of each pool could fill."""
        smallest: dict[str, int] = {}
        for candidate in self.candidates:
            smallest[candidate.pool] = min(candidate.gpus, smallest.get(candidate.pool, candidate.gpus))
        slots = sum(self.fleet.pool(name).gpus // size for name, size in smallest.items())
        slots = max(slots, sum(self.problem.running))
        return AssignmentSpace(
            Axis("slot", slots),
            Axis("candidate", len(self.candidates), tuple(c.label for c in self.candidates)),
            np.full(slots, -1, np.int32),
            np.ones(slots, np.bool_),
        )

    def each(self, value: Callable[[Candidate], float]) -> Floats:
        """float64[candidate]."""
        return np.array([value(candidate) for candidate in self.candidates], np.float64)

    def onto(self, name: str, labels: Sequence[Hashable], key: Callable[[Candidate], Hashable]) -> Onto:
        """Map candidates to the label that `key` gives; None leaves a candidate out."""
        place = {label: index for index, label in enumerate(labels)}
        index = np.array([place.get(key(candidate), -1) for candidate in self.candidates], np.int64)
        return Onto("map", index, Axis(name, len(labels), tuple(str(label) for label in labels)))

    def weighted(self, weights: npt.ArrayLike, constant: npt.ArrayLike = 0.0) -> Node:
        """``weights · n + constant`` for each candidate."""
        return self.builder.affine([(self.counts, weights)], constant)

    def gpus_per_pool(self) -> Node:
        """GPUs in use, over the pools in document order."""
        onto = self.onto("pool", [pool.name for pool in self.fleet.pools], lambda c: c.pool)
        return self.builder.total(self.weighted(self.each(lambda c: c.gpus)), onto)


def assignment_of(counts: Sequence[int], slots: int) -> Ints | None:
    """int32[slots] with that many slots in each candidate; None where there are not enough slots."""
    filled = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    if filled.size > slots:
        return None
    return np.concatenate((filled, np.full(slots - filled.size, -1, np.int32)))


def counts_of(assignment: Ints, candidates: int) -> list[int]:
    """Number of slots in each candidate."""
    return [int(n) for n in np.bincount(assignment[assignment >= 0], minlength=candidates)]
