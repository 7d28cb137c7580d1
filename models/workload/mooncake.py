"""Traces in the format of Mooncake: a JSON object a line.

``{"timestamp": ms, "input_length": n, "output_length": n, "hash_ids": [...]}``: ``hash_ids`` name the blocks
of 512 prompt tokens, equal names for prompts that are equal up to there; the last block may be part filled.
From https://github.com/kvcache-ai/Mooncake, Apache-2.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InvalidInput
from models.workload.prefixes import PrefixBlocks
from models.workload.trace import Trace

__all__ = ["BLOCK_TOKENS", "read_mooncake_trace"]

BLOCK_TOKENS = 512


def read_mooncake_trace(path: Path | str) -> Trace:
    """The requests of a trace file, sorted by arrival.

    Raises
    ------
    InvalidInput
        The file cannot be read, or a line is not a request; the error names the file and the line.
    """
    path = Path(path)
    source = str(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the trace: {error}", source=source) from None
    rows = [_request(text, source, number) for number, text in enumerate(lines, start=1) if text.strip()]
    if not rows:
        raise InvalidInput("the trace is empty", source=source, line=1)
    times = np.array([row[0] for row in rows]) / 1e3
    order = np.argsort(times, kind="stable")
    return Trace(
        arrivals_s=times[order] - times.min(),
        input_tokens=np.array([row[1] for row in rows])[order],
        output_tokens=np.array([row[2] for row in rows])[order],
        source=source,
        prefixes=PrefixBlocks.of_lists(BLOCK_TOKENS, [rows[i][3] for i in order]),
    )


def _request(text: str, source: str, line: int) -> tuple[float, int, int, list[int]]:
    try:
        record: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not JSON: {error}", source=source, line=line) from None
    if not isinstance(record, dict):
        raise InvalidInput("a line must be a JSON object", source=source, line=line)
    missing = sorted({"timestamp", "input_length", "output_length"} - set(record))
    if missing:
        raise InvalidInput(f"{', '.join(missing)} missing", source=source, line=line)
    moment, names = record["timestamp"], record.get("hash_ids", [])
    if not isinstance(moment, int | float) or isinstance(moment, bool) or not np.isfinite(moment):
        raise InvalidInput(f"timestamp must be a number of ms, got {moment!r}", source=source, line=line)
    for column in ("input_length", "output_length"):
        if not isinstance(record[column], int) or isinstance(record[column], bool) or record[column] < 1:
            raise InvalidInput(
                f"{column} must be a whole number ≥ 1, got {record[column]!r}", source=source, line=line
            )
    if not isinstance(names, list) or not all(type(name) is int for name in names):
        raise InvalidInput("hash_ids must be a list of whole numbers", source=source, line=line)
    if len(names) > -(-record["input_length"] // BLOCK_TOKENS):
        raise InvalidInput(
            f"{len(names)} hash_ids for {record['input_length']} tokens, at most one for {BLOCK_TOKENS}",
            source=source, line=line,
        )  # fmt: skip
    return float(moment), record["input_length"], record["output_length"], names
