"""Requests of load generators: ``vllm bench serve --save-detailed``, aiperf and GuideLLM, as traces.

vLLM: lists ``input_lens``, ``output_lens`` and, in newer versions, ``start_times`` (seconds) in one object;
requests that failed have no output. aiperf: ``profile_export.jsonl``, an object a line with ``metadata`` and
``metrics``. GuideLLM: a report whose benchmarks hold ``requests.successful``; of several benchmarks the one
with most requests is read. Without start times all requests arrive at once: lengths are known, a rate is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import InvalidInput
from models.workload.trace import Trace

__all__ = ["load_test_reader"]

Row = tuple[float, int, int]
"""Start in seconds, prompt tokens, output tokens."""


def load_test_reader(path: Path) -> Callable[[Path], Trace] | None:
    """Return the reader for a JSON file of a load generator; None where it is something else.

    Only the beginning is looked at for JSON lines; one object is read whole.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
            value = _object(head)
            if value is None:
                file.seek(0)
                value = _object(file.read())
    except (OSError, UnicodeDecodeError):
        return None
    if value is None:
        return None
    if "input_lens" in value and "output_lens" in value:
        return lambda at: _trace(_vllm(_whole(at), str(at)), at)
    if isinstance(value.get("benchmarks"), list):
        return lambda at: _trace(_guidellm(_whole(at), str(at)), at)
    if isinstance(value.get("metadata"), dict) and isinstance(value.get("metrics"), dict):
        return lambda at: _trace(_aiperf(at), at)
    return None


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _whole(path: Path) -> dict[str, Any]:
    return _object(path.read_text(encoding="utf-8-sig")) or {}


def _trace(rows: Iterable[Row], path: Path) -> Trace:
    found = sorted(rows, key=lambda row: row[0])
    if not found:
        raise InvalidInput("no request succeeded", source=str(path))
    starts, inputs, outputs = (np.array(column) for column in zip(*found, strict=True))
    return Trace(arrivals_s=starts - starts[0], input_tokens=inputs, output_tokens=outputs, source=str(path))


def _vllm(value: Mapping[str, Any], source: str) -> Iterable[Row]:
    inputs, outputs = value["input_lens"], value["output_lens"]
    starts = value.get("start_times") or [0.0] * len(inputs)
    if not len(inputs) == len(outputs) == len(starts):
        raise InvalidInput(
            f"{len(inputs)} input_lens, {len(outputs)} output_lens and {len(starts)} start_times",
            source=source,
        )
    for index, (start, prompt, answer) in enumerate(zip(starts, inputs, outputs, strict=True)):
        if answer:
            yield _row(start, prompt, answer, f"{source}: request {index}")


def _guidellm(value: Mapping[str, Any], source: str) -> Iterable[Row]:
    runs = [run for run in value["benchmarks"] if isinstance(run, dict)]
    lists = [requests for run in runs if (requests := _at(run, "requests", "successful"))]
    if not lists:
        raise InvalidInput("none of its benchmarks holds requests", source=source)
    chosen: Sequence[Any] = max(lists, key=len)
    for index, one in enumerate(chosen):
        start = next(
            (
                found
                for path in (("request_start_time",), ("start_time",), ("info", "timings", "request_start"))
                if (found := _at(one, *path)) is not None
            ),
            0.0,
        )
        prompt = _at(one, "prompt_tokens") or _at(one, "input_metrics", "text_tokens")
        answer = _at(one, "output_tokens") or _at(one, "output_metrics", "text_tokens")
        if answer:
            yield _row(start, prompt, answer, f"{source}: request {index}")


def _aiperf(path: Path) -> Iterable[Row]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        value = _object(line)
        if value is None:
            raise InvalidInput("not a JSON object", source=str(path), line=number)
        phase = _at(value, "metadata", "benchmark_phase")
        answer = _metric(value, "output_sequence_length")
        if value.get("error") or phase == "warmup" or not answer:
            continue
        start = _at(value, "metadata", "request_start_ns")
        seconds = float(start) / 1e9 if isinstance(start, int | float) else start
        yield _row(seconds, _metric(value, "input_sequence_length"), answer, f"{path}:{number}")


def _metric(value: Mapping[str, Any], name: str) -> Any:
    found = _at(value, "metrics", name)
    return found.get("value") if isinstance(found, dict) else found


def _at(value: Any, *keys: str) -> Any:
    """What is at a path; None where there is nothing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _row(start: Any, prompt: Any, answer: Any, where: str) -> Row:
    numbers = [x for x in (start, prompt, answer) if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) != 3 or not all(math.isfinite(x) for x in numbers) or min(prompt, answer) < 1:
        raise InvalidInput(
            f"a request needs a start and at least one token of prompt and of output, got start {start!r}, "
            f"prompt {prompt!r}, output {answer!r}",
            source=where,
        )
    return float(start), int(prompt), int(answer)
