"""``python -m benchmarks splitwise-interpolation``: how well Splitwise's table predicts what is left out.

Two questions: one measurement of about five at a shape (what the paper's 3 % are about), and a whole point of
the table, whose neighbours are half and twice its tokens.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from benchmarks.planner_cases.data_files import data_file
from models.profiles.importers.splitwise import left_out_errors, read_splitwise

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Print and write the errors."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks splitwise-interpolation", description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    rows = read_splitwise(data_file("splitwise/perf_model.csv"))
    errors: dict[str, dict[str, float]] = {}
    for out in ("row", "point"):
        for phase in ("prompt_ms", "token_ms"):
            found = left_out_errors(rows, phase, out)
            errors[f"{phase.removesuffix('_ms')}, one {out} left out"] = {
                "count": len(found),
                "mean": round(fmean(found), 4),
                "median": round(median(found), 4),
            }
    record = {"benchmark": "splitwise-interpolation", "measurements": len(rows), "errors": errors}
    text = json.dumps(record, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return 0
