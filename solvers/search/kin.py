"""Which objects have to do with each other, and which containers lie near each other.

This only guides proposals of moves; what a move costs is always the kernels' business.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.graph import Graph
from models.graph.ops.pair_cost import PairCost
from models.graph.ops.usage import GroupUsage, Usage
from models.graph.space import Partition, Scope
from solvers.search.goals import Parts
from solvers.search.pools import Pool

__all__ = ["kin_tables"]

MEMBER_LIMIT = 50_000_000
"""Largest number of memberships listed."""
SCOPES = 4
"""Most scopes whose items make containers near."""

_Lists = tuple[Any, Any]  # objects, rows: one entry a membership


def kin_tables(parts: Parts) -> dict[str, Any]:
    """Tables of the layout: objects → groups → objects, and containers → those of the same items."""
    n = parts.graph.space.n_objects
    objects, rows, used = [np.empty(0, np.int64)], [np.empty(0, np.int64)], 0
    total = 0
    for found, row in _groups(parts):
        size = np.bincount(row) if row.size else np.empty(0, np.int64)
        useful = (size > 1)[row] if row.size else np.empty(0, np.bool_)
        total += int(useful.sum())
        if total > MEMBER_LIMIT:
            break
        objects.append(found[useful])
        rows.append(np.unique(row[useful], return_inverse=True)[1].reshape(-1) + used)
        used += int((size > 1).sum())
    who, row = np.concatenate(objects), np.concatenate(rows)
    by_object, by_row = np.argsort(who, kind="stable"), np.argsort(row, kind="stable")
    near_ptr, near = _near(parts.graph)
    return {
        "kin_ptr": np.append(0, np.cumsum(np.bincount(who, minlength=n))),
        "kin_of": row[by_object].astype(np.int32),
        "kin_member_ptr": np.append(0, np.cumsum(np.bincount(row, minlength=used))),
        "kin_member": who[by_row].astype(np.int32),
        "near_ptr": near_ptr,
        "near": near,
    }


def _groups(parts: Parts) -> list[_Lists]:
    """Groups that anything counts, pairs with a cost, and groups with those they need."""
    every = np.arange(parts.graph.space.n_objects)
    seen: dict[int, Partition] = {}
    out: list[_Lists] = []
    for table in parts.groups.tables:
        if table.needs is not None:
            seen[id(table.partition)] = table.partition
            out.append(_needed(table.partition, table.needs))
    for node in parts.graph.nodes:
        op = node.op
        if isinstance(op, GroupUsage) and id(op.partition) not in seen:
            seen[id(op.partition)] = op.partition
            if not any(t.needs is not None and t.partition is op.partition for t in parts.groups.tables):
                out.append(op.partition.expand(every))
        elif isinstance(op, PairCost):
            apart = op.first != op.second
            first, second = op.first[apart].astype(np.int64), op.second[apart].astype(np.int64)
            number = np.arange(first.size)
            out.append((np.concatenate([first, second]), np.concatenate([number, number])))
    return out


def _needed(partition: Partition, needs: Any) -> _Lists:
    """One row for each need: the members of both groups."""
    objects, group = partition.expand(np.arange(partition.indptr.size - 1))
    order = np.argsort(group, kind="stable")
    size = np.bincount(group, minlength=partition.groups.size)
    start = np.cumsum(size) - size
    found, rows = [], []
    for side in (0, 1):
        groups = needs[:, side]
        count = size[groups]
        row = np.repeat(np.arange(groups.size), count)
        offset = np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)
        found.append(objects[order][np.repeat(start[groups], count) + offset])
        rows.append(row)
    return np.concatenate(found), np.concatenate(rows)


def _near(graph: Graph) -> tuple[Any, Any]:
    """(int32[scopes, containers, 2]: start, number; int32[...]: containers) by item of a few scopes."""
    m = graph.space.n_containers
    scopes: dict[bytes, Scope] = {}
    for node in graph.nodes:
        if isinstance(node.op, (GroupUsage, Usage, PairCost)) and node.op.scope.disjoint:
            single = node.op.scope.single[:m]
            if np.bincount(single[single >= 0], minlength=1).max() > 1:
                scopes.setdefault(single.tobytes(), node.op.scope)
    pointers, lists = np.zeros((min(len(scopes), SCOPES), m, 2), np.int32), Pool(np.int32)
    for k, scope in enumerate(list(scopes.values())[:SCOPES]):
        single = scope.single[:m]
        order = np.argsort(single, kind="stable")
        order = order[single[order] >= 0]
        count = np.bincount(single[order], minlength=scope.items.size)
        inside = single >= 0
        first = lists.add(order) + np.cumsum(count) - count
        pointers[k, inside, 0] = first[single[inside]]
        pointers[k, inside, 1] = count[single[inside]]
    return pointers.reshape(-1), lists.array()
