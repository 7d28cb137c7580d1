"""`fulcrum pareto`."""

import json

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from planner.testing import SMALL_FLEET


def test_as_json(tmp_path, capsys):
    path = tmp_path / "fleet.yaml"
    path.write_text(SMALL_FLEET)
    command = ["pareto", str(path), "--headroom", "0%", "--headroom", "20%", "--json"]
    assert run(command) == ExitCode.OK
    points = json.loads(capsys.readouterr().out)
    assert [p["headroom"] for p in points] == [0.0, 0.2]
    assert points[0]["cost_per_hour"] <= points[1]["cost_per_hour"]
