"""Measured results of a serving benchmark, whatever tool wrote them.

All tools' figures are brought to the definitions of ``vllm bench serve`` (docs/models.md): TPOT is
(end - first token) / (output tokens - 1) of a request, by whatever name a tool calls it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from models.errors import InvalidInput

__all__ = ["MeasuredServing", "files_of", "number", "read_json", "write_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredServing:
    """One run of a benchmark against a server.

    Parameters
    ----------
    source
        File it was read from.
    model
        As the tool names it.
    requests
        Completed ones.
    input_tokens, output_tokens
        Means over requests.
    concurrency
        Most requests in flight; None where not limited.
    rate_per_s
        Offered rate; None where requests come as fast as the concurrency allows.
    duration_s
        Of the run.
    requests_per_s, output_tokens_per_s
        Reached.
    ttft_mean_ms, ttft_p50_ms, ttft_p99_ms, tpot_mean_ms, tpot_p50_ms, tpot_p99_ms
        Latencies; None where the tool wrote none.
    """

    source: str
    model: str
    requests: int
    input_tokens: float
    output_tokens: float
    concurrency: int | None
    rate_per_s: float | None
    duration_s: float | None
    requests_per_s: float | None
    output_tokens_per_s: float | None
    ttft_mean_ms: float | None
    ttft_p50_ms: float | None
    ttft_p99_ms: float | None
    tpot_mean_ms: float | None
    tpot_p50_ms: float | None
    tpot_p99_ms: float | None

    def __post_init__(self) -> None:
        if self.requests < 1:
            raise InvalidInput("no request was completed", source=self.source)
        if self.input_tokens < 1 or self.output_tokens < 1:
            raise InvalidInput(
                f"requests of {self.input_tokens:g} prompt and {self.output_tokens:g} output tokens",
                source=self.source,
            )


def files_of(source: Path, pattern: str) -> list[Path]:
    """The file itself, or the files of a folder that match, sorted; `InvalidInput` when there is none."""
    found = sorted(source.rglob(pattern)) if source.is_dir() else [source]
    if not found or not found[0].is_file():
        raise InvalidInput(f"no {pattern} there", source=str(source))
    return found


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; `InvalidInput` names the file otherwise."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InvalidInput(f"cannot read it as JSON: {error}", source=str(path)) from None
    if not isinstance(data, dict):
        raise InvalidInput("a JSON object was expected", source=str(path))
    return data


def number(data: Mapping[str, Any], path: str, source: str, *, optional: bool = False) -> float | None:
    """The number at a dotted path; None where it is optional and not there.

    Raises
    ------
    InvalidInput
        It is missing, or no finite number.
    """
    here: Any = data
    for key in path.split("."):
        here = here.get(key) if isinstance(here, Mapping) else None
        if here is None:
            if optional:
                return None
            raise InvalidInput(f"{path} is missing", source=source)
    if isinstance(here, bool) or not isinstance(here, int | float) or not abs(here) < float("inf"):
        raise InvalidInput(f"{path} must be a finite number, got {here!r}", source=source)
    return float(here)


def write_rows(rows: Sequence[MeasuredServing], out: Path) -> list[str]:
    """Write a CSV file with a column for each field; what was written, as a line."""
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(MeasuredServing)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    return [f"{out}: {len(rows)} measured runs"]
