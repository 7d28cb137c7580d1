"""A placement made directly, part by part: the answer for large pools, the start of a solver on small ones.

Largest parts first, so that on nodes whose size the parts divide nothing is turned away that would fit. What
runs stays where its node has room for it; the others go where they crowd their service least: first over
racks and nodes, then where racks are used least, then to the fullest node that still takes them, which
keeps whole nodes free (under a loss policy to the emptiest, which keeps room on many nodes). A part that
finds no room in the end changes places with one that can go elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.graph.space import Ints
from planner.fleet.fleet import Pool
from planner.placement.vocabulary import Part

__all__ = ["pack"]

Counts = npt.NDArray[np.int64]


def pack(
    pool: Pool,
    parts: Sequence[Part],
    start: Ints,
    *,
    loss_of: str | None = None,
    spread_limits: Mapping[int, int] | None = None,
) -> Ints | None:
    """Return int32[part], the node of each part; None when some part found no room.

    Kept are the GPUs of nodes, parts of an instance apart, the power of racks and the spread limits; other
    limits of the document are not looked at.

    Parameters
    ----------
    start
        int32[part]: node each part runs on, -1 for none.
    loss_of, spread_limits
        As in `planner.placement.problem.placement_problem`.
    """
    packing = _Packing(pool, parts, loss_of, spread_limits or {})
    nodes = start.copy()
    # Of one size the most numerous first: they need most nodes where each may hold few of them.
    alike = Counter(part.column for part in parts)
    order = sorted(
        range(len(parts)),
        key=lambda i: (-parts[i].gpus, start[i] < 0, -alike[parts[i].column], parts[i].column, i),
    )
    for i in order:
        if start[i] >= 0:
            packing.reserve(parts[i], int(start[i]))
    for i in order:
        if start[i] >= 0:
            packing.release(parts[i], int(start[i]))
        nodes[i] = packing.best(parts[i], int(start[i]))
        if nodes[i] >= 0:
            packing.put(parts[i], int(nodes[i]))
    for i in order:
        if nodes[i] < 0 and not _make_room(packing, parts, nodes, i):
            return None
    return nodes.astype(np.int32)


def _make_room(packing: _Packing, parts: Sequence[Part], nodes: Ints, i: int) -> bool:
    """Put part i where one other part that can go elsewhere gives it room: the smallest that does."""
    part = parts[i]
    on: dict[int, list[int]] = {}
    for other, node in enumerate(nodes.tolist()):
        if node >= 0:
            on.setdefault(node, []).append(other)
    wanting = sorted(on, key=lambda node: (part.gpus - packing.free[node], node))
    for node in wanting:
        for other in sorted(on[node], key=lambda o: (parts[o].gpus, o)):
            packing.take(parts[other], node)
            if packing.possible(part)[node]:
                packing.put(part, node)
                away = packing.best(parts[other], -1)
                if away >= 0:
                    packing.put(parts[other], away)
                    nodes[i], nodes[other] = node, away
                    return True
                packing.take(part, node)
            packing.put(parts[other], node)
    return False


class _Packing:
    """Free room while parts are put, as arrays over the nodes."""

    def __init__(
        self, pool: Pool, parts: Sequence[Part], loss_of: str | None, spread_limits: Mapping[int, int]
    ) -> None:
        self.rack = np.array([pool.rack_of(node) for node in range(pool.nodes)], np.int64)
        self.free = np.full(pool.nodes, pool.gpus_per_node, np.int64)
        self.free[list(pool.unavailable)] = 0
        self.reserved = np.zeros(pool.nodes, np.int64)
        self.rack_used = np.zeros(pool.racks, np.int64)
        watts = pool.rack_limit_watts
        self.rack_room = None if watts is None else int(watts / pool.gpu_watts + 1e-9)
        self.limits = spread_limits if loss_of in ("node", "rack") else {}
        self.by_rack = loss_of == "rack"
        self.of_service: dict[str, tuple[Counts, Counts]] = {}
        self.of_column: dict[int, Counts] = {}
        self.hosts: dict[str, set[int]] = {}
        sizes = Counter(_service(part) for part in parts)
        for service in sizes:
            self.of_service[service] = (np.zeros(pool.racks, np.int64), np.zeros(pool.nodes, np.int64))
        places = pool.racks if self.by_rack else pool.nodes
        for part in parts:
            self.of_column.setdefault(part.column, np.zeros(places, np.int64))
        self.even = {s: (-(-n // pool.racks), -(-n // pool.nodes_in_service)) for s, n in sizes.items()}

    def reserve(self, part: Part, node: int) -> None:
        """Keep room for a part that runs there and has not been put yet."""
        self.reserved[node] += part.gpus

    def release(self, part: Part, node: int) -> None:
        """Give that room back."""
        self.reserved[node] -= part.gpus

    def best(self, part: Part, home: int) -> int:
        """Node for a part that runs on `home` (-1: nowhere); -1 when there is no room."""
        possible = self.possible(part)
        if home >= 0 and possible[home]:
            return home
        # Room that is kept for smaller ones that run is taken only where there is no other.
        roomy = possible & (self.free - self.reserved >= part.gpus)
        choice = np.flatnonzero(roomy if roomy.any() else possible)
        if not choice.size:
            return -1
        racks, nodes = self.of_service[_service(part)]
        even_rack, even_node = self.even[_service(part)]
        rack = self.rack[choice]
        keys = (
            # Where each node may hold few alike, the later ones need room on many nodes: fill them evenly.
            -self.free[choice] if self.limits else self.free[choice],
            self.rack_used[rack],
            self.reserved[choice] * ~roomy[choice],
            np.maximum(nodes[choice] + 1 - even_node, 0) + np.maximum(racks[rack] + 1 - even_rack, 0),
        )
        return int(choice[np.lexsort(keys)[0]])

    def put(self, part: Part, node: int) -> None:
        """Put a part on a node."""
        self._count(part, node, 1)
        self.hosts.setdefault(part.instance, set()).add(node)

    def take(self, part: Part, node: int) -> None:
        """Take a part off a node again."""
        self._count(part, node, -1)
        self.hosts[part.instance].discard(node)

    def _count(self, part: Part, node: int, sign: int) -> None:
        racks, nodes = self.of_service[_service(part)]
        rack = self.rack[node]
        racks[rack] += sign
        nodes[node] += sign
        self.free[node] -= sign * part.gpus
        self.rack_used[rack] += sign * part.gpus
        self.of_column[part.column][rack if self.by_rack else node] += sign

    def possible(self, part: Part) -> npt.NDArray[np.bool_]:
        """bool[node]: where the part may be put."""
        possible = self.free >= part.gpus
        if self.rack_room is not None:
            possible &= (self.rack_used + part.gpus <= self.rack_room)[self.rack]
        limit = self.limits.get(part.column)
        if limit is not None:
            full = self.of_column[part.column] >= limit
            possible &= ~(full[self.rack] if self.by_rack else full)
        possible[list(self.hosts.get(part.instance, ()))] = False
        return np.asarray(possible)


def _service(part: Part) -> str:
    return f"{part.workload} {part.role}"
