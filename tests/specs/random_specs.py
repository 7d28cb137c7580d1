"""Random problems, and random parameters for any spec, from the types of its fields."""

from __future__ import annotations

import dataclasses
import random
import types
import typing
from typing import Any

from models.errors import FulcrumError
from specs.dimension import ByItem, Dimension
from specs.entities import Entities
from specs.problem import Problem
from specs.registry import spec_class
from specs.spec import LimitSpec, Spec

COUNTED = ("after", "before", "during", "new", "old", "moved", "stayed")


def random_problem(rng: random.Random, most_tasks: int = 7, most_hosts: int = 5) -> Problem:
    """A small problem with every kind of scope, partition and dimension."""
    n_tasks, n_hosts = rng.randint(1, most_tasks), rng.randint(2, most_hosts)
    tasks = [f"t{i}" for i in range(n_tasks)]
    hosts = [f"h{i}" for i in range(n_hosts)]
    number = lambda: float(rng.randint(0, 6))  # noqa: E731
    return Problem(
        objects=Entities(name="task", ids=tasks),
        containers=Entities(name="host", ids=hosts),
        assignment={t: rng.choice([*hosts, None]) for t in tasks},
        may_be_unassigned=True,
        scopes={
            "rack": {h: f"r{i % 2}" for i, h in enumerate(hosts)},
            "partial": {h: rng.choice(["p0", "p1"]) for h in hosts[1:]},
            "zone": {h: rng.sample(["z0", "z1", "z2"], rng.randint(1, 3)) for h in hosts},
        },
        partitions={
            "job": {f"j{k}": rng.sample(tasks, rng.randint(1, n_tasks)) for k in range(rng.randint(1, 3))},
            "team": [i % 2 for i in range(n_tasks)],
        },
        dimensions={
            "cpu": Dimension(objects=[number() for _ in tasks], containers=[number() + 1 for _ in hosts],
                             items={"zone": 7.0}),
            "memory": Dimension(objects=[number() / 4 for _ in tasks], containers=3.5, items={"zone": 2.0}),
            "hourly": Dimension(objects=[[number(), number()] for _ in tasks], containers=[4.0] * n_hosts),
            "placed": Dimension(
                objects=[number() for _ in tasks],
                containers=5.0,
                by_item=ByItem(
                    scope="rack", values={"r0": {t: number() for t in tasks[::2]}, "r1": {tasks[0]: 0}}
                ),
            ),
        },
    )  # fmt: skip


def random_assignment(rng: random.Random, problem: Problem) -> list[int]:
    return [rng.randint(-1, problem.containers.size - 1) for _ in range(problem.objects.size)]


def random_spec(rng: random.Random, cls: type[Spec], problem: Problem, depth: int = 0) -> Spec | None:
    """A random instance of `cls`; None when the drawn parameters do not go together."""
    scope = rng.choice(["host", "rack", "partial", "zone"])
    partition = rng.choice(["job", "team"])
    hints = typing.get_type_hints(cls)
    names = {
        "items": list(problem.items(scope).labels),
        "groups": list(problem.groups(partition).labels),
        "objects": list(problem.objects.labels),
    }
    drawn: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        optional = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if field.name == "scope":
            drawn["scope"] = scope
        elif field.name == "partition":
            drawn["partition"] = partition
        elif optional and rng.random() < 0.4:
            continue
        else:
            drawn[field.name] = draw_field(rng, field.name, hints[field.name], names, problem, scope, depth)
    if drawn.get("partition", 0) is None:
        del drawn["partition"]
    try:
        return cls(**drawn)
    except FulcrumError:
        return None


