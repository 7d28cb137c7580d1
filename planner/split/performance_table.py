"""Measured prompt and token times as a step latency: piecewise linear between medians (Splitwise, ISCA 2024).

The table is the one released with Splitwise's simulator: rows of model, hardware, tensor-parallel size,
prompt size, batch size and measured times in milliseconds. Times are medians by batch tokens (prompt size ×
batch size). Beyond the last point the last segment goes on; below the first the first value holds.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName

__all__ = ["PerformanceTable", "read_performance_table"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PerformanceTable:
    """Implements `StepLatency`.

    Parameters
    ----------
    tokens
        float64[n], ascending: batch tokens.
    prompt_ms, token_ms
        float64[n]: medians.
    decode_tokens
        What a decoding batch is looked up by: ``cached``, all tokens it reads, as they were measured; or
        ``new``, one a request, as the released simulator does (a batch then hardly ever slows down).
    """

    tokens: Floats
    prompt_ms: Floats
    token_ms: Floats
    decode_tokens: Literal["cached", "new"] = "cached"

    def _at(self, tokens: float, values: Floats) -> float:
        if tokens > self.tokens[-1]:
            slope = (values[-1] - values[-2]) / (self.tokens[-1] - self.tokens[-2])
            return float(values[-1] + slope * (tokens - self.tokens[-1]))
        return float(np.interp(tokens, self.tokens, values))

    def prefill_ms(self, prompt_tokens: Sequence[int]) -> float:
        """See `StepLatency`."""
        return self._at(sum(prompt_tokens), self.prompt_ms)

    def decode_ms(self, batch: int, context_tokens: int) -> float:
        """See `StepLatency`."""
        return self._at(context_tokens if self.decode_tokens == "cached" else batch, self.token_ms)


def read_performance_table(
    path: Path,
    model: str,
    hardware: str,
    tensor_parallel_size: int,
    *,
    decode_tokens: Literal["cached", "new"] = "cached",
) -> PerformanceTable:
    """Read the rows of one model on one hardware.

    Raises
    ------
    UnknownName
        The file has no such combination.
    InvalidInput
        It is not such a file.
    """
    wanted = f"{model} on {hardware} TP{tensor_parallel_size}"
    groups: dict[str, dict[int, list[tuple[float, float]]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                key = f"{row['model']} on {row['hardware']} TP{row['tensor_parallel']}"
                tokens = int(row["prompt_size"]) * int(row["batch_size"])
                times = (float(row["prompt_time"]), float(row["token_time"]))
                groups.setdefault(key, {}).setdefault(tokens, []).append(times)
    except (KeyError, ValueError) as error:
        raise InvalidInput(f"not a table of prompt and token times: {error}", source=str(path)) from None
    if wanted not in groups:
        raise UnknownName("measurement", wanted, groups, source=str(path))
    points = sorted(groups[wanted].items())
    return PerformanceTable(
        tokens=np.array([t for t, _ in points], np.float64),
        prompt_ms=np.array([median(p for p, _ in v) for _, v in points]),
        token_ms=np.array([median(t for _, t in v) for _, v in points]),
        decode_tokens=decode_tokens,
    )
