"""A length distribution as the analysis under load needs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.curves import TOKENS
from models.serving.memory import CacheShape
from models.workload import LengthDistribution, LengthPoints

__all__ = ["Requests"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Requests:
    """A length distribution as what the analysis needs of it.

    Parameters
    ----------
    points
        Pairs of lengths.
    inputs, input_weight
        float64[prompt]: prompt lengths and their probabilities.
    computed
        float64[prompt]: tokens of them that are not in the cache already.
    steps, output_weight
        float64[output]: decode steps (output tokens but the first) and their probabilities.
    mean_steps, mean_input
        Means of the two.
    context
        Mean context of a token in the running batch: long outputs are there more often than short ones.
    """

    points: LengthPoints
    inputs: Floats
    computed: Floats
    input_weight: Floats
    steps: Floats
    output_weight: Floats
    mean_steps: float
    mean_input: float
    context: float

    @classmethod
    def of(cls, lengths: LengthDistribution, *, reuse: float = 0.0) -> Requests:
        """The points of a distribution whose prompts are found in the cache to a share in 0..1.

        Raises
        ------
        InvalidInput
            A share that cannot be.
        """
        if not 0.0 <= reuse <= 1.0:
            raise InvalidInput(f"reuse must be in 0..1, got {reuse!r}")
        points = lengths.points()
        inputs, input_weight = _marginal(points.input_tokens, points.weight, 16)
        outputs, output_weight = _marginal(points.output_tokens, points.weight, 8)
        steps = np.maximum(points.output_tokens - 1.0, 0.0)
        mean_steps = points.mean(steps)
        held = points.input_tokens + points.output_tokens / 2
        return cls(
            points=points,
            inputs=inputs,
            # the last token is always computed
            computed=np.maximum(inputs - np.floor(inputs * reuse), 1.0),
            input_weight=input_weight,
            steps=np.maximum(outputs - 1.0, 0.0),
            output_weight=output_weight,
            mean_steps=mean_steps,
            mean_input=float((inputs * input_weight).sum()),
            context=points.mean(steps * held) / max(mean_steps, 1e-9),
        )

    def prompt_attention(self, curve_ms: Floats) -> Floats:
        """Attention of the part of each prompt that is computed, of a curve over `TOKENS`.

        What its triangle leaves beyond the cached part, but no less than a pass over it; beyond the curve it
        grows with the square.
        """
        whole, cached = _attention(curve_ms, self.inputs), self.inputs - self.computed
        begun = np.where(cached > 0.0, _attention(curve_ms, np.maximum(cached, 1.0)), 0.0)
        least = np.where(cached > 0.0, 0.8 * _attention(curve_ms, self.computed), 0.0)
        return np.asarray(np.maximum(whole - begun, least))

    def cache_moments(self, cache: CacheShape) -> tuple[float, float, float, float]:
        """Mean and mean square of the cache of a running request, and of a waiting prompt, in bytes.

        Over the decode steps of a request: the moments of shot noise.
        """
        points, steps = self.points, np.maximum(self.points.output_tokens - 1.0, 0.0)
        held = cache.sequence_bytes(points.input_tokens + points.output_tokens / 2)
        prompt = cache.sequence_bytes(self.inputs)
        every = max(self.mean_steps, 1e-9)
        return (
            points.mean(steps * held) / every,
            points.mean(steps * held**2) / every,
            float((prompt * self.input_weight).sum()),
            float((prompt**2 * self.input_weight).sum()),
        )


def _attention(curve_ms: Floats, tokens: Floats) -> Floats:
    beyond = np.maximum(tokens / TOKENS[-1], 1.0) ** 2
    return np.asarray(np.interp(tokens, TOKENS, curve_ms) * beyond)


def _marginal(values: Floats, weight: Floats, count: int) -> tuple[Floats, Floats]:
    """At most about `count` points with the same mean: neighbours merged, the largest kept apart."""
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    level = np.cumsum(weight) - weight / 2
    tail = 1.0 - 1.0 / count / 2.0 ** np.arange(1, 5)
    group = np.searchsorted(np.unique(np.concatenate((np.arange(1, count) / count, tail))), level)
    _, group = np.unique(group, return_inverse=True)
    total = np.bincount(group, weight).astype(np.float64)
    return np.bincount(group, weight * values) / total, total
