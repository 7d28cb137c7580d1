"""Which part of a problem to free next."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.graph import Partition, Scope
from models.graph.cells import Array
from models.graph.ops import GroupUsage, Usage
from solvers.lns.hotness import container_costs, scopes_of
from solvers.lns.incumbent import Incumbent
from solvers.milp.linear import Indices

__all__ = ["KINDS", "Chooser", "Part"]

KINDS = ("hot", "random", "item", "related")
"""Hot containers with others; containers at random; containers of one scope item; objects of few groups."""
SMALLEST, LARGEST = 60, 60_000
"""Least and largest size of a part: free objects × containers."""
FIRST = 600
"""Size the first parts have."""
AIM = 0.3
"""Share of its limit that a part should take; sizes follow."""
REFRESH = 20
"""Parts after which it is looked again where the cost arises."""


@dataclass(frozen=True, slots=True)
class Part:
    """What to free: int64 `objects` among int64 `containers`; `kind` is one of `KINDS`.

    ``homes``: each object may also go back to where it started.
    """

    kind: str
    objects: Indices
    containers: Indices
    homes: bool


@dataclass(slots=True)
class _Arm:
    size: float = FIRST
    tries: int = 0
    won: float = 0.0


@dataclass(slots=True)
class Chooser:
    """Chooses parts and learns from what became of them.

    Parameters
    ----------
    incumbent
        What is improved.
    rng
        Source of all randomness.
    """

    incumbent: Incumbent
    rng: np.random.Generator
    _arms: dict[str, _Arm] = field(default_factory=dict)
    _scopes: list[Scope] = field(default_factory=list)
    _partitions: list[Partition] = field(default_factory=list)
    _start_matters: bool = False
    _costs: Array | None = None
    _age: int = 0
    _largest_gain: float = 0.0

    def __post_init__(self) -> None:
        n = self.incumbent.graph.space.n_containers
        for scope in scopes_of(self.incumbent).values():
            sizes = np.bincount(scope.indices, minlength=scope.items.size)
            if scope.items.size > 1 and 1 < sizes.max(initial=0) < n:
                self._scopes.append(scope)
        for node in self.incumbent.nodes:
            if isinstance(node.op, (Usage, GroupUsage)):
                self._start_matters |= node.op.counted != "after"
            if isinstance(node.op, GroupUsage) and node.op.partition.group_sizes.max(initial=0) > 1:
                self._partitions.append(node.op.partition)
        self._partitions = list({id(p): p for p in self._partitions}.values())
        for kind in KINDS:
            if (kind != "item" or self._scopes) and (kind != "related" or self._partitions):
                self._arms[kind] = _Arm()

    def next(self) -> Part:
        """Another part; kinds that paid off are chosen more often."""
        kinds = list(self._arms)
        score = np.array([(a.won + 0.5) / (a.tries + 1.0) for a in self._arms.values()])
        kind = kinds[int(self.rng.choice(len(kinds), p=score / score.sum()))]
        size = self._arms[kind].size
        if kind == "related":
            return self._related(size)
        return self._filled(kind, self._order(kind), size)

    def learn(self, part: Part, *, gain: float, share: float) -> None:
        """What became of `part`: by how much it improved its tier, and what share of its limit it took."""
        arm = self._arms[part.kind]
        self._largest_gain = max(0.95 * self._largest_gain, gain)
        arm.tries += 1
        arm.won += gain / self._largest_gain if gain > 0 else 0.0
        if arm.tries > 30:  # forget slowly
            arm.tries, arm.won = arm.tries // 2, arm.won / 2
        change = float(np.clip((AIM / max(share, 0.01)) ** 0.5, 0.6, 1.7))
        arm.size = float(np.clip(arm.size * change, SMALLEST, LARGEST))

    # -- the kinds -------------------------------------------------------------------------------------------

    def _order(self, kind: str) -> Indices:
        """Containers in the order in which they join the part."""
        n = self.incumbent.graph.space.n_containers
        order = self.rng.permutation(n)
        if kind == "hot":
            costs = self._container_costs()
            total = costs.sum()
            if total > 0:
                # half of the containers by cost, the other half at random: they take what the hot ones give
                hot = self.rng.choice(n, min(n, 64), p=costs / total)
                mixed = np.stack([hot, order[: hot.size]], axis=1).reshape(-1)
                order = np.concatenate([mixed, order])
        elif kind == "item":
            scope = self._scopes[int(self.rng.integers(len(self._scopes)))]
            sizes = np.bincount(scope.indices, minlength=scope.items.size)
            item = self.rng.choice(np.flatnonzero(sizes > 1))
            container, at = scope.expand(order)
            order = order[container[at == item]]
        _, first = np.unique(order, return_index=True)
        return order[np.sort(first)]

    def _container_costs(self) -> Array:
        if self._costs is None or self._age >= REFRESH:
            self._age = 0
            tiers = self.incumbent.graph.tiers
            found = np.zeros(self.incumbent.graph.space.n_containers)
            for level in range(len(tiers)):
                costs = np.maximum(container_costs(self.incumbent, level), 0.0)
                if costs.max(initial=0.0) > 0:
                    found += costs / costs.sum()
            self._costs = found
        self._age += 1
        return self._costs

    def _filled(self, kind: str, order: Indices, size: float) -> Part:
        """As many containers of `order` as fit, with all their objects; at least two, with some of theirs."""
        where = self.incumbent.assignment
        held = np.bincount(where[where >= 0], minlength=self.incumbent.graph.space.n_containers)
        loose = int((where < 0).sum())
        objects = np.cumsum(held[order]) + min(loose, int(size) // 10)
        k = np.arange(1, order.size + 1)
        most = max(int(np.searchsorted(objects * k > size, True)), 2)
        containers = np.sort(order[:most])
        chosen = np.zeros(held.size + 1, np.bool_)
        chosen[containers] = True
        members = np.flatnonzero(chosen[where])
        waiting = np.flatnonzero(where < 0)
        if waiting.size:
            some = self.rng.permutation(waiting)[: max(1, int(size) // 10 // containers.size)]
            members = np.append(members, some)
        return Part(kind, self._thinned(members, size / containers.size), containers, self._homes())

    def _thinned(self, objects: Indices, most: float) -> Indices:
        n = max(int(most), 2)
        return objects if objects.size <= n else np.sort(self.rng.permutation(objects)[:n])

    def _related(self, size: float) -> Part:
        """The objects of some groups, among where they are and as many other containers."""
        partition = self._partitions[int(self.rng.integers(len(self._partitions)))]
        where = self.incumbent.assignment
        many = np.flatnonzero(partition.group_sizes > 1)
        groups = self.rng.permutation(many)[: max(1, int(size**0.5))]
        rank = np.full(partition.groups.size, -1, np.int64)
        rank[groups] = np.arange(groups.size)
        entry = np.flatnonzero(rank[partition.indices] >= 0)
        owner = np.searchsorted(partition.indptr, entry, side="right") - 1
        order = np.argsort(rank[partition.indices[entry]], kind="stable")
        _, first = np.unique(owner[order], return_index=True)
        members = owner[order][np.sort(first)][: max(2, int((size / 2) ** 0.5))]
        here = where[members]
        here = np.unique(here[here >= 0])
        others = self.rng.permutation(self.incumbent.graph.space.n_containers)
        room = max(int(size / max(members.size, 1)) - here.size, 1)
        return Part("related", np.sort(members), np.union1d(here, others[:room]), self._homes())

    def _homes(self) -> bool:
        return self._start_matters and bool(self.rng.random() < 0.5)
