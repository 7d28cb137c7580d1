"""Prefill as an M/D/1 queue: when a pipeline beats tensor parallelism (DistServe, section 3.1).

Equal prompts of duration D arrive at random with rate R and are served one at a time.
"""

from __future__ import annotations

import math

from models.errors import InvalidInput

__all__ = ["crossover_utilization", "mean_ttft", "mean_ttft_pipeline", "mean_ttft_tensor"]


def _wait(rate: float, service: float) -> float:
    utilization = rate * service
    if rate < 0 or service <= 0:
        raise InvalidInput(f"rate and duration must be positive, got {rate}, {service}")
    return math.inf if utilization >= 1 else rate * service**2 / (2.0 * (1.0 - utilization))


def mean_ttft(rate: float, duration: float, *, replicas: int = 1) -> float:
    """``D + R D² / (2 (1 − R D))``, with ``R / replicas`` for that many copies; infinite at overload."""
    return duration + _wait(rate / replicas, duration)


def mean_ttft_pipeline(rate: float, duration: float, *, stages: int = 2) -> float:
    """Pipeline of equal stages: a prompt still takes D, the queue moves every D / stages."""
    return duration + _wait(rate, duration / stages)


def mean_ttft_tensor(rate: float, duration: float, *, speed_up: float) -> float:
    """Tensor parallelism that makes a prompt `speed_up` times as fast."""
    return duration / speed_up + _wait(rate, duration / speed_up)


def crossover_utilization(speed_up: float, *, stages: int = 2) -> float:
    """Utilisation R·D above which the pipeline has the lower mean TTFT; by bisection.

    Below it executing faster wins, above it queueing less does. The root lies below `speed_up`, where tensor
    parallelism overloads.

    Raises
    ------
    InvalidInput
        The speed-up is not above 1 (the pipeline always wins) and below `stages` (it never does).
    """
    if not 1 < speed_up < stages:
        raise InvalidInput(f"the crossover needs a speed-up between 1 and {stages}, got {speed_up}")
    low, high = 0.0, speed_up
    for _ in range(200):
        middle = (low + high) / 2
        tensor = mean_ttft_tensor(middle, 1.0, speed_up=speed_up)
        low, high = (
            (middle, high) if tensor < mean_ttft_pipeline(middle, 1.0, stages=stages) else (low, middle)
        )
    return (low + high) / 2
