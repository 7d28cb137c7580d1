"""``python -m benchmarks serving-tables``: leave-one-out errors of the operator tables that ship with us.

Writes ``benchmarks/results/serving-tables.json``, from which ``docs/accuracy.md`` is made.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from models.profiles.catalogue import PACKAGED, known_profiles
from models.profiles.validate import validate_profile

ROOT = Path(__file__).parents[1]


def main(argv: Sequence[str]) -> int:
    """Validate every packaged profile; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving-tables", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/serving-tables.json")
    options = parser.parse_args(argv)
    rows = []
    for name, folder in sorted(known_profiles().items()):
        if folder.parent != PACKAGED:
            continue
        for found in validate_profile(folder).accuracy:
            numbers = {key: getattr(found, key) for key in ("median", "mean", "p90")}
            if found.tested and all(math.isfinite(v) for v in numbers.values()):
                shares = {key: round(v * 100, 1) for key, v in numbers.items()}
                rows.append({"profile": name, "table": found.operation, "tested": found.tested, **shares})
    options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0
