"""The joint distribution of prompt and output lengths, as a quantile table.

The prompt length is given by its quantile function. The output length depends on the prompt: the prompts are
cut into *bands* by their quantile (the shortest half, the next quarter …) and each band has its own quantile
function of outputs. One band means that outputs do not depend on prompts. Between the levels of a table
lengths are interpolated linearly: means, quantiles and samples come from the same piecewise linear functions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["LengthDistribution", "LengthPoints"]

Floats = npt.NDArray[np.float64]

LEVELS = (
    0.0, 0.01, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85,
    0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0,
)  # fmt: skip
"""Levels of tables made from samples: even in the bulk, dense in the tail that decides percentiles."""
BANDS = (0.25, 0.5, 0.75, 0.9, 1.0)
"""Upper ends of the bands of tables made from samples."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LengthPoints:
    """A distribution as weighted points: `input_tokens`, `output_tokens`, `weight`, each float64[k].

    Weights are positive and sum to one.
    """

    input_tokens: Floats
    output_tokens: Floats
    weight: Floats

    def mean(self, values: Floats) -> float:
        """Expectation of a function of the lengths, given its value at each point."""
        return float(np.dot(self.weight, values))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LengthDistribution:
    """Prompt and output lengths of a workload.

    Parameters
    ----------
    levels
        float64[l], ascending from 0 to 1: the levels of every quantile function below.
    input_tokens
        float64[l], ascending: the prompt length at each level.
    bands
        float64[b], ascending, the last one 1: band i holds prompts between quantile ``bands[i - 1]`` and
        ``bands[i]`` of the prompt length.
    output_tokens
        float64[b, l], ascending in each row: the output length at each level, for prompts of the band.
    source
        Where the numbers come from, with the licence where they are published data.
    """

    levels: Floats
    input_tokens: Floats
    bands: Floats
    output_tokens: Floats
    source: str

    def __post_init__(self) -> None:
        for name in ("levels", "input_tokens", "bands", "output_tokens"):
            value = np.array(getattr(self, name), dtype=np.float64)
            if not np.isfinite(value).all():
                raise InvalidInput(f"{name} must be finite numbers", source=self.source, path=(name,))
            value.flags.writeable = False
            object.__setattr__(self, name, value)
        levels, bands = self.levels, self.bands
        if (
            levels.ndim != 1
            or levels.size < 2
            or levels[0] != 0
            or levels[-1] != 1
            or (np.diff(levels) <= 0).any()
        ):
            raise InvalidInput(
                "levels must ascend strictly from 0 to 1", source=self.source, path=("levels",)
            )
        if bands.ndim != 1 or not bands.size or bands[-1] != 1 or (np.diff(bands, prepend=0.0) <= 0).any():
            raise InvalidInput(
                "bands must ascend strictly from above 0 to 1", source=self.source, path=("bands",)
            )
        for name, shape in (("input_tokens", levels.shape), ("output_tokens", (bands.size, levels.size))):
            table = getattr(self, name)
            if table.shape != shape:
                raise InvalidInput(
                    f"{name} must have the shape {shape} (bands × levels), got {table.shape}",
                    source=self.source,
                    path=(name,),
                )
            if (np.diff(table, axis=-1) < 0).any() or (table < 1).any():
                raise InvalidInput(
                    f"{name} must be at least 1 token and may not fall from one level to the next",
                    source=self.source,
                    path=(name,),
                )

    @classmethod
    def fixed(cls, input_tokens: float, output_tokens: float) -> LengthDistribution:
        """Every request has the same lengths."""
        return cls(
            levels=np.array([0.0, 1.0]),
            input_tokens=np.full(2, float(input_tokens)),
            bands=np.array([1.0]),
            output_tokens=np.full((1, 2), float(output_tokens)),
            source=f"fixed {input_tokens:g}/{output_tokens:g}",
        )

    @classmethod
    def from_samples(
        cls,
        input_tokens: npt.ArrayLike,
        output_tokens: npt.ArrayLike,
        *,
        source: str,
        levels: tuple[float, ...] = LEVELS,
        bands: tuple[float, ...] = BANDS,
    ) -> LengthDistribution:
        """The table of observed pairs of lengths (equally long arrays)."""
        inputs = np.asarray(input_tokens, dtype=np.float64)
        outputs = np.asarray(output_tokens, dtype=np.float64)
        if inputs.ndim != 1 or inputs.shape != outputs.shape or not inputs.size:
            raise InvalidInput("lengths come as pairs, at least one", source=source)
        order = np.lexsort((outputs, inputs))
        edges = np.round(np.asarray(bands) * inputs.size).astype(int)
        if inputs.size < 10 * len(bands):  # too few for a table of their dependence
            edges, bands = np.array([inputs.size]), (1.0,)
        rows = [
            _quantiles(outputs[order[start:stop]], levels)
            for start, stop in zip(np.concatenate(([0], edges[:-1])), edges, strict=True)
        ]
        return cls(
            levels=np.asarray(levels),
            input_tokens=_quantiles(inputs, levels),
            bands=np.asarray(bands),
            output_tokens=np.asarray(rows),
            source=source,
        )

    @property
    def mean_input_tokens(self) -> float:
        """Mean prompt length."""
        return float(np.trapezoid(self.input_tokens, self.levels))

    @property
    def mean_output_tokens(self) -> float:
        """Mean output length."""
        per_band = np.trapezoid(self.output_tokens, self.levels, axis=1)
        return float(np.dot(np.diff(self.bands, prepend=0.0), per_band))

    def input_quantile(self, level: float) -> float:
        """Prompt length that a share `level` of the requests does not exceed."""
        return float(np.interp(_level(level), self.levels, self.input_tokens))

    def output_quantile(self, level: float) -> float:
        """Output length that a share `level` of the requests does not exceed."""
        level = _level(level)
        widths = np.diff(self.bands, prepend=0.0)
        low, high = float(self.output_tokens.min()), float(self.output_tokens.max())
        for _ in range(60):  # the mixture of the bands' distribution functions, inverted by bisection
            middle = (low + high) / 2
            share = sum(
                w * _cdf(middle, self.levels, row) for w, row in zip(widths, self.output_tokens, strict=True)
            )
            low, high = (middle, high) if share < level else (low, middle)
        return high

    @property
    def longest_request_tokens(self) -> float:
        """Largest prompt plus the largest output that goes with it."""
        return float(self.input_tokens[-1] + self.output_tokens[-1, -1])

    def points(self, inputs: int = 32, outputs: int = 8) -> LengthPoints:
        """The distribution as about `inputs` × `outputs` weighted points, the means of shares.

        The last share of each direction is halved five times towards the maximum, so that the tail is seen;
        shares are cut at the bands, so that each belongs to one. The means of the distribution are kept.
        """
        edges = np.unique(np.concatenate((_shares(inputs), self.bands)).round(12))
        output_edges = _shares(outputs)
        band = np.searchsorted(self.bands, (edges[:-1] + edges[1:]) / 2)
        lengths = np.stack([_share_means(output_edges, self.levels, row) for row in self.output_tokens])
        weight = np.outer(np.diff(edges), np.diff(output_edges)).ravel()
        return LengthPoints(
            input_tokens=np.repeat(
                _share_means(edges, self.levels, self.input_tokens), output_edges.size - 1
            ),
            output_tokens=lengths[band].ravel(),
            weight=weight / weight.sum(),
        )

    def sample(self, count: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """`count` pairs of whole lengths (int64, int64); the same seed gives the same pairs."""
        if count < 0:
            raise InvalidInput(f"the number of samples must be ≥ 0, got {count}")
        random = np.random.default_rng(seed)
        level, given = random.random(count), random.random(count)
        inputs = np.interp(level, self.levels, self.input_tokens)
        band = np.searchsorted(self.bands, level)
        outputs = np.empty(count)
        for index, row in enumerate(self.output_tokens):
            mine = band == index
            outputs[mine] = np.interp(given[mine], self.levels, row)
        return np.rint(inputs).astype(np.int64), np.rint(outputs).astype(np.int64)


def _quantiles(samples: Floats, levels: tuple[float, ...]) -> Floats:
    """Quantiles that ascend: interpolation between equal samples can fall by a rounding error."""
    return np.maximum.accumulate(np.quantile(samples, levels))


def _level(level: float) -> float:
    if not 0 <= level <= 1:
        raise InvalidInput(f"a quantile level must be in 0..1, got {level!r}")
    return level


def _cdf(value: float, levels: Floats, quantiles: Floats) -> float:
    """Share of a piecewise linear quantile function at or below `value`; steps count fully."""
    if value >= quantiles[-1]:
        return 1.0
    index = int(np.searchsorted(quantiles, value, side="right"))
    if index == 0:
        return 0.0
    left, right = quantiles[index - 1], quantiles[index]
    return float(levels[index - 1] + (levels[index] - levels[index - 1]) * (value - left) / (right - left))


def _shares(count: int) -> Floats:
    """Edges of `count` equal shares of 0..1, the last one halved five times."""
    tail = 1.0 - 1.0 / count / 2.0 ** np.arange(1, 6)
    return np.unique(np.concatenate((np.arange(count + 1) / count, tail)))


def _share_means(edges: Floats, levels: Floats, quantiles: Floats) -> Floats:
    """Mean of a piecewise linear quantile function between consecutive edges."""
    knots = np.unique(np.concatenate((edges, levels)))
    values = np.interp(knots, levels, quantiles)
    integral = np.concatenate(([0.0], np.cumsum(np.diff(knots) * (values[:-1] + values[1:]) / 2)))
    return np.diff(np.interp(edges, knots, integral)) / np.diff(edges)
