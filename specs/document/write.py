"""A problem as the document that reads back as the same problem."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from specs.dimension import Dimension
from specs.document.read import KIND
from specs.entities import Entities
from specs.policy import Constraint, Goal, Policy
from specs.problem import Problem
from specs.spec import Spec, parameters
from specs.weights import dynamic_entries

__all__ = ["problem_document"]


def problem_document(problem: Problem) -> dict[str, Any]:
    """The document of `problem` as plain values: dump it as JSON or YAML.

    Arrays become lists or mappings by name; nothing refers to a file.
    """
    space, containers = problem.space, problem.containers.labels
    out: dict[str, Any] = {
        "kind": KIND,
        "objects": _entities(problem.objects),
        "containers": _entities(problem.containers),
        "assignment": {
            problem.objects.labels[o]: containers[c] for o, c in enumerate(space.initial.tolist()) if c >= 0
        },
        "may_be_unassigned": [
            problem.objects.labels[o] for o in np.flatnonzero(space.may_be_unassigned).tolist()
        ],
        "scopes": {name: _scope(problem, name) for name in problem.scopes},
        "partitions": {name: _partition(problem, name) for name in problem.partitions},
        "dimensions": {name: _dimension(problem, name, d) for name, d in problem.dimensions.items()},
        "constraints": [_constraint(c, problem) for c in problem.limits],
        "goals": [[_goal(g, problem) for g in tier] for tier in problem.tiers],
    }
    for key in ("may_be_unassigned", "assignment"):
        if not out[key]:
            out[key] = False if key == "may_be_unassigned" else {}
    return out


def _entities(entities: Entities) -> dict[str, Any]:
    if entities.count is not None:
        return {"name": entities.name, "count": int(entities.count)}
    if entities.counts is not None:
        return {"name": entities.name, "counts": {k: int(n) for k, n in entities.counts.items()}}
    return {"name": entities.name, "ids": list(entities.labels)}


def _scope(problem: Problem, name: str) -> dict[str, list[str]]:
    scope, items = problem.scope(name), problem.items(name).labels
    return {
        label: [items[i] for i in scope.indices[scope.indptr[c] : scope.indptr[c + 1]].tolist()]
        for c, label in enumerate(problem.containers.labels)
        if scope.indptr[c + 1] > scope.indptr[c]
    }


def _partition(problem: Problem, name: str) -> dict[str, list[str]]:
    partition, groups = problem.partition(name), problem.groups(name).labels
    out: dict[str, list[str]] = {group: [] for group in groups}
    position, group_of = partition.expand(np.arange(problem.objects.size))
    for o, g in zip(position.tolist(), group_of.tolist(), strict=True):
        out[groups[g]].append(problem.objects.labels[o])
    return out


def _dimension(problem: Problem, name: str, dimension: Dimension) -> dict[str, Any]:
    out: dict[str, Any] = {"objects": _plain(dimension.objects, problem, None)}
    if dimension.unit:
        out["unit"] = dimension.unit
    if dimension.containers is not None:
        out["containers"] = _plain(dimension.containers, problem, None)
    if dimension.items:
        out["items"] = {scope: _plain(values, problem, None) for scope, values in dimension.items.items()}
    if dimension.by_item is not None:
        by_item = dimension.by_item
        out["by_item"] = {"scope": by_item.scope, "values": dynamic_entries(name, by_item, problem)}
        if by_item.partition is not None:
            out["by_item"]["partition"] = by_item.partition
    return out


def _constraint(constraint: Constraint, problem: Problem) -> dict[str, Any]:
    return {**_spec(constraint.spec, problem), "policy": _policy(constraint.policy), "name": constraint.name}


def _goal(goal: Goal, problem: Problem) -> dict[str, Any]:
    return {**_spec(goal.spec, problem), "weight": goal.weight, "name": goal.name}


def _policy(policy: Policy) -> str | dict[str, Any]:
    if policy.kind == "soft":
        return {"soft": {"weight": policy.weight, "tier": policy.tier}}
    return policy.kind if policy.weight == 1.0 else {policy.kind: policy.weight}


def _spec(spec: Spec, problem: Problem) -> dict[str, Any]:
    stated = {}
    for field in parameters(spec):
        value = getattr(spec, field.name)
        if field.default is dataclasses.MISSING or value is not field.default:
            stated[field.name] = _plain(value, problem, getattr(spec, "scope", None))
    return {spec.kind(): stated}


def _plain(value: Any, problem: Problem, scope: str | None) -> Any:
    """`value` with arrays, tuples and specs as a document has them."""
    if isinstance(value, Spec):
        return _spec(value, problem)
    if isinstance(value, np.ndarray):
        if value.ndim == 2 and scope is not None and value.shape[0] == value.shape[1]:
            labels = problem.items(scope).labels  # a table between the items of the spec's scope
            return {
                a: dict(zip(labels, row, strict=True)) for a, row in zip(labels, value.tolist(), strict=True)
            }
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(inner, problem, scope) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner, problem, scope) for inner in value]
    return value.item() if isinstance(value, np.generic) else value
