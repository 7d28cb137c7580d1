"""``workloads[].trace`` as content: the requests themselves, where a document may not refer to files."""

from __future__ import annotations

import functools
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from models.document.reader import Path as DocumentPath
from models.errors import InvalidInput
from models.workload import Columns, LengthDistribution, Trace, read_trace
from planner.fleet.entries import Entry, Text

if TYPE_CHECKING:
    from planner.fleet.demand import Demand
    from planner.fleet.resolve import Resolver
    from planner.fleet.schema import WorkloadEntry

__all__ = [
    "INLINED_CHARACTERS",
    "TraceEntry",
    "lengths_content",
    "read_requests",
    "requests_content",
    "trace_of",
    "written_out",
]

INLINED_CHARACTERS = 2**20
"""Of all traces that are written into a document: about 50,000 requests, a quarter of what a server takes."""

MOST_TOKENS = 2**31


class TraceEntry(Entry):
    """A trace, written out."""

    source: Text
    """Where it is from."""
    requests: str = Field(min_length=1)
    """One line a request, in the order they arrive: seconds, prompt tokens, output tokens."""


def trace_of(resolver: Resolver, entry: WorkloadEntry, path: DocumentPath) -> Trace | None:
    """Return the trace of a workload; mistakes are noted with `resolver`.

    Parameters
    ----------
    path
        Of the workload.
    """
    where, given, named = (*path, "trace"), entry.trace, entry.columns
    if isinstance(given, TraceEntry):
        if named is not None:
            resolver.fail(
                "columns name those of a trace in a file, not of one written out", (*path, "columns")
            )
        return resolver.attempt(lambda: read_requests(given), where)
    assert given is not None
    file = resolver.file(given, where)
    if file is None:
        return None
    columns = None
    if named is not None:
        columns = Columns(arrival=named.arrival, input_tokens=named.input, output_tokens=named.output)
    trace = resolver.attempt(functools.partial(read_trace, file, columns), where)
    return None if trace is None else replace(trace, source=Path(given).name)


def written_out(
    entry: dict[str, Any], trace: Trace, lengths: LengthDistribution, demand: Demand, room: int
) -> int:
    """Write a trace into the entry of its workload, which then needs no file; return the room left.

    Parameters
    ----------
    lengths, demand
        Of the trace: all that is written when there is no room for the requests.
    room
        Characters.
    """
    if not isinstance(entry["trace"], str):
        return room
    entry.pop("columns", None)
    content = requests_content(trace)
    if (left := room - len(content["requests"])) >= 0:
        entry["trace"] = content
        return left
    del entry["trace"]
    entry |= {"lengths": lengths_content(lengths, trace.source), "rate": f"{demand.rate_per_s!r}/s"}
    if demand.shape is not None:
        entry["shape"] = list(demand.shape)
    return room


def read_requests(entry: TraceEntry) -> Trace:
    """Read what is written out.

    Raises
    ------
    InvalidInput
        Lines of anything else than three numbers, or numbers that no trace has.
    """
    try:
        table = np.loadtxt(io.StringIO(entry.requests), dtype=np.float64, ndmin=2, comments=None)
    except ValueError as error:
        raise InvalidInput(f"requests: {error}; a line is seconds, prompt tokens, output tokens") from None
    if table.shape[1] != 3:
        raise InvalidInput(f"requests: a line has 3 numbers, got {table.shape[1]} in each")
    tokens = table[:, 1:]
    if not ((tokens == np.floor(tokens)) & (np.abs(tokens) < MOST_TOKENS)).all():
        raise InvalidInput("requests: tokens must be whole numbers")
    inputs, outputs = tokens.astype(np.int64).T
    return Trace(arrivals_s=table[:, 0], input_tokens=inputs, output_tokens=outputs, source=entry.source)


def requests_content(trace: Trace) -> dict[str, Any]:
    """Return what reads as an equal trace, every digit; block hashes are left out."""
    columns = trace.arrivals_s.tolist(), trace.input_tokens.tolist(), trace.output_tokens.tolist()
    lines = (f"{at!r} {inputs} {outputs}\n" for at, inputs, outputs in zip(*columns, strict=True))
    return {"source": trace.source, "requests": "".join(lines)}


def lengths_content(lengths: LengthDistribution, source: str) -> dict[str, Any]:
    """Return the length document with every digit, so that reading it gives an equal distribution."""
    return {
        "kind": "LengthDistribution",
        "source": source,
        "levels": lengths.levels.tolist(),
        "input_tokens": lengths.input_tokens.tolist(),
        "bands": [
            {"up_to": band, "output_tokens": row.tolist()}
            for band, row in zip(lengths.bands.tolist(), lengths.output_tokens, strict=True)
        ],
    }
