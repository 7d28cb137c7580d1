"""Asks AIConfigurator; run by the interpreter of an environment that has it, which needs nothing of ours.

Reads a JSON list of [number, alternatives] from the file named first, each alternative being keyword
arguments of its `cli_estimate`; appends a line [number, ttft_ms, tpot_ms, reason] to the file named second,
the first alternative that is answered. Numbers already in that file are left out: a run can be continued.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from pathlib import Path


def main(jobs: Path, answers: Path) -> None:
    """Answer every job that has no line yet."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    from aiconfigurator.cli.api import cli_estimate  # type: ignore[import-not-found]

    done = {json.loads(line)[0] for line in answers.read_text().splitlines()} if answers.exists() else set()
    with answers.open("a", encoding="utf-8") as file:
        for number, alternatives in json.loads(jobs.read_text(encoding="utf-8")):
            if number in done:
                continue
            line = [number, None, None, ""]
            for arguments in alternatives:
                try:
                    found = cli_estimate(**arguments)
                    line = [number, float(found.ttft), float(found.tpot), ""]
                    break
                except Exception as error:  # noqa: BLE001 - whatever it raises is its reason for no answer
                    line[3] = line[3] or f"{type(error).__name__}: {error}".splitlines()[0][:200]
            file.write(json.dumps(line) + "\n")
            file.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
