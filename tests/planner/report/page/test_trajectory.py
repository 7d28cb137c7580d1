"""The solver's way: written, read back, drawn as steps."""

from __future__ import annotations

import itertools
import re

import pytest

from models.errors import InvalidInput
from planner.options import Progress
from planner.report.page.trajectory import Sample, read_trajectory, trajectory_lines, trajectory_svgs

REPORTS = [
    Progress(phase="sizing", elapsed_s=1.0, objective=100.0, bound=None),
    Progress(phase="sizing", elapsed_s=2.0, objective=80.0, bound=40.0),
    Progress(phase="sizing", elapsed_s=3.0, objective=80.0, bound=80.0),
    Progress(phase="placement", elapsed_s=4.0, objective=2.0, bound=0.0),
]


def test_what_is_written_is_read():
    found = read_trajectory(trajectory_lines(REPORTS), source="t")
    assert found[0] == Sample(phase="sizing", elapsed_s=1.0, objective=100.0, bound=None)
    assert len(found) == 4


@pytest.mark.parametrize(
    "text", ["x", "{}", '{"phase": "a", "elapsed_s": "soon", "objective": 1, "bound": 1}']
)
def test_other_lines_are_refused_with_their_number(text):
    with pytest.raises(InvalidInput, match="t:5: is no report"):
        read_trajectory(trajectory_lines(REPORTS) + text + "\n", source="t")


def test_a_phase_with_a_way_is_drawn_and_values_hold_until_better_ones():
    ((phase, svg),) = trajectory_svgs(read_trajectory(trajectory_lines(REPORTS), source="t"))
    assert phase == "sizing"
    best = re.search(r'class="best" points="([^"]*)"', str(svg))
    assert best is not None
    places = [tuple(map(float, pair.split(","))) for pair in best[1].split()]
    assert len(places) == 5  # three values, and the corner before each later one
    assert all(a[1] == b[1] or a[0] == b[0] for a, b in itertools.pairwise(places))
    assert "best value 80 after 3.0 s, proven down to 80" in str(svg)


def test_values_that_never_change_are_a_line_too():
    flat = [Sample(phase="p", elapsed_s=0.0, objective=0.0, bound=0.0)] * 2
    assert "nan" not in str(trajectory_svgs(flat)[0][1])
