"""Demand cut by request size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["SizeBucket", "bucket_requests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeBucket:
    """Requests of similar size.

    Parameters
    ----------
    input_tokens, output_tokens
        The size every request of the bucket is planned with.
    rate_per_s
        Requests per second.
    """

    input_tokens: float
    output_tokens: float
    rate_per_s: float

    def __post_init__(self) -> None:
        if not (self.input_tokens > 0 and self.output_tokens > 0):
            raise InvalidInput(
                f"a bucket's sizes must be positive, got {self.input_tokens}/{self.output_tokens}"
            )
        if not 0 <= self.rate_per_s < math.inf:
            raise InvalidInput(f"a bucket's rate must be finite and at least 0, got {self.rate_per_s}")


def bucket_requests(
    input_tokens: npt.ArrayLike,
    output_tokens: npt.ArrayLike,
    *,
    rate_per_s: float,
    input_edges: Sequence[float],
    output_edges: Sequence[float],
) -> tuple[SizeBucket, ...]:
    """Buckets of a sample of requests, in order of size; those that no request falls into are left out.

    Bucket i holds the lengths in ``(edges[i − 1], edges[i]]``, the first from 0. A bucket is planned with its
    upper edges, so that its GPUs suffice for every request in it.

    Parameters
    ----------
    input_tokens, output_tokens
        int[n]: lengths of the sample.
    rate_per_s
        Of all requests together.
    input_edges, output_edges
        Upper edges, ascending; the last must cover the longest request.

    Raises
    ------
    InvalidInput
        An empty sample, edges that do not ascend, or a request beyond the last edge.
    """
    lengths = [np.asarray(input_tokens, np.float64), np.asarray(output_tokens, np.float64)]
    if lengths[0].ndim != 1 or lengths[0].size == 0 or lengths[0].shape != lengths[1].shape:
        raise InvalidInput("bucketing needs one input and one output length for each of one or more requests")
    edges = [np.asarray(input_edges, np.float64), np.asarray(output_edges, np.float64)]
    cells = []
    for name, values, upper in zip(("input", "output"), lengths, edges, strict=True):
        if upper.size == 0 or upper[0] <= 0 or np.any(np.diff(upper) <= 0):
            raise InvalidInput(f"{name}_edges must be positive and ascend, got {upper.tolist()}")
        if values.max() > upper[-1]:
            raise InvalidInput(
                f"a request has {values.max():g} {name} tokens, the last edge is {upper[-1]:g}: add a bucket"
            )
        cells.append(np.searchsorted(upper, values, side="left"))
    counts = np.zeros((edges[0].size, edges[1].size))
    np.add.at(counts, (cells[0], cells[1]), 1.0)
    return tuple(
        SizeBucket(
            input_tokens=float(edges[0][i]),
            output_tokens=float(edges[1][j]),
            rate_per_s=rate_per_s * float(counts[i, j]) / lengths[0].size,
        )
        for i, j in np.argwhere(counts > 0)
    )
