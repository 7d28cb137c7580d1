"""``policies.assignment``: limits of the spec language on placement, read and tried on every pool."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from models.errors import FulcrumError
from planner.fleet.fleet import PlacementLimit, Pool, ServedWorkload

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver
    from specs.document.locate import Mistakes, Path

__all__ = ["placement_limits"]


def placement_limits(
    resolver: Resolver, entries: Sequence[Any], pools: Sequence[Pool], workloads: Sequence[ServedWorkload]
) -> tuple[PlacementLimit, ...]:
    """Return the limits, their mistakes noted with `resolver`.

    An entry is one spec, as in ``capacity: {scope: rack, dimension: power_watts, limit: 12000}``, with
    optional ``name`` and ``pools``. What it names must exist on the pools it holds for: every limit is
    compiled against a sample of them.
    """
    if not entries:
        return ()
    from specs.document.locate import Mistakes

    mistakes = Mistakes(resolver.document)
    base = ("policies", "assignment")
    limits = [
        limit
        for index, entry in enumerate(entries)
        for limit in _read(entry, (*base, index), [pool.name for pool in pools], mistakes)
    ]
    for index, limit in enumerate(limits):
        for pool in pools:
            if pool.name in limit.pools and not mistakes.found:
                _try(limit, pool, workloads, (*base, index), mistakes)
    resolver.violations += mistakes.found
    return tuple(limits)


def _read(entry: Any, path: Path, pools: Sequence[str], mistakes: Mistakes) -> Iterator[PlacementLimit]:
    from specs.document.convert import INVALID, convert, convert_spec

    if not isinstance(entry, dict):
        mistakes.add("expected one spec, as in capacity: {...}", path)
        return
    beside = {"name", "pools"}
    name = convert(entry.get("name"), str | None, (*path, "name"), mistakes)
    chosen = convert(entry.get("pools"), tuple[str, ...] | None, (*path, "pools"), mistakes)
    spec = convert_spec(
        {key: value for key, value in entry.items() if key not in beside}, path, mistakes, limits_only=True
    )
    if INVALID in (name, chosen) or spec is INVALID:
        return
    for pool in chosen or ():
        if pool not in pools:
            mistakes.add_unknown("pool", pool, pools, (*path, "pools"))
    yield PlacementLimit(name=name or f"{spec.kind()} {path[-1]}", spec=spec, pools=tuple(chosen or pools))


def _try(
    limit: PlacementLimit, pool: Pool, workloads: Sequence[ServedWorkload], path: Path, mistakes: Mistakes
) -> None:
    """Compile a limit against one part of each kind on the pool: what it names must be there."""
    from planner.placement.vocabulary import Part, problem_of
    from specs import HARD, Constraint, compile_problem

    parts = [
        Part(
            name=f"{workload.name}-{role}", instance=f"{workload.name}-{role}", workload=workload.name,
            role=role, gpus=1,
        )
        for workload in workloads
        for role in ("mixed", "prefill", "decode")
    ]  # fmt: skip
    try:
        constraint = Constraint(limit.spec, HARD, limit.name)
        compile_problem(problem_of(pool, workloads, parts, start=None, constraints=[constraint]))
    except FulcrumError as error:
        mistakes.found.append(mistakes.placed(error, path))
