"""Traces of any known format."""

from __future__ import annotations

from pathlib import Path

from models.errors import InvalidInput
from models.workload.columns import LAYOUTS, Columns, read_columns
from models.workload.load_tests import load_test_reader
from models.workload.mooncake import read_mooncake_trace
from models.workload.trace import Trace

__all__ = ["FORMATS", "read_trace"]

FORMATS = ("mooncake", "vllm-bench", "aiperf", "guidellm", *LAYOUTS)
"""Formats that are recognised by themselves."""


def read_trace(path: Path | str, columns: Columns | None = None) -> Trace:
    """The requests of a file: JSON of Mooncake or of a load generator, or CSV with known or given columns.

    Raises
    ------
    InvalidInput, UnknownName
        The file cannot be read or is none of these.
    """
    path = Path(path)
    if columns is not None:
        return read_columns(path, columns)
    if path.suffix in (".jsonl", ".json"):
        reader = load_test_reader(path)
        if reader is not None:
            return reader(path)
        return read_mooncake_trace(path)
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline()
    except OSError as error:
        raise InvalidInput(f"cannot read the trace: {error.strerror or error}", source=str(path)) from None
    except UnicodeDecodeError:
        raise InvalidInput(
            f"the trace is not text: CSV with a header or JSON lines are read ({', '.join(FORMATS)})",
            source=str(path),
        ) from None
    if not line.strip():
        raise InvalidInput("the trace is empty", source=str(path), line=1)
    header = [name.strip() for name in line.split(",")]
    for layout in LAYOUTS.values():
        if {layout.arrival, layout.input_tokens, layout.output_tokens} <= set(header):
            return read_columns(path, layout)
    known = "; ".join(f"{c.arrival}, {c.input_tokens}, {c.output_tokens} ({n})" for n, c in LAYOUTS.items())
    raise InvalidInput(
        f"the header {', '.join(header)!r} is of no known format ({known}): say which column is what, as in "
        f"arrival={header[0]},input=…,output=… (--columns, or columns: beside the trace of a document)",
        source=str(path), line=1,
    )  # fmt: skip
