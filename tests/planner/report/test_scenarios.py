import io

from rich.console import Console

from planner.clock import Clock
from planner.options import PlanOptions
from planner.report.scenarios import print_comparison, print_frontier
from planner.scenarios.change import parse_changes
from planner.scenarios.pareto import frontier
from planner.scenarios.what_if import compare
from planner.testing import make_fleet


def clock():
    return Clock(options=PlanOptions(verify=False))


def test_both_plans_side_by_side():
    found = compare(make_fleet(), parse_changes(demand=["chat=x50"], remove_pool=["b"]), (clock(), clock()))
    out = io.StringIO()
    print_comparison(found, Console(file=out, width=200, color_system=None))
    text = out.getvalue()
    assert "what if: demand of chat x50; without pool b" in text
    (row,) = [line for line in text.splitlines() if line.startswith("chat demand")]
    assert row.split()[2:] == ["11.0/s", "550/s"]
    (row,) = [line for line in text.splitlines() if line.startswith("GPUs of b")]
    assert row.split()[-1] == "–"


def test_a_row_for_each_share(executor):
    points = frontier(make_fleet(), [1.0, 0.9], PlanOptions(verify=False), executor)
    out = io.StringIO()
    print_frontier(points, Console(file=out, width=200, color_system=None))
    rows = [line.split() for line in out.getvalue().splitlines() if " % " in line]
    assert [row[0] for row in rows] == ["0", "10"]
