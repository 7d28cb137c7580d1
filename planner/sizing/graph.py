r"""Sizing as an expression graph.

Objects are identical instance slots, containers are the candidates; an unassigned slot is an instance that
does not exist. The number of objects in container ``c`` is the integer ``n[c]``, and that is how the MILP
lowering solves it: identical objects become counts. With capacities ``r[c]`` and a loss policy over ``U``
nodes or racks of a pool,

    lost[c]   = r[c] · ceil(n[c] · groups[c] / U)                    what one node takes down, evenly spread
    alive     = r · n − lost where c's pool is the one hit, else r · n
    served[w] = Σ mixed alive + Σ_zones min(Σ prefill alive, Σ decode alive)
    unserved  = max over pools hit of (demand − served)⁺

Hard: GPUs per pool; and, for every k, groups of more than 1/(k+1) of a node's GPUs: at most k a node. Goal
tiers follow the fleet's goals; unserved demand has one tier a priority, in shares of the workload's demand.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

from models.graph import AssignmentSpace, Axis, Graph, GraphBuilder, Node
from models.graph.ops import Ceiling, Maximum, Minimum, Onto, PositivePart
from planner.candidates.candidate import Candidate
from planner.sizing.problem import SizingProblem, failure_units

__all__ = ["sizing_graph"]

Floats = npt.NDArray[np.float64]


def sizing_graph(problem: SizingProblem) -> Graph:
    """Return the graph of `problem`; container ``c`` is ``problem.candidates[c]``."""
    return _Sizing(problem).build()


class _Sizing:
    """Builds the graph once."""

    def __init__(self, problem: SizingProblem) -> None:
        self.problem = problem
        self.fleet = problem.fleet
        self.candidates = problem.candidates
        self.builder = GraphBuilder(self._space())
        ones = np.ones(self.builder.space.n_objects)
        self.counts = self.builder.usage(self.builder.container_scope, ones)

    def build(self) -> Graph:
        with self.builder.for_spec("supply"):
            self._supply()
        goals = self.fleet.goals if self.problem.owned_gpus is None else ("unserved_demand", "growth")
        for tier, goal in enumerate(goals):
            with self.builder.for_spec(goal):
                # Steps of 1000 leave room for one tier a priority, in the order of the goals.
                getattr(self, f"_{goal}")(tier * 1000)
        return self.builder.build()

    # -- decision ------------------------------------------------------------------------------------------

    def _space(self) -> AssignmentSpace:
        """As many slots as the smallest candidates of each pool could fill, the running ones first."""
        smallest: dict[str, int] = {}
        for candidate in self.candidates:
            smallest[candidate.pool] = min(candidate.gpus, smallest.get(candidate.pool, candidate.gpus))
        running = [
            index
            for index, candidate in enumerate(self.candidates)
            for _ in range(self.problem.current.get(candidate.shape, 0))
        ]
        slots = max(len(running), sum(self.fleet.pool(name).gpus // size for name, size in smallest.items()))
        initial = np.full(slots, -1, np.int32)
        initial[: len(running)] = running
        return AssignmentSpace(
            Axis("slot", slots),
            Axis("candidate", len(self.candidates), tuple(c.label for c in self.candidates)),
            initial,
            np.ones(slots, np.bool_),
        )

    # -- helpers -------------------------------------------------------------------------------------------

    def _each(self, value: Callable[[Candidate], float]) -> Floats:
        return np.array([value(candidate) for candidate in self.candidates], np.float64)

    def _onto(self, name: str, labels: Sequence[Hashable], key: Callable[[Candidate], Hashable]) -> Onto:
        """Map candidates to the label that `key` gives; None leaves a candidate out."""
        place = {label: index for index, label in enumerate(labels)}
        index = np.array([place.get(key(candidate), -1) for candidate in self.candidates], np.int64)
        return Onto("map", index, Axis(name, len(labels), tuple(str(label) for label in labels)))

    # -- limits --------------------------------------------------------------------------------------------

    def _supply(self) -> None:
        pools = self.fleet.pools
        onto = self._onto("pool", [pool.name for pool in pools], lambda c: c.pool)
        used = self._gpus_per_pool(onto)
        withheld = self.problem.withheld_gpus
        supply = np.array([pool.gpus - withheld.get(pool.name, 0) for pool in pools], np.float64)
        self.builder.constrain(self.builder.affine([(used, 1.0)], -supply), name="GPUs per pool")
        for pool in pools:
            # Larger groups pack worse than their GPU count says: on 6-GPU nodes only one group of 4 fits.
            sizes = {c.gpus_per_group for c in self.candidates if c.pool == pool.name}
            for k in sorted({pool.gpus_per_node // size for size in sizes}):

                def large(
                    c: Candidate, pool: str = pool.name, most: float = pool.gpus_per_node / (k + 1)
                ) -> float:
                    return float(c.groups if c.pool == pool and c.gpus_per_group > most else 0)

                groups = self.builder.total(self.builder.affine([(self.counts, self._each(large))]))
                self.builder.constrain(
                    self.builder.affine([(groups, 1.0)], -float(k * pool.nodes)),
                    name=f"{pool.name}: groups of more than 1/{k + 1} node",
                )

    def _gpus_per_pool(self, onto: Onto) -> Node:
        return self.builder.total(self.builder.affine([(self.counts, self._each(lambda c: c.gpus))]), onto)

    # -- goals ---------------------------------------------------------------------------------------------

    def _unserved_demand(self, tier: int) -> None:
        workloads = self.fleet.workloads
        demand = np.array([self.problem.demand_per_s(w.name) for w in workloads])
        served = [self._served(pool) for pool in self._scenarios()]
        short = [self.builder.affine([(node, -1.0 / demand)], np.ones(demand.size)) for node in served]
        worst = self.builder.node(Maximum(), *short) if len(short) > 1 else short[0]
        unserved = self.builder.node(PositivePart(), worst)
        for priority in sorted({workload.priority for workload in workloads}):
            mine = np.array([float(workload.priority == priority) for workload in workloads])
            total = self.builder.total(self.builder.affine([(unserved, mine)]))
            self.builder.minimize(total, tier=tier + priority, name=f"unserved_demand, priority {priority}")

    def _scenarios(self) -> list[str | None]:
        """Pools that may be hit; None, when nothing may be lost."""
        if self.fleet.policies.loss_of is None:
            return [None]
        used = {candidate.pool for candidate in self.candidates}
        return [pool.name for pool in self.fleet.pools if pool.name in used] or [None]

    def _served(self, hit: str | None) -> Node:
        """Requests per second that each workload can be served when one node (or rack) of a pool is lost."""
        rates = self._each(lambda c: c.capacity_per_s)
        alive = self.builder.affine([(self.counts, rates)])
        if hit is not None:
            struck = self._each(lambda c: float(c.pool == hit))
            alive = self.builder.affine([(alive, 1.0), (self._groups_a_unit(), -rates * struck)])
        names = [workload.name for workload in self.fleet.workloads]
        mixed = self._onto("workload", names, lambda c: c.workload if c.role == "mixed" else None)
        parts = [self.builder.total(alive, mixed)]
        pairs = sorted({(c.workload, c.zone) for c in self.candidates if c.role != "mixed"})
        if pairs:
            prefill, decode = (
                self.builder.total(
                    alive,
                    self._onto(
                        "workload and zone",
                        pairs,
                        lambda c, role=role: (c.workload, c.zone) if c.role == role else None,  # type: ignore[misc]
                    ),
                )
                for role in ("prefill", "decode")
            )
            both = self.builder.node(Minimum(), prefill, decode)
            index = np.array([names.index(workload) for workload, _ in pairs], np.int64)
            parts.append(self.builder.total(both, Onto("map", index, mixed.target)))
        return self.builder.affine([(part, 1.0) for part in parts])

    def _groups_a_unit(self) -> Node:
        """Groups of each candidate on the fullest node (or rack), evenly spread."""
        policy = self.fleet.policies.loss_of
        share = np.zeros(len(self.candidates))
        for index, candidate in enumerate(self.candidates):
            units = failure_units(self.fleet.pool(candidate.pool), policy)
            assert units is not None
            share[index] = min(1.0, self.problem.unevenness.get(index, 1) * candidate.groups / units)
        return self.builder.node(Ceiling(), self.builder.affine([(self.counts, share)]))

    def _cost(self, tier: int) -> None:
        price = self._each(lambda c: c.price_per_hour)
        self._minimize_sum(price, tier, "cost")

    def _gpus(self, tier: int) -> None:
        self._minimize_sum(self._each(lambda c: c.gpus), tier, "gpus")

    def _minimize_sum(self, each: Floats, tier: int, name: str) -> None:
        self.builder.minimize(
            self.builder.total(self.builder.affine([(self.counts, each)])), tier=tier, name=name
        )

    def _growth(self, tier: int) -> None:
        """Price of the GPUs used beyond those there are; those without a price count a little."""
        owned = self.problem.owned_gpus or {}
        pools = self.fleet.pools
        onto = self._onto("pool", [pool.name for pool in pools], lambda c: c.pool)
        beyond = self.builder.affine(
            [(self._gpus_per_pool(onto), 1.0)], -np.array([float(owned[pool.name]) for pool in pools])
        )
        price = np.array([max(pool.price_per_gpu_hour, 1e-3) for pool in pools])
        missing = self.builder.affine([(self.builder.node(PositivePart(), beyond), price)])
        self.builder.minimize(self.builder.total(missing), tier=tier, name="growth")

    def _movement(self, tier: int) -> None:
        """Instances that start, stop or change; without a current plan, instances that start."""
        self.builder.minimize(self.builder.moved_amount(), tier=tier, name="movement")
