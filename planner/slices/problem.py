"""The sizing problem as an expression graph.

The statement decides how well it solves. Objects are slices, containers are GPU *types*, not single GPUs: the
number of GPUs of a type is ``ceiling(Σ load of its slices)``, one integer per type. Slices of one bucket are
alike and merge into one integer count for each (bucket, type), so a problem of 60 buckets and 4 types has 244
integers whatever the slice factor. With single GPUs as containers it would have thousands of binaries and an
interchangeable copy of every answer for every permutation of the GPUs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.errors import InvalidInput
from models.graph import AssignmentSpace, Axis, Graph, GraphBuilder
from models.graph.ops import Ceiling
from models.graph.weights import DynamicWeights
from planner.slices.buckets import SizeBucket

__all__ = ["GpuOption", "slice_graph"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuOption:
    """A GPU type (or an instance of several GPUs) that can serve slices.

    Parameters
    ----------
    name
        What to call it.
    price_per_hour
        Of one.
    throughput_per_s
        For each bucket, in order: requests per second of one GPU serving only that bucket within its targets;
        0 where the targets cannot be met.
    supply
        How many there are; None: as many as wanted.
    """

    name: str
    price_per_hour: float
    throughput_per_s: tuple[float, ...]
    supply: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.price_per_hour < math.inf:
            raise InvalidInput(
                f"{self.name}: the price must be finite and at least 0, got {self.price_per_hour}"
            )
        if not all(0 <= t < math.inf for t in self.throughput_per_s):
            raise InvalidInput(f"{self.name}: throughputs must be finite and at least 0")
        if self.supply is not None and self.supply < 0:
            raise InvalidInput(f"{self.name}: the supply must be at least 0, got {self.supply}")


def slice_graph(buckets: Sequence[SizeBucket], options: Sequence[GpuOption], slices_per_bucket: int) -> Graph:
    """State the sizing: minimise the price of all GPUs.

    Object ``b · slices_per_bucket + k`` is slice k of bucket b, container j is ``options[j]``. With
    ``load[b, j] = rate_b / slices_per_bucket / throughput[j][b]`` GPUs, minimise
    ``Σ_j price_j · ⌈Σ_{slices on j} load⌉``, at most ``supply_j`` GPUs of type j, and no slice where the type
    cannot serve its bucket.

    Raises
    ------
    InvalidInput
        No bucket or option, a slice factor below 1, throughputs that do not fit the buckets, or a bucket with
        demand that no option can serve.
    """
    if not buckets or not options or slices_per_bucket < 1:
        raise InvalidInput("sizing needs a bucket, a GPU option and at least one slice per bucket")
    for option in options:
        if len(option.throughput_per_s) != len(buckets):
            raise InvalidInput(
                f"{option.name}: {len(option.throughput_per_s)} throughputs for {len(buckets)} buckets"
            )
    throughput = np.array([option.throughput_per_s for option in options], np.float64)
    rate = np.array([bucket.rate_per_s for bucket in buckets])
    stranded = np.flatnonzero((rate > 0) & ~np.any(throughput > 0, axis=0))
    if stranded.size:
        bucket = buckets[int(stranded[0])]
        raise InvalidInput(
            f"no GPU option serves requests of {bucket.input_tokens:g}/{bucket.output_tokens:g} tokens "
            "within the targets: add an option or relax the targets"
        )
    possible = throughput > 0
    load = np.divide(rate / slices_per_bucket, throughput, out=np.zeros_like(throughput), where=possible)
    n = len(buckets) * slices_per_bucket
    space = AssignmentSpace(
        Axis("slice", n),
        Axis("gpu", len(options), tuple(option.name for option in options)),
        np.full(n, -1, np.int32),
        np.repeat(rate == 0, slices_per_bucket),
    )
    graph = GraphBuilder(space)
    of_bucket = np.repeat(np.arange(len(buckets), dtype=np.int32), slices_per_bucket)

    def weights(by_bucket: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> DynamicWeights:
        return DynamicWeights(np.zeros(n), of_bucket, sparse.csr_array(by_bucket))

    used = graph.usage(graph.container_scope, weights(load.T))
    count = graph.node(Ceiling(), used)
    limited = np.array([option.supply is not None for option in options], np.float64)
    if limited.any():
        supply = np.array([option.supply or 0.0 for option in options])
        graph.constrain(graph.affine([(count, limited)], -supply), spec="supply", name="GPUs of each type")
    if not possible.all():
        impossible = graph.usage(graph.container_scope, weights((~possible).T.astype(np.float64)))
        graph.constrain(impossible, spec="targets", name="types that miss a bucket's targets")
    prices = np.array([option.price_per_hour for option in options])
    graph.minimize(graph.total(graph.affine([(count, prices)])), spec="price", name="price per hour")
    return graph.build()
