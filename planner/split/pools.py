"""How many machines prefill and how many decode, when all of them are alike or bought for one budget."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from planner.split.goodput import bisect_rate
from planner.split.latency import StepLatency
from planner.split.requests import RequestSample
from planner.split.simulator import Served, Server, simulate

__all__ = ["PoolSplit", "SlowdownTargets", "equal_budget", "rank_splits"]


def equal_budget(machines: int, *, unit: float, other_unit: float) -> int:
    """How many machines of another kind the budget of `machines` buys, in power or price: rounded down."""
    if machines < 0 or not (unit > 0 and other_unit > 0):
        raise InvalidInput(f"counts and units must be positive, got {machines}, {unit}, {other_unit}")
    # 40 × 1.75 must be 70 whatever the last bit of the product
    return int(machines * unit / other_unit + 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowdownTargets:
    """Percentiles of the slow-down against an idle reference machine; all must hold (Splitwise, table VI).

    Parameters
    ----------
    reference
        Latency of the reference, serving each request alone.
    ttft, tpot, end_to_end
        Largest slow-down at the percentiles 50, 90 and 99.
    """

    reference: StepLatency
    ttft: tuple[float, float, float] = (2.0, 3.0, 6.0)
    tpot: tuple[float, float, float] = (1.25, 1.5, 5.0)
    end_to_end: tuple[float, float, float] = (1.25, 1.5, 5.0)

    def misses(self, sample: RequestSample, served: Served) -> tuple[str, ...]:
        """Names of the targets that are missed: ``ttft p90``."""
        inputs, outputs = sample.input_tokens.tolist(), sample.output_tokens.tolist()
        alone_first = np.array([self.reference.prefill_ms([n]) for n in inputs])
        middle = zip(inputs, outputs, strict=True)
        alone_step = np.array([self.reference.decode_ms(1, n + m // 2) for n, m in middle])
        steps = sample.output_tokens - 1
        several = steps > 0
        slow = {
            "ttft": (served.ttft_ms / alone_first, self.ttft),
            "tpot": ((served.tpot_ms / alone_step)[several], self.tpot),
            "end to end": (
                (served.ttft_ms + served.tpot_ms * steps) / (alone_first + alone_step * steps),
                self.end_to_end,
            ),
        }
        return tuple(
            f"{name} p{percentile}"
            for name, (values, limits) in slow.items()
            for percentile, limit in zip((50, 90, 99), limits, strict=True)
            if values.size and np.percentile(values, percentile) > limit
        )


@dataclass(frozen=True, slots=True)
class PoolSplit:
    """A split and the highest rate at which every target holds."""

    prefill: int
    decode: int
    rate_per_s: float


def rank_splits(
    sample: RequestSample,
    server: Server,
    targets: SlowdownTargets,
    *,
    machines: int,
    decode_counts: Iterable[int],
    highest_per_s: float,
    resolution_per_s: float = 2.0,
    transfer_ms: float = 5.0,
) -> tuple[PoolSplit, ...]:
    """The splits of equal machines by the rate they sustain, best first, more prefill machines among equals.

    Parameters
    ----------
    server
        One machine, in either role.
    decode_counts
        Sizes of the decode pool to try.
    """
    found = []
    for decode in sorted(set(decode_counts)):
        if not 0 < decode < machines:
            raise InvalidInput(f"a split of {machines} machines cannot have {decode} to decode")
        prefill = machines - decode

        def holds(rate: float, prefill: int = prefill, decode: int = decode) -> bool:
            served = simulate(
                sample, rate, prefill=[server] * prefill, decode=[server] * decode, transfer_ms=transfer_ms
            )
            return not targets.misses(sample, served)

        rate = bisect_rate(holds, highest=highest_per_s, resolution=resolution_per_s)
        found.append(PoolSplit(prefill, decode, rate))
    return tuple(sorted(found, key=lambda s: (-s.rate_per_s, -s.prefill)))
