"""The page of a plan: what is on it, that it is HTML, and what a browser and axe-core say of it."""

from __future__ import annotations

import html.parser
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from node_tools import MODULES, needs_packages

from planner.assemble import make_outcomes, make_pool_uses
from planner.capacity.one_more import OneMore, PoolGain
from planner.plan import Diagnosis, Move, Objective, Plan, Stage
from planner.plan.schedule import PeriodPlan, Schedule
from planner.plan.transition import Step, Transition
from planner.plan.verification import LatencySpread, Replayed, Verification
from planner.report.page import plan_page
from planner.report.page.front import FrontPoint
from planner.report.page.trajectory import Sample
from planner.testing import make_fleet, make_instance

HERE = Path(__file__).parent
VOID = {"meta", "link", "br", "hr", "img", "input"}
FLEET = make_fleet()
INSTANCES = (
    make_instance("chat-mixed-0", (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n0", (2, 4)))),
    make_instance("code-mixed-0", (Stage("a/r1/n1", (1,)),), workload="code", model="code"),
)
SPREAD = LatencySpread(
    p50_ms=100, p95_ms=200, p99_ms=300, percentile=95, at_percentile_ms=200, target_ms=150, met=False
)
STEP = Step(
    index=0, kind="load", instance="chat-mixed-0", workload="chat", stages=INSTANCES[0].stages, start_s=0,
    end_s=90, after=(), side="new",
)  # fmt: skip
PLAN = Plan(
    fulcrum_version="1", fleet="test", fleet_digest="0123456789abcdef", seed=0, state="feasible",
    cost_per_hour=1234.5, instances=INSTANCES, workloads=make_outcomes(FLEET, INSTANCES),
    pools=make_pool_uses(FLEET, INSTANCES),
    objectives=(Objective(stage="sizing", name="cost", value=12.0, bound=None, gap=None),),
    moves=(Move(action="start", instance="chat-mixed-0", from_stages=(), to_stages=INSTANCES[0].stages),),
    basis=(), notes=("mind <the> gap & \"more\"",),
    schedule=Schedule(
        period_length_s=3600, cost=99.5, bound=99.0, gap=0.005,
        periods=tuple(
            PeriodPlan(
                period=n, placed=n == 1, cost_per_hour=10.0 * n, gpus_used=n, unserved_share=0, counts=()
            )
            for n in range(3)
        ),
    ),
    transition=Transition(
        steps=(STEP,), duration_s=90, lowest_per_s={}, floors_per_s={}, rollback=(),
        assumptions=("disks are fast",),
    ),
    verification=Verification(
        seed=0, arrivals="poisson", corrections=(), met=False,
        replays=(
            Replayed(workload="chat", load="peak", rate_per_s=3, requests=5000, ttft=SPREAD, tpot=None,
                     attainment=0.91, met=False),
        ),
    ),
)  # fmt: skip
EMPTY = replace(
    PLAN, state="infeasible", instances=(), pools=(), objectives=(), moves=(), notes=(), cost_per_hour=0.0,
    schedule=None, transition=None, verification=None,
    diagnosis=Diagnosis(limit="supply", subject="a", message="too <few>", closest="more"),
)  # fmt: skip


RICH = plan_page(
    PLAN,
    current=replace(PLAN, instances=INSTANCES[:1], moves=()),
    trajectory=[Sample(phase="sizing", elapsed_s=n, objective=10.0 - n, bound=float(n)) for n in range(3)],
    front=[FrontPoint(headroom=0.1 * n, cost_per_hour=5.0 + n) for n in range(3)],
    more=OneMore(today=1.5, tried=64.0, pools=(PoolGain(pool="a", factor=1.75, price_per_hour=16.0),)),
)


class Checker(html.parser.HTMLParser):
    """Every element is closed in order, every id is there once, every link leads to one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        for name in ("href", "src"):
            if name in values:
                self.targets.append(str(values[name]))
        if tag == "section":
            self.targets.append(f"#{values['aria-labelledby']}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_what_is_asked_for_is_added() -> None:
    checker = Checker()
    checker.feed(RICH)
    assert checker.open == []
    assert len(set(checker.ids)) == len(checker.ids)
    text = " ".join(" ".join(checker.text).split())
    for words in ("Before", "After", "Solver, sizing", "What latency headroom costs", "1.50 times", "+25 %"):
        assert words in text, words
    assert "Before" not in plan_page(PLAN)


@pytest.mark.parametrize("plan", [PLAN, EMPTY], ids=["full", "empty"])
def test_the_page_is_whole_and_needs_nothing_else(plan: Plan) -> None:
    page = plan_page(plan)
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    assert len(set(checker.ids)) == len(checker.ids)
    assert all(target[0] == "#" and target[1:] in checker.ids for target in checker.targets)
    assert "<script" not in page
    assert not re.search(r"url\(|@import", page)
    assert plan_page(plan) == page


def test_everything_is_there() -> None:
    checker = Checker()
    checker.feed(plan_page(PLAN))
    text = " ".join(" ".join(checker.text).split())
    for words in (
        "Plan of test", "5 of 34", "1,234.50/h", "missed", "100 ms / 200 ms / 300 ms", "91.0 %", "unproven",
        "chat-mixed-0: GPUs 0 to 1", "3 periods", "within 0.5 % of the least", "From the current plan: 1:30",
        "disks are fast", 'mind <the> gap & "more"', "start chat-mixed-0", "--tensor-parallel-size",
    ):  # fmt: skip
        assert words in text, words
    assert "No plan" not in text


def test_what_is_infeasible_says_why() -> None:
    page = plan_page(EMPTY)
    assert "too &lt;few&gt;" in page
    assert "Closest: more." in page
    assert "There is no plan." in page


def test_gpus_that_are_not_adjacent_are_drawn_apart() -> None:
    page = plan_page(PLAN)
    assert page.count("<title>chat-mixed-0: GPUs 2</title>") == 1
    assert page.count("<title>chat-mixed-0: GPUs 4</title>") == 1
    assert page.count('class="new"') == 3


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@needs_packages("puppeteer-core", "axe-core")
@pytest.mark.parametrize("page", [plan_page(PLAN), plan_page(EMPTY), RICH], ids=["full", "empty", "rich"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_and_axe_find_no_fault(page: str, scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["node", str(HERE / "axe.js"), path.as_uri(), scheme, shutil.which("chromium") or ""],
        env={**os.environ, "NODE_PATH": str(MODULES)}, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["violations"] == []
    assert found["errors"] == []
    assert found["overflow"] == 0  # nothing wider than a phone but what scrolls by itself
    assert found["opened"] == found["details"]  # every fold opens by the keyboard
