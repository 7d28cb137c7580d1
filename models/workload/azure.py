"""The Azure LLM inference trace of 2023.

CSV with the columns ``TIMESTAMP,ContextTokens,GeneratedTokens``; time stamps look like
``2023-11-16 18:17:03.9799600`` (seven decimals, UTC).
From https://github.com/Azure/AzurePublicDataset, CC-BY-4.0.
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.errors import InvalidInput
from models.workload.trace import Trace

__all__ = ["read_azure_trace"]

COLUMNS = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")


def read_azure_trace(path: Path | str) -> Trace:
    """The requests of a trace file, sorted by arrival.

    Raises
    ------
    InvalidInput
        The file cannot be read, or a line is not a request; the error names the file and the line.
    """
    path = Path(path)
    source = str(path)
    arrivals: list[float] = []
    inputs: list[int] = []
    outputs: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = next(rows, None)
            if header is None:
                raise InvalidInput("the trace is empty", source=source, line=1)
            if tuple(name.strip() for name in header) != COLUMNS:
                raise InvalidInput(
                    f"the header must be {','.join(COLUMNS)}, got {','.join(header)!r}", source=source, line=1
                )
            for row in rows:
                if not row:
                    continue
                line = rows.line_num
                if len(row) != len(COLUMNS):
                    raise InvalidInput(f"expected 3 fields, got {len(row)}", source=source, line=line)
                arrivals.append(_seconds(row[0], source, line))
                inputs.append(_tokens(row[1], COLUMNS[1], source, line))
                outputs.append(_tokens(row[2], COLUMNS[2], source, line))
    except OSError as error:
        raise InvalidInput(f"cannot read the trace: {error.strerror or error}", source=source) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"the trace is not CSV text: {error}", source=source) from None
    if not arrivals:
        raise InvalidInput("the trace has a header but no request", source=source, line=1)
    times = np.asarray(arrivals)
    order = np.argsort(times, kind="stable")
    return Trace(
        arrivals_s=times[order] - times.min(),
        input_tokens=np.asarray(inputs)[order],
        output_tokens=np.asarray(outputs)[order],
        source=source,
    )


def _seconds(text: str, source: str, line: int) -> float:
    """Seconds since the epoch; the fraction has seven digits, one more than `datetime` reads."""
    whole, _, fraction = text.strip().partition(".")
    try:
        moment = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
        return moment.timestamp() + (float(f"0.{fraction}") if fraction else 0.0)
    except ValueError:
        raise InvalidInput(
            f"TIMESTAMP must look like 2023-11-16 18:17:03.9799600, got {text!r}", source=source, line=line
        ) from None


def _tokens(text: str, column: str, source: str, line: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise InvalidInput(
            f"{column} must be a whole number, got {text!r}", source=source, line=line
        ) from None
    if value < 1:
        raise InvalidInput(f"{column} must be at least 1, got {value}", source=source, line=line)
    return value
