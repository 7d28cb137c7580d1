"""Documents people write (YAML or JSON): read with positions, checked against a schema, every mistake
located.

`read_document` gives plain Python values and remembers the line of each; `validate` turns them into a
pydantic model and pydantic's complaints into one `InvalidDocument` that lists every violation with path and
line.
"""

from __future__ import annotations

from models.document.reader import Document, read_document
from models.document.units import (
    parse_bandwidth_bytes_per_s,
    parse_duration_ms,
    parse_fraction,
    parse_rate_per_s,
)
from models.document.validate import validate
from models.document.violations import InvalidDocument

__all__ = [
    "Document",
    "InvalidDocument",
    "parse_bandwidth_bytes_per_s",
    "parse_duration_ms",
    "parse_fraction",
    "parse_rate_per_s",
    "read_document",
    "validate",
]
