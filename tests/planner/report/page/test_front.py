"""The drawing of what headroom costs."""

from __future__ import annotations

import json
import re

import pytest

from models.errors import InvalidInput
from planner.report.page.front import FrontPoint, front_svg, read_front

POINTS = [{"headroom": 0.2, "cost_per_hour": 30.0}, {"headroom": 0.0, "cost_per_hour": 20.0},
          {"headroom": 0.4, "cost_per_hour": None}]  # fmt: skip


def test_points_are_read_in_order_of_headroom():
    found = read_front(json.dumps(POINTS), source="p.json")
    assert found[:2] == (
        FrontPoint(headroom=0.0, cost_per_hour=20.0),
        FrontPoint(headroom=0.2, cost_per_hour=30.0),
    )
    assert found[2].cost_per_hour is None


@pytest.mark.parametrize(
    "text", ["{}", "no", "[1]", '[{"headroom": 0.1}]', '[{"headroom": 0, "cost_per_hour": null}]', "[]"]
)
def test_what_is_no_front_is_refused(text):
    with pytest.raises(InvalidInput, match=r"p\.json: holds no"):
        read_front(text, source="p.json")


def test_dearer_is_higher_and_more_headroom_further_right():
    svg = str(front_svg(read_front(json.dumps(POINTS), source="p")))
    places = re.findall(r'cx="([0-9.]+)" cy="([0-9.]+)"', svg)
    (x0, y0), (x1, y1) = ((float(x), float(y)) for x, y in places)
    assert x0 < x1
    assert y0 > y1
    assert "20 % below the targets: 30.00/h" in svg
    assert 'aria-label="Cost from 20.00/h at 0 % latency headroom to 30.00/h at 20 %"' in svg


def test_one_point_is_drawn_too():
    assert front_svg([FrontPoint(headroom=0.0, cost_per_hour=5.0)]).count("<circle") == 1
