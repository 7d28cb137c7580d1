"""From an expression graph to the flat arrays of a `Model`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from models.graph import Evaluator, Graph
from models.graph.cells import Array, as_dense
from models.graph.space import Ints, Scope
from solvers.search import layout
from solvers.search.column_tables import column_tables, dynamic_tables, linear_tables
from solvers.search.columns import DynamicTable
from solvers.search.goals import LinearCost, Parts, take_apart
from solvers.search.group_tables import group_tables
from solvers.search.kin import kin_tables
from solvers.search.model import Model, pack
from solvers.search.places import place_tables
from solvers.search.pools import Pool, item_of_container, longs
from solvers.search.remainder import Remainder, flatten_remainder

__all__ = ["Interrupted", "flatten", "node_values", "relaxed"]


def relaxed(graph: Graph) -> Graph:
    """`graph` with every object allowed to be unassigned, so that any start can be evaluated."""
    anywhere = np.ones(graph.space.n_objects, np.bool_)
    return replace(graph, space=replace(graph.space, may_be_unassigned=anywhere))


class Interrupted(Exception):
    """There was no time, or no wish, to go on before the model was made."""


def _going_on() -> bool:
    return False


def flatten(graph: Graph, start: Ints, stopped: Callable[[], bool] = _going_on) -> Model:
    """Flatten `graph`. What `start` breaks already may stay broken, at a price (see `Model.weighted`).

    Raises Interrupted when `stopped`, which is asked between the steps, says so.
    """

    def go_on() -> None:
        if stopped():
            raise Interrupted

    space = graph.space
    n, m = space.n_objects, space.n_containers
    go_on()
    parts = take_apart(graph, Evaluator(relaxed(graph), start))
    go_on()
    _forbid_unassigned(parts)
    group_blocks = {id(t): parts.blocks.block(t.scope) for t in parts.groups.tables}
    dynamic: list[DynamicTable] = []
    columns, column_fields, n_costs, widest = column_tables(parts, dynamic)
    go_on()
    linear, linear_fields = linear_tables(parts, dynamic)
    groups, group_fields = group_tables(parts, group_blocks, start)
    go_on()
    rest = flatten_remainder(parts, dynamic)
    go_on()
    initial = np.append(np.where(space.initial < 0, m, space.initial), -2).astype(np.int32)
    priced = {
        "move_w": np.zeros(n + 1),
        "goal_w": np.zeros(rest.n_goal),
        "node_penalty": np.zeros(rest.allowance.size),
    }
    tables = {**columns, **linear, **groups, **_rest(rest), **dynamic_tables(dynamic, n), **priced}
    tables |= {**_places(parts, initial), **kin_tables(parts), "initial": initial}
    tables |= place_tables(tables, m, space.may_be_unassigned)
    go_on()
    tables["may_leave"] = space.may_be_unassigned.astype(np.int32)
    tables["knots"] = parts.knots.array()
    n_blocks = max(1, columns["blocks"].size // layout.BLOCK)
    n_touched = 2 * layout.MAX_PARTS * n_blocks * layout.TOUCH
    sizes = {
        "assignment": n + 1,
        "touched": rest.n_values,
        "mark": rest.n_values,
        "n_touched": len(rest.node_ids),
        "pending_at": n_touched + 1,
        "parts": 3 * layout.MAX_PARTS + 4,
        "X": columns["upper"].size,
        "cost": n_costs,
        "value": rest.n_values,
        "old": rest.n_values,
        "saved": 2 * layout.MAX_PARTS * n_blocks * widest,
        "pending": n_touched,
        "net": 1,
    }
    return Model(
        graph=graph,
        n_objects=n,
        n_containers=m,
        n_tiers=len(graph.tiers),
        initial=initial,
        may_leave=np.ascontiguousarray(space.may_be_unassigned),
        tables=pack(tables, sizes, n, m),
        move_w={t: np.append(w, 0.0) for t, w in parts.moves.items()},
        goal_w=rest.goal_w,
        node_ids=tuple(rest.node_ids),
        offsets=parts.offsets,
        **column_fields,
        **linear_fields,
        **group_fields,
    )


def _places(parts: Parts, initial: Ints) -> dict[str, Any]:
    """Item of each container, and where each object started, by block."""
    item_of, home = Pool(np.int32), Pool(np.int32)
    for block in parts.blocks.blocks:
        item = item_of_container(block.scope)
        item_of.add(item)
        home.add(np.append(item[initial[:-1]], -2))
    return {"item_of": item_of.array(), "home": home.array()}


def _forbid_unassigned(parts: Parts) -> None:
    """Objects that are in no container and must be in one: a linear cost of the violation tier (index −1)."""
    space = parts.graph.space
    if np.all(space.may_be_unassigned):
        return
    block = parts.blocks.block(Scope.places(space.containers))
    gamma = np.zeros(space.n_containers + 1)
    gamma[-1] = 1.0
    w = np.where(space.may_be_unassigned, 0.0, 1.0)
    if np.any(parts.start.assignment[~space.may_be_unassigned] < 0):
        parts.linear.append(LinearCost(block, None, w, w, gamma, -1))


def _rest(rest: Remainder) -> dict[str, Any]:
    return {
        "leaves": longs(rest.leaves),
        "nodes": np.ascontiguousarray(rest.nodes.reshape(-1)),
        "pointers": rest.pointers.array(),
        "targets": rest.targets.array(),
        "leaf_w": rest.leaf_w.array(),
        "pairs": rest.pairs.array(),
        "pair_rate": rest.pair_rate.array(),
        "distance": rest.distance.array(),
        "children": longs(rest.children),
        "parents": longs(rest.parents),
        "pool": rest.pool.array(),
        "allowance": rest.allowance.array(),
    }


def node_values(model: Model, assignment: Ints) -> Array:
    """float64[n_values]: elements of all remaining nodes, by the reference evaluation."""
    if not model.node_ids:
        return np.zeros(0)
    evaluator = Evaluator(relaxed(model.graph), assignment)
    return np.concatenate([as_dense(evaluator.value(model.graph.nodes[i])) for i in model.node_ids])
