"""The line of progress."""

import io
import sys

from planner.cli.progress import ProgressLine
from planner.options import Progress


def test_time_value_gap_and_rate_are_shown_as_far_as_they_are_known(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    line = ProgressLine(visible=True)
    line(
        Progress(
            phase="search", elapsed_s=2.0, objective=120.0, bound=90.0, gap=0.25, evaluations_per_s=5.31e6
        )
    )
    line(Progress(phase="reading", elapsed_s=3.0))
    first, second = sys.stderr.getvalue().split("\r")[1:]
    assert first == "   2.0 s  search  best 120  gap 25 %  5.31 M moves/s"
    assert second.strip() == "3.0 s  reading"
    assert [report.objective for report in line.kept] == [120.0]
