"""What a trace is like: lengths, rate, bursts, the shape of its day, how much of its prompts repeats.

Burstiness is told three ways: the coefficient of variation of the gaps between arrivals (1 for Poisson
arrivals), the index of dispersion of counts in windows (variance over mean; 1 for Poisson, growing with the
window where the rate itself moves), and the peak of the windows over their mean.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.workload.lengths import LengthDistribution
from models.workload.prefixes import PrefixBlocks
from models.workload.trace import Trace

__all__ = [
    "ArrivalStatistics",
    "LengthStatistics",
    "ReuseStatistics",
    "TraceStatistics",
    "WindowStatistics",
    "cached_share",
    "describe_lengths",
    "describe_trace",
]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
"""Quantiles that are told."""
WINDOWS_S = (1.0, 10.0, 60.0, 600.0)
LEAST_WINDOWS = 5
"""Fewer windows say nothing of their spread."""
BINS = 16
"""Of a histogram, equally wide on a scale of logarithms."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LengthStatistics:
    """Of prompt or output tokens.

    Parameters
    ----------
    quantiles
        By level; `LEVELS`.
    edges, counts
        float64[BINS + 1] and int64[BINS]: a histogram, its bins equally wide in logarithms.
    """

    mean: float
    least: float
    most: float
    quantiles: dict[float, float]
    edges: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowStatistics:
    """Arrivals in windows of one length.

    Parameters
    ----------
    dispersion
        Variance of the counts over their mean.
    peak_to_mean
        Largest count over the mean count.
    """

    window_s: float
    windows: int
    dispersion: float
    peak_to_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalStatistics:
    """When requests come.

    Parameters
    ----------
    gap_variation
        Coefficient of variation of the gaps: standard deviation over mean.
    hours
        Share of the mean rate in each hour of the trace, the last one only if it is whole; empty for less
        than two hours. It is the ``shape`` of a fleet document, up to a factor.
    """

    duration_s: float
    rate_per_s: float
    gap_variation: float
    windows: tuple[WindowStatistics, ...]
    hours: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseStatistics:
    """How much of the prompts repeats the beginning of an earlier one.

    Parameters
    ----------
    block_tokens
        Prompts are told apart in blocks of so many tokens.
    ideal
        Share of the prompt tokens that an endless cache holds already.
    cached
        The same for caches that hold so many tokens and drop the block used least recently.
    """

    block_tokens: int
    distinct_blocks: int
    ideal: float
    cached: dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStatistics:
    """All of a trace; `arrivals` is None where all come at once, `reuse` where prompts are not told apart."""

    source: str
    requests: int
    input_tokens: LengthStatistics
    output_tokens: LengthStatistics
    length_correlation: float
    arrivals: ArrivalStatistics | None
    reuse: ReuseStatistics | None


def describe_trace(trace: Trace, *, cache_tokens: tuple[int, ...] = ()) -> TraceStatistics:
    """Describe a trace.

    Parameters
    ----------
    cache_tokens
        Sizes of prefix caches to try, in tokens.
    """
    reuse = None
    if trace.prefixes is not None:
        blocks = trace.prefixes.whole(trace.input_tokens)
        reuse = ReuseStatistics(
            block_tokens=blocks.tokens,
            distinct_blocks=int(blocks.names.max()) + 1 if blocks.names.size else 0,
            ideal=trace.prefixes.repeated_share(trace.input_tokens),
            cached={size: cached_share(blocks, trace.input_tokens, size) for size in cache_tokens},
        )
    return TraceStatistics(
        source=trace.source, requests=len(trace), input_tokens=_lengths(trace.input_tokens),
        output_tokens=_lengths(trace.output_tokens),
        length_correlation=_correlation(trace.input_tokens, trace.output_tokens),
        arrivals=_arrivals(trace) if trace.duration_s > 0 else None, reuse=reuse,
    )  # fmt: skip


def describe_lengths(lengths: LengthDistribution, *, samples: int = 20_000) -> TraceStatistics:
    """Describe a table of lengths by drawing from it, with a fixed seed."""
    inputs, outputs = lengths.sample(samples, 0)
    return TraceStatistics(
        source=lengths.source, requests=0, input_tokens=_lengths(inputs), output_tokens=_lengths(outputs),
        length_correlation=_correlation(inputs, outputs), arrivals=None, reuse=None,
    )  # fmt: skip


def cached_share(blocks: PrefixBlocks, input_tokens: npt.NDArray[np.int64], cache_tokens: int) -> float:
    """Share of the prompt tokens found in a cache of so many tokens that drops what was used least recently.

    A prompt finds its blocks up to the first that is missing, as engines do; then all of its whole blocks are
    in the cache, its first the most recently used: a block is of no use without those before it.

    Raises
    ------
    InvalidInput
        The cache holds no block.
    """
    most = cache_tokens // blocks.tokens
    if most < 1:
        raise InvalidInput(f"a cache of {cache_tokens} tokens holds no block of {blocks.tokens}")
    kept: OrderedDict[int, None] = OrderedDict()
    found = 0
    names, first = blocks.names.tolist(), blocks.first.tolist()
    for begin, end in itertools.pairwise(first):
        mine = names[begin:end]
        found += next((place for place, name in enumerate(mine) if name not in kept), len(mine))
        for name in reversed(mine):
            kept[name] = None
            kept.move_to_end(name)
        while len(kept) > most:
            kept.popitem(last=False)
    return found * blocks.tokens / float(input_tokens.sum())


def _lengths(tokens: npt.NDArray[np.generic]) -> LengthStatistics:
    values = np.asarray(tokens, dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    edges = np.geomspace(low, high + 1.0, BINS + 1)  # at least one token, always
    edges[0], edges[-1] = low, high + 1.0
    return LengthStatistics(
        mean=float(values.mean()), least=low, most=high,
        quantiles={level: float(np.quantile(values, level)) for level in LEVELS},
        edges=edges, counts=np.histogram(values, edges)[0].astype(np.int64),
    )  # fmt: skip


def _correlation(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> float:
    """Of the ranks (Spearman's, ties in order of appearance); 0 where one of them never changes."""
    if first.size < 2 or (first == first[0]).all() or (second == second[0]).all():
        return 0.0
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _arrivals(trace: Trace) -> ArrivalStatistics:
    gaps = np.diff(trace.arrivals_s)
    windows = []
    for window in WINDOWS_S:
        if trace.duration_s >= LEAST_WINDOWS * window:
            counts = trace.window_rates_per_s(window) * window
            windows.append(
                WindowStatistics(
                    window_s=window, windows=counts.size, dispersion=float(counts.var() / counts.mean()),
                    peak_to_mean=float(counts.max() / counts.mean()),
                )
            )  # fmt: skip
    hours: tuple[float, ...] = ()
    if trace.duration_s >= 2 * HOUR_S:
        rates = trace.window_rates_per_s(HOUR_S)
        hours = tuple((rates / rates.mean()).tolist())
    return ArrivalStatistics(
        duration_s=trace.duration_s, rate_per_s=trace.rate_per_s,
        gap_variation=float(gaps.std() / gaps.mean()), windows=tuple(windows), hours=hours,
    )  # fmt: skip
