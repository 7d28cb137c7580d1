"""``python -m benchmarks page``: a plan of more than 10,000 GPUs as a page, made and opened in Chromium.

The plan is made by the planner itself, from the document below. Chromium starts anew for each run, loads the
page from a file, lays it out and paints it into a screenshot; the time is that of the whole process. Beside
it an empty page, so that what the browser's own start takes is seen.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.machine import machine_record
from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.report.page import plan_page

__all__ = ["main", "plan_of_ten_thousand"]

ROOT = Path(__file__).parents[1]
RUNS = 5
DOCUMENT = """\
fleet: ten-thousand
pools:
  - {name: h100, gpu: h100-sxm-80gb, nodes: 900, gpus_per_node: 8, racks: 225, price_per_gpu_hour: 2.50}
  - {name: h200, gpu: h200-sxm-141gb, nodes: 450, gpus_per_node: 8, racks: 112, price_per_gpu_hour: 3.20}
models:
  - {name: chat, architecture: llama-3.1-70b, weights: fp8, kv_cache: fp8}
  - {name: code, architecture: qwen3-32b, weights: fp8, kv_cache: fp8}
  - {name: small, architecture: llama-3.1-8b, weights: fp8, kv_cache: fp8}
workloads:
  - {model: chat, rate: 9000/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 1s, tpot_p95: 40ms}}
  - {model: code, rate: 15500/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 1s, tpot_p95: 30ms}}
  - {model: small, rate: 22500/s, lengths: azure_2023_conv.yaml, slo: {ttft_p95: 500ms, tpot_p95: 20ms}}
policies: {headroom: 5%, roles: [mixed], parallelism: {tensor: [1, 2, 4], pipeline: [1]}}
"""


def plan_of_ten_thousand() -> Plan:
    """Return a plan that uses more than 10,000 GPUs, without replaying it in the simulator."""
    fleet = read_fleet(DOCUMENT, source="benchmarks/page.py", base_dir=ROOT / "examples")
    return plan_fleet(fleet, Clock(options=PlanOptions(time_limit_s=60.0, verify=False))).plan


def main(arguments: Sequence[str]) -> int:
    """Print the figures, and write them with everything they rest on."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks page", description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--keep", type=Path, help="also write the page there")
    given = parser.parse_args(arguments)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("needs chromium or google-chrome", file=sys.stderr)
        return 1
    began = time.perf_counter()
    plan = plan_of_ten_thousand()
    planned = time.perf_counter()
    page = plan_page(plan)
    made = time.perf_counter()
    if given.keep is not None:
        given.keep.write_text(page, encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path, empty = Path(folder) / "plan.html", Path(folder) / "empty.html"
        path.write_text(page, encoding="utf-8")
        empty.write_text("<!DOCTYPE html><title>empty</title>", encoding="utf-8")
        _open(browser, empty, folder)  # a first start makes the browser's caches
        runs = [(_open(browser, empty, folder), _open(browser, path, folder)) for _ in range(RUNS)]
    record = {
        "gpus_used": sum(pool.gpus_used for pool in plan.pools),
        "instances": len(plan.instances),
        "page_bytes": len(page.encode()),
        "plan_seconds": round(planned - began, 2),
        "page_seconds": round(made - planned, 2),
        "open_seconds": [round(full, 2) for _, full in runs],
        "open_seconds_median": round(median(full for _, full in runs), 2),
        "empty_page_seconds_median": round(median(blank for blank, _ in runs), 2),
        "machine": machine_record("fulcrum-planner", "jinja2"),
    }
    print(json.dumps(record, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _open(browser: str, page: Path, folder: str) -> float:
    """Seconds from the start of the browser until the page is painted and the browser gone."""
    command = [
        browser, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile",
        "--window-size=1280,4000", f"--screenshot={folder}/page.png", page.as_uri(),
    ]  # fmt: skip
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return time.perf_counter() - began
