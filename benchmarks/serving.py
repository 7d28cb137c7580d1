"""``python -m benchmarks serving --rows CSV --out CSV``: predicts measured serving results.

Reads rows of the columns of AIConfigurator's table of measured results and appends ``predicted_ttft_ms``,
``predicted_tpot_ms``, ``ttft_low``, ``ttft_high``, ``tpot_low``, ``tpot_high`` (80 % intervals) and ``note``,
which says why a row was refused or that it is at the limit of its cache. The measured columns are never read.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.silicon.disaggregated import measure_disaggregated
from benchmarks.silicon.harness import measure
from benchmarks.silicon.rows import Case, Refused, parse_row, read_rows
from models.errors import FulcrumError
from models.serving import InstanceModel
from models.serving.calibration import calibration

COLUMNS = (
    "predicted_ttft_ms",
    "predicted_tpot_ms",
    "ttft_low",
    "ttft_high",
    "tpot_low",
    "tpot_high",
    "note",
)


def main(argv: Sequence[str]) -> int:
    """Predict every row; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving", description=__doc__)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    start = time.perf_counter()
    try:
        full, described = read_rows(options.rows)
    except FulcrumError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    answered = 0
    with options.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*full[0], *COLUMNS])
        writer.writeheader()
        for row, description in zip(full, described, strict=True):
            found = _predict(parse_row(description))
            answered += bool(found["predicted_tpot_ms"])
            writer.writerow({**row, **found})
    print(f"{len(full)} rows, {answered} answered, {time.perf_counter() - start:.1f} s")
    return 0


def _predict(case: Case | Refused) -> dict[str, str]:
    """The appended columns of one row."""
    empty = dict.fromkeys(COLUMNS, "")
    if isinstance(case, Refused):
        return {**empty, "note": case.reason}
    config = case.configuration
    known = calibration(config.engine.name, config.gpu.generation)
    try:
        delay = known.client_delay_ms[case.harness]
        if case.prefill is None:
            found = measure(case, known.overheads, delay)
        else:
            found = measure_disaggregated(case, known.overheads, delay + known.handover_ms)
    except FulcrumError as error:
        return {**empty, "note": error.message}
    ttft, tpot = known.ttft, known.tpot
    if case.kind == "apart":
        ttft, tpot = known.ttft_apart, known.tpot_apart
    elif case.kind == "unsure":
        ttft, tpot = known.ttft_unsure, known.tpot_unsure
    elif found.pressed:
        ttft, tpot = known.ttft_full, known.tpot_full
    values = (found.ttft_ms, found.tpot_ms, *ttft.interval(found.ttft_ms), *tpot.interval(found.tpot_ms))
    numbers = dict(zip(COLUMNS, (f"{v:.3f}" for v in values), strict=False))
    notes = ["at the limit of the KV cache"] if found.pressed else []
    if case.kind == "unsure":
        notes.append("whether it used multi-token prediction is told by the day of its sweep")
    return {**numbers, "note": "; ".join((*notes, *_outside(case)))}


def _outside(case: Case) -> list[str]:
    """What the prediction rests on beyond the tables of its GPU."""
    configurations = [case.configuration] if case.prefill is None else [case.prefill, case.configuration]
    said = {remark for c in configurations for remark in InstanceModel.of(c).curves.remarks}
    return sorted(said)
