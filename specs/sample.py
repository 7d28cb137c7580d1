"""Small problems for the examples of specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specs.dimension import Dimension
from specs.entities import Entities
from specs.problem import Problem
from specs.spec import Example, LimitSpec, Spec

__all__ = ["sample"]


def sample(
    spec: Spec,
    *,
    start: Sequence[int],
    end: Sequence[int],
    hosts: int,
    value: float,
    racks: Sequence[int] | None = None,
    jobs: Mapping[str, Sequence[str]] | None = None,
    dimensions: Mapping[str, Dimension] | None = None,
    **more: Any,
) -> Example:
    """An example with tasks ``t0`` …, hosts ``h0`` …, racks ``r0`` … and jobs.

    Parameters
    ----------
    spec, value
        The spec, and what its `check` gives at `end`.
    start, end
        Host number of each task, -1 for unassigned.
    racks
        Rack number of each host.
    jobs
        The partition ``job``.
    more
        Further arguments of `Problem`.
    """
    scopes = {} if racks is None else {"rack": {f"h{i}": f"r{r}" for i, r in enumerate(racks)}}
    is_limit = isinstance(spec, LimitSpec)
    problem = Problem(
        objects=Entities(name="task", ids=[f"t{i}" for i in range(len(start))]),
        containers=Entities(name="host", ids=[f"h{i}" for i in range(hosts)]),
        assignment=list(start),
        scopes={**scopes, **more.pop("scopes", {})},
        partitions={} if jobs is None else {"job": jobs},
        dimensions=dimensions or {},
        constraints=[spec] if isinstance(spec, LimitSpec) else [],
        goals=[] if is_limit else [spec],
        may_be_unassigned=True,
        **more,
    )
    return Example(problem=problem, spec=spec, assignment=problem.named(list(end)), value=value)
