"""Requests to replay: drawn at random, or dealt from what was recorded.

One draw serves every rate, so that two loads differ by the load and not by luck.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.workload import POISSON, Burstiness, LengthDistribution
from planner.fleet.recorded import Part

__all__ = ["Stream", "dealt"]

RUN_IN = 0.2
"""Share of the requests at the beginning that are not counted: the instance fills up."""
RUN_OUT = 0.1
"""Share at the end that is not counted: nothing arrives behind them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Requests in the order they arrive.

    Parameters
    ----------
    gaps
        float64[n]: time since the arrival before, in units of the mean gap.
    input_tokens, output_tokens
        int64[n], at least 1.
    whole
        Every request counts: there was nothing before the first.
    burstiness
        Of the stream that a router deals from; what an instance gets of it depends on its rate (`at`).
    dice
        float64[n] in 0..1: what the router decides by; none where nothing depends on it.
    """

    gaps: npt.NDArray[np.float64]
    input_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    whole: bool = False
    burstiness: Burstiness = POISSON
    dice: npt.NDArray[np.float64] | None = None

    @classmethod
    def draw(
        cls,
        lengths: LengthDistribution,
        count: int,
        *,
        name: str,
        seed: int,
        burstiness: Burstiness = POISSON,
    ) -> Stream:
        """`count` requests; `name` keeps two workloads apart under one seed."""
        random = _random(name, seed)
        inputs, outputs = lengths.sample(count, int(random.integers(2**31)))
        gaps = random.exponential(1.0, count)
        return cls(
            gaps=gaps,
            input_tokens=np.maximum(inputs, 1),
            output_tokens=np.maximum(outputs, 1),
            burstiness=burstiness,
            dice=None if burstiness.excess == 0.0 else random.random(count),
        )

    def at(self, rate_per_s: float) -> Stream:
        """What an instance gets that is dealt so much of the stream: gaps of as many of its gaps, by chance.

        The sum of k gaps with a gamma law of shape b has one of shape k b; the same draws serve every rate.
        """
        if self.dice is None:
            return self
        from scipy.special import gammaincinv

        share, shape = self.burstiness.share(rate_per_s), self.burstiness.shape
        level = -np.expm1(-self.gaps)  # uniform: the gaps are exponential
        passed = np.ones(level.size)
        if share < 1.0:
            passed = np.ceil(np.log1p(-self.dice) / np.log1p(-share)).clip(min=1.0)
        gaps = gammaincinv(passed * shape, level) / shape * share
        return replace(self, gaps=gaps, burstiness=POISSON, dice=None)

    def arrivals_s(self, rate_per_s: float) -> npt.NDArray[np.float64]:
        """float64[n]: arrival times at a rate."""
        return np.cumsum(self.gaps) / rate_per_s

    @property
    def counted(self) -> slice:
        """The requests whose latencies count."""
        if self.whole:
            return slice(None)
        count = self.gaps.size
        return slice(int(RUN_IN * count), count - int(RUN_OUT * count))


def dealt(part: Part, rate_per_s: float, count: int, *, name: str, seed: int) -> tuple[Stream, ...]:
    """What each of several instances gets of recorded requests that a router deals at random.

    An instance planned for a rate gets that share of the requests for which the rate of the part was planned,
    at the times they were recorded: bursts stay as long as they were. One that is planned for more than all
    of them gets all, faster by as much.

    Parameters
    ----------
    rate_per_s
        Planned rate of one instance; `Stream.arrivals_s` at it gives the times.
    count
        Instances are dealt to until they have so many requests together, or all are dealt.
    """
    share, n = rate_per_s / part.rate_per_s, part.arrivals_s.size
    each = min(n, max(1, round(share * n)))
    order = _random(name, seed).permutation(n)
    faster = max(share, 1.0)
    streams = []
    for begin in range(0, min(count, n - each + 1), each):
        mine = np.sort(order[begin : begin + each])
        streams.append(
            Stream(
                gaps=np.diff(part.arrivals_s[mine], prepend=0.0) * (rate_per_s / faster),
                input_tokens=part.input_tokens[mine],
                output_tokens=part.output_tokens[mine],
                whole=True,
            )
        )
    return tuple(streams)


def _random(name: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
