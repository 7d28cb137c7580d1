"""``python -m models.workload.tabulate TRACE.csv --out TABLE.yaml``: the length table of an Azure trace."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from models.errors import FulcrumError
from models.workload.azure import read_azure_trace
from models.workload.lengths_document import dump_lengths

__all__ = ["main", "table"]

REPOSITORY = "https://github.com/Azure/AzurePublicDataset"


def table(trace_path: Path, *, repository: str, file: str, licence: str) -> str:
    """The YAML length table of a trace in the Azure format, with its provenance inside."""
    trace = read_azure_trace(trace_path)
    provenance = {
        "repository": repository,
        "file": file,
        "licence": licence,
        "requests": len(trace),
        "made_by": "python -m models.workload.tabulate",
    }
    return dump_lengths(trace.lengths(), provenance=provenance)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table of one trace; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m models.workload.tabulate", description=main.__doc__)
    parser.add_argument("trace", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repository", default=REPOSITORY)
    parser.add_argument("--file", help="path in the repository (default: the trace's file name)")
    parser.add_argument("--licence", default="CC-BY-4.0")
    options = parser.parse_args(argv)
    try:
        text = table(
            options.trace,
            repository=options.repository,
            file=options.file or options.trace.name,
            licence=options.licence,
        )
    except FulcrumError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
