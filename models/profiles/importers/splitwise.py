"""Splitwise's performance table (https://github.com/Mutinifni/splitwise-sim, data/perf_model.csv, MIT).

Prompt and token times in ms of whole models by prompt size and batch size, about five repeats of each.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.profiles.importers.registry import Importer, ImportRequest

__all__ = ["IMPORTER", "PhaseTime", "left_out_errors", "read_splitwise"]


HEADER = (
    "model", "hardware", "tensor_parallel_size", "prompt_tokens", "batch_size", "prompt_ms", "token_ms",
    "repeats",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTime:
    """One measurement: whole prompts of a batch, and one token of each request of it."""

    model: str
    hardware: str
    tensor_parallel_size: int
    prompt_tokens: int
    batch_size: int
    prompt_ms: float
    token_ms: float

    @property
    def setting(self) -> tuple[str, str, int]:
        """What was measured on what."""
        return self.model, self.hardware, self.tensor_parallel_size


def read_splitwise(path: Path) -> list[PhaseTime]:
    """The rows of the table; `InvalidInput` names the line that is not one."""
    source = str(path)
    out = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            for row in rows:
                try:
                    out.append(
                        PhaseTime(
                            model=row["model"],
                            hardware=row["hardware"],
                            tensor_parallel_size=int(row["tensor_parallel"]),
                            prompt_tokens=int(row["prompt_size"]),
                            batch_size=int(row["batch_size"]),
                            prompt_ms=float(row["prompt_time"]),
                            token_ms=float(row["token_time"]),
                        )
                    )
                except (KeyError, TypeError, ValueError) as error:
                    raise InvalidInput(
                        f"not a measurement: {error}", source=source, line=rows.line_num
                    ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"cannot read the table: {error}", source=source) from None
    if not out:
        raise InvalidInput("the table has no row", source=source)
    return out


def left_out_errors(
    rows: Sequence[PhaseTime], phase: Literal["prompt_ms", "token_ms"], out: Literal["row", "point"]
) -> list[float]:
    """Relative errors of what is left out, absolute, predicted from the rest of its setting.

    Parameters
    ----------
    out
        ``row``: one measurement; its repeats of the same prompts and batch stay, and their median predicts
        it. ``point``: every measurement with as many tokens in the batch; the piecewise linear interpolation
        of the medians over batch tokens predicts their median. Ends, which nothing brackets, are not asked.
    """
    shapes: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for row in rows:
        key = (
            (*row.setting, row.prompt_tokens, row.batch_size)
            if out == "row"
            else (*row.setting, row.prompt_tokens * row.batch_size)
        )
        shapes[key].append(getattr(row, phase))
    if out == "row":
        return [
            abs(median(times[:i] + times[i + 1 :]) / times[i] - 1.0)
            for times in shapes.values()
            for i in range(len(times))
            if len(times) > 1
        ]
    found = []
    for setting in sorted({row.setting for row in rows}):
        points = sorted(
            (int(str(key[3])), median(times)) for key, times in shapes.items() if key[:3] == setting
        )
        tokens, times = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
        for i in range(1, tokens.size - 1):
            rest = np.arange(tokens.size) != i
            found.append(abs(float(np.interp(tokens[i], tokens[rest], times[rest])) / times[i] - 1.0))
    return found


def _run(request: ImportRequest) -> list[str]:
    rows = read_splitwise(request.source)
    shapes: dict[tuple[str, str, int, int, int], list[PhaseTime]] = defaultdict(list)
    for row in rows:
        shapes[*row.setting, row.prompt_tokens, row.batch_size].append(row)
    with request.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for key, group in sorted(shapes.items()):
            times = median(r.prompt_ms for r in group), median(r.token_ms for r in group)
            writer.writerow((*key, *times, len(group)))
    errors = [
        f"{phase.removesuffix('_ms')} times, one measurement left out: mean error "
        f"{fmean(left_out_errors(rows, phase, 'row')):.1%}"
        for phase in ("prompt_ms", "token_ms")
    ]
    return [f"{request.out}: {len(shapes)} points of {len(rows)} measurements", *errors]


IMPORTER = Importer(
    name="splitwise",
    result="rows",
    summary="perf_model.csv of Splitwise's simulator: medians of prompt and token times",
    options=(),
    run=_run,
)
