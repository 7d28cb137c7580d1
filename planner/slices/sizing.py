"""From slices to GPU counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph import Cells, Evaluator
from models.graph.ops import Ceiling
from planner.slices.buckets import SizeBucket
from planner.slices.problem import GpuOption, slice_graph
from solvers.options import SolveOptions

__all__ = ["SliceSizing", "read_sizing", "size_by_slices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceSizing:
    """How many GPUs of each type, and what they serve.

    Parameters
    ----------
    status
        As `solvers.Result.status`.
    counts
        GPUs by option name; empty when nothing feasible was found.
    price_per_hour
        Of all of them; None without counts.
    bound
        No sizing into these slices costs less; None when nothing is proven.
    shares
        float64[n_buckets, n_options]: part of each bucket that each option serves.
    """

    status: str
    counts: dict[str, int]
    price_per_hour: float | None
    bound: float | None
    shares: npt.NDArray[np.float64]


def read_sizing(
    buckets: Sequence[SizeBucket],
    options: Sequence[GpuOption],
    slices_per_bucket: int,
    assignment: npt.ArrayLike,
    *,
    status: str = "feasible",
    bound: float | None = None,
) -> SliceSizing:
    """Counts, price and shares of an assignment of the slices, by the reference evaluation."""
    graph = slice_graph(buckets, options, slices_per_bucket)
    values = Evaluator(graph, assignment)
    ceilings = next(node for node in graph.nodes if isinstance(node.op, Ceiling))
    counted = values.value(ceilings)
    assert not isinstance(counted, Cells)
    place = np.asarray(assignment).reshape(len(buckets), slices_per_bucket)
    shares = np.stack([(place == j).mean(axis=1) for j in range(len(options))], axis=1)
    return SliceSizing(
        status=status,
        counts={option.name: round(float(c)) for option, c in zip(options, counted, strict=True)},
        price_per_hour=values.scalar(graph.tiers[0].terms[0].node),
        bound=bound,
        shares=shares,
    )


def size_by_slices(
    buckets: Sequence[SizeBucket],
    options: Sequence[GpuOption],
    *,
    slices_per_bucket: int = 8,
    solve_options: SolveOptions | None = None,
) -> SliceSizing:
    """The cheapest GPUs that serve every bucket, each bucket cut into `slices_per_bucket` equal parts.

    More slices let a bucket be shared between types in finer parts. Factors that are multiples of each other
    can only get cheaper; others may not (thirds are not made of halves).

    Raises
    ------
    InvalidInput
        As `slice_graph`.
    """
    from solvers import solve

    graph = slice_graph(buckets, options, slices_per_bucket)
    result = solve(graph, solve_options or SolveOptions())
    if result.assignment is None:
        empty = np.zeros((len(buckets), len(options)))
        return SliceSizing(status=result.status, counts={}, price_per_hour=None, bound=None, shares=empty)
    return read_sizing(
        buckets,
        options,
        slices_per_bucket,
        result.assignment,
        status=result.status,
        bound=result.tiers[0].bound,
    )
