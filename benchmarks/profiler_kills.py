"""Kill a profiling run at random moments, a hundred times: the next run goes on, the profile is whole or
absent.

    python -m benchmarks profiler-kills [--kills 100] [--seed 0] [--folder DIR] [--save]

Each round forks a process that resumes the run (on this CPU, through NumPy), sends it SIGKILL after a
random time (while it measures, while it writes the profile, or after it is done), and checks what lies on
the disk: a journal that opens, with no fewer points than before; a profile that is absent, or whole with
every checksum right. At the end one undisturbed run must finish and leave nothing behind but the profile.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import machine_record
from models.profiles.store import MANIFEST_FILE, read_profile
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.finish import write_outcome
from profiler.journal import journal_path
from profiler.run import RunOptions, measure_profile
from profiler.space import Request

RESULTS = Path(__file__).parent / "results"
BUDGET_SECONDS = 0.4
PRELOADED = ("pyarrow.parquet", "scipy.optimize", "scipy.spatial")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks profiler-kills")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to work; default: a temporary folder")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/profiler-kills.json")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fulcrum-kills-") as scratch:
        found = _rounds(options.folder or Path(scratch), options.kills, options.seed)
    result = {"benchmark": "profiler-kills", "seed": options.seed, **found}
    result["machine"] = machine_record("numpy", "pyarrow")
    print(json.dumps(result))
    if options.save:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (RESULTS / "profiler-kills.json").write_text(text, encoding="utf-8")
    return 1 if found["failures"] else 0


def _options(out: Path) -> RunOptions:
    return RunOptions(
        out=out,
        budget_seconds=BUDGET_SECONDS,
        tolerance=1e-6,
        operations=("hbm", "host_copy", "launch"),
        request=Request(max_tokens=64),
    )


def _run(out: Path) -> None:
    """One run, resumed; a finished profile is refined with a new budget."""
    device, options = NumpyCpu(), _options(out)
    measure_profile(device, options, finish=lambda found: _write(found, device, options))


def _write(found: object, device: NumpyCpu, options: RunOptions) -> None:
    write_outcome(found, device, options)  # type: ignore[arg-type]


def _rounds(folder: Path, kills: int, seed: int) -> dict[str, object]:
    for module in PRELOADED:  # else every forked run would import them again
        importlib.import_module(module)
    whole_run = min(_duration(), _duration())
    out = folder / "profile"
    folder.mkdir(parents=True, exist_ok=True)
    # From before the first point to after the end of a run.
    rng = np.random.default_rng(seed)
    seen = {"killed": 0, "finished_first": 0, "profile_whole": 0, "profile_absent": 0, "points_lost": 0}
    failures: list[str] = []
    points = 0
    while seen["killed"] < kills:
        moment = rng.uniform(0.0, 1.2 * whole_run)
        number = seen["killed"]
        if _killed_after(
            moment, out
        ):  # nothing was killed: begin anew now and then, so that both states are met
            seen["finished_first"] += 1
            if rng.random() < 0.5:
                shutil.rmtree(out, ignore_errors=True)
                points = 0
            continue
        seen["killed"] += 1
        try:
            now, whole = _points_on_disk(out)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the files is the finding
            failures.append(f"kill {number} after {moment:.3f} s: {error}")
            continue
        seen["profile_whole" if whole else "profile_absent"] += 1
        if now < points:
            seen["points_lost"] += points - now
            failures.append(f"kill {number} after {moment:.3f} s: {points} points became {now}")
        points = now
    _run(out)
    final, whole = _points_on_disk(out)
    left = sorted(p.name for p in folder.iterdir())
    if not whole or left != ["profile"]:
        failures.append(f"the undisturbed run left {left}")
    return {"kills": kills, **seen, "final_points": final, "failures": failures}


def _duration() -> float:
    """Seconds of an undisturbed run."""
    with tempfile.TemporaryDirectory(prefix="fulcrum-kills-") as scratch:
        begin = time.monotonic()
        _run(Path(scratch) / "profile")
        return time.monotonic() - begin


def _killed_after(seconds: float, out: Path) -> bool:
    """Fork a run and kill it; True when it was done before."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _run(out)
            code = 0
        except Exception:  # noqa: BLE001 - shown here, judged by the parent
            traceback.print_exc()
        finally:
            os._exit(code)  # no clean-up of the parent's affairs
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            if status != 0:
                sys.exit(f"a run failed with status {status}")
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def _points_on_disk(out: Path) -> tuple[int, bool]:
    """(distinct points in journal and profile, whether there is a profile); raises when anything is
    damaged.
    """
    known: set[str] = set()
    path = journal_path(out)
    if path.exists():
        lines = path.read_bytes().split(b"\n")[:-1]  # what follows the last newline was cut short
        known |= {_key(json.loads(line)) for line in lines[1:]}
    moved = sorted(out.parent.glob(f".{out.name}.old-*"))
    folder = out if (out / MANIFEST_FILE).exists() or not moved else moved[0]
    if not (folder / MANIFEST_FILE).exists():
        if out.exists():
            raise FileExistsError(f"{out} is there without a manifest")
        return len(known), False
    for table in read_profile(folder, eager=True).tables():
        names = [k.name for k in table.schema.keys]
        for row in range(len(table)):
            point = {n: table[n][row].item() for n in names}
            known.add(_key({"operation": table.schema.name, "point": point}))
    return len(known), folder == out


def _key(record: dict[str, object]) -> str:
    point = record["point"]
    assert isinstance(point, dict)
    return f"{record['operation']} {sorted((k, str(v)) for k, v in _plain(point).items())}"


def _plain(point: dict[str, object]) -> dict[str, object]:
    return {k: float(v) if isinstance(v, (int, float)) else v for k, v in point.items()}