def draw_field(
    rng: random.Random,
    name: str,
    hint: Any,
    names: dict[str, list[str]],
    problem: Problem,
    scope: str,
    depth: int,
) -> Any:
    objects, items, groups = names["objects"], names["items"], names["groups"]
    number = lambda: float(rng.randint(0, 4))  # noqa: E731
    special = {
        "dimension": lambda: rng.choice(["count", "cpu", "memory", "hourly", "placed"]),
        "base": lambda: rng.choice(["count", "cpu", "memory"]),
        "outer": lambda: rng.choice(["rack", "partial", "host"]),
        "domain": lambda: rng.choice(["rack", "host", None]),
        "parts": lambda: None,
        "largest_over": lambda: rng.choice(["job", "team", None]),
        "items": lambda: tuple(rng.sample(items, rng.randint(1, len(items)))),
        "groups": lambda: tuple(rng.sample(groups, rng.randint(1, len(groups)))),
        "objects": lambda: tuple(rng.sample(objects, rng.randint(1, len(objects)))),
        "sets": lambda: tuple(
            tuple(rng.sample(objects, min(len(objects), rng.randint(2, 3)))) for _ in range(2)
        ),
        "pairs": lambda: (tuple(rng.sample(groups, 2)),) if len(groups) > 1 else None,
        "dependencies": lambda: {g: tuple(rng.sample(groups, 1)) for g in groups},
        "conflicts": lambda: {i: tuple(j for j in items if j != i and rng.random() < 0.7) for i in items},
        "spill": lambda: {a: {b: rng.choice([0.25, 1.0]) for b in items if a != b} for a in items},
        "failover": lambda: {
            p: tuple(rng.sample([o for o in objects if o != p], min(len(objects) - 1, rng.randint(1, 2))))
            for p in rng.sample(objects, rng.randint(1, len(objects)))
        },
        "assignments": lambda: {
            rng.choice(groups if rng.random() < 0.3 else objects): tuple(
                rng.sample(items, rng.randint(1, len(items)))
            )
        },
        "destinations": lambda: {o: rng.choice(problem.containers.labels) for o in objects[::2]},
        "affinities": lambda: (
            {o: {i: number() - 2 for i in items} for o in objects[::2]} if "Mapping[str, float]]" in str(hint)
            else {"default": -1.0, items[0]: 2.5}
        ),
        "coefficients": lambda: {"cpu": 2.0, "memory": -1.0, "count": number()},
        "targets": lambda: {g: {i: number() + 1 for i in items} for g in groups},
        "rates": lambda: {o: {p: number() for p in objects if p != o} for o in objects},
        "distances": lambda: {items[0]: {i: number() for i in items[1:]}},
        "costs": lambda: (
            {a: {b: number() for b in items} for a in items} if "Mapping[str, typing.Mapping" in str(hint)
            or "Mapping[str, collections.abc.Mapping" in str(hint) else {"default": number(), items[0]: 2.0}
        ),
        "latency_ms": lambda: {o: {i: number() * 10 for i in items} for o in ("west", "east")},
        "traffic": lambda: {"west": 3.0, "east": 1.0},
        "nowhere_ms": lambda: 50.0,
        "limit_ms": lambda: number() * 10,
        "quantile": lambda: rng.choice([0.5, 1.0]),
        "bundles": lambda: (2.0, 3.0),
        "bundle": lambda: rng.choice([1.0, 2.0]),
        "exponent": lambda: rng.choice([1.0, 1.1, 2.0, 3.0]),
        "weights": lambda: {groups[0]: {items[0]: 2.0}},
        "cell_limits": lambda: {groups[0]: {items[0]: number()}},
        "target": lambda: rng.choice(["even", "initial_mean", 0.5]),
        "specs": lambda: tuple(
            s
            for s in (random_spec(rng, inner_spec(rng), problem, depth + 1) for _ in range(3))
            if s is not None
        ),
    }  # fmt: skip
    if name in special:
        return special[name]()
    return draw_type(rng, hint, names, name)


def inner_spec(rng: random.Random) -> type[Spec]:
    return spec_class(rng.choice(["capacity", "group_count", "to_free", "throttle"]))


def draw_type(rng: random.Random, hint: Any, names: dict[str, list[str]], name: str) -> Any:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return rng.choice(typing.get_args(hint))
    if hint is bool:
        return rng.random() < 0.5
    if hint is int:
        return rng.randint(1, 3)
    if hint is float:
        return rng.choice([0.0, 0.5, 1.0, 2.0])
    if origin in (typing.Union, types.UnionType):
        # Numbers: one for all, or by item or group
        keys = (
            names["groups"]
            if "group" in name or name in ("least", "most", "fixed", "sizes")
            else names["items"]
        )
        by_name = {keys[0]: float(rng.randint(0, 3)), "default": 1.0}
        return rng.choice([1.0, 2.0, by_name])
    raise AssertionError(f"no way to draw {name}: {hint}; give it a default, or add it here")


def is_limit(spec: Spec) -> bool:
    return isinstance(spec, LimitSpec)
