"""Traces as CSV with any column names: which column is what is said beside the file.

Known layouts (`LAYOUTS`) are the Azure trace of 2023 and BurstGPT
(https://github.com/HPMLL/BurstGPT, CC-BY-4.0; failed requests, with an empty response, are left out).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models.errors import InvalidInput, UnknownName
from models.workload.trace import Trace

__all__ = ["LAYOUTS", "Columns", "read_columns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Names of the columns that matter; others are not looked at.

    Parameters
    ----------
    arrival
        Seconds as a number, or a date and time (ISO 8601, a space instead of the T, more digits than six).
    input_tokens, output_tokens
        Whole numbers.
    skip_empty_outputs
        Leave requests with 0 output tokens out, instead of refusing them.
    """

    arrival: str
    input_tokens: str
    output_tokens: str
    skip_empty_outputs: bool = False

    @classmethod
    def parse(cls, text: str) -> Columns:
        """``arrival=a,input=b,output=c``.

        Raises
        ------
        InvalidInput, UnknownName
            A key is missing, unknown or given twice.
        """
        keys = {"arrival": "arrival", "input": "input_tokens", "output": "output_tokens"}
        given: dict[str, str] = {}
        for part in text.split(","):
            key, sign, column = (piece.strip() for piece in part.partition("="))
            if not sign or not column:
                raise InvalidInput(f"expected arrival=…,input=…,output=… with column names, got {text!r}")
            if key not in keys:
                raise UnknownName("column role", key, keys)
            if keys[key] in given:
                raise InvalidInput(f"{key} is given twice in {text!r}")
            given[keys[key]] = column
        missing = [key for key, name in keys.items() if name not in given]
        if missing:
            raise InvalidInput(f"{', '.join(missing)} missing in {text!r}")
        return cls(
            arrival=given["arrival"],
            input_tokens=given["input_tokens"],
            output_tokens=given["output_tokens"],
        )


LAYOUTS = {
    "azure-2023": Columns(arrival="TIMESTAMP", input_tokens="ContextTokens", output_tokens="GeneratedTokens"),
    "burstgpt": Columns(
        arrival="Timestamp",
        input_tokens="Request tokens",
        output_tokens="Response tokens",
        skip_empty_outputs=True,
    ),
}


def read_columns(path: Path | str, columns: Columns) -> Trace:
    """The requests of a CSV file with a header, sorted by arrival.

    Raises
    ------
    InvalidInput
        The file cannot be read, or a line is not a request; the error names the file and the line.
    UnknownName
        The header has no such column.
    """
    path = Path(path)
    source = str(path)
    wanted = (columns.arrival, columns.input_tokens, columns.output_tokens)
    found: list[tuple[float, int, int]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [name.strip() for name in next(rows, [])]
            for name in wanted:
                if name not in header:
                    raise UnknownName("column", name, header, source=source, line=1)
            places = [header.index(name) for name in wanted]
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    raise InvalidInput(
                        f"expected {len(header)} fields, got {len(row)}", source=source, line=rows.line_num
                    )
                moment, prompt, answer = (row[place].strip() for place in places)
                least = 0 if columns.skip_empty_outputs else 1
                tokens = (
                    _tokens(prompt, columns.input_tokens, 1, source, rows.line_num),
                    _tokens(answer, columns.output_tokens, least, source, rows.line_num),
                )
                if tokens[1]:
                    found.append((_seconds(moment, columns.arrival, source, rows.line_num), *tokens))
    except OSError as error:
        raise InvalidInput(f"cannot read the trace: {error.strerror or error}", source=source) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"the trace is not CSV text: {error}", source=source) from None
    if not found:
        raise InvalidInput("the trace has no request", source=source, line=1)
    times, inputs, outputs = (np.array(column) for column in zip(*found, strict=True))
    order = np.argsort(times, kind="stable")
    return Trace(
        arrivals_s=times[order] - times.min(),
        input_tokens=inputs[order],
        output_tokens=outputs[order],
        source=source,
    )


def _seconds(text: str, column: str, source: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        whole, dot, fraction = text.partition(".")
        digits = fraction.rstrip("Z") if dot else ""
        try:
            moment = datetime.fromisoformat(whole.rstrip("Z")).replace(tzinfo=UTC)
            value = moment.timestamp() + (float(f"0.{digits}") if digits else 0.0)
        except ValueError:
            raise InvalidInput(
                f"{column} must be seconds or a date and time, got {text!r}", source=source, line=line
            ) from None
    if not np.isfinite(value):
        raise InvalidInput(f"{column} must be finite, got {text!r}", source=source, line=line)
    return value


def _tokens(text: str, column: str, least: int, source: str, line: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise InvalidInput(
            f"{column} must be a whole number, got {text!r}", source=source, line=line
        ) from None
    if value < least:
        raise InvalidInput(f"{column} must be at least {least}, got {value}", source=source, line=line)
    return value
