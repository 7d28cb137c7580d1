"""The units, by systemd's own checks, and against what the command line takes."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from planner.cli.app import build_app

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


@pytest.fixture
def folder(tmp_path):
    """The units, of an installation that is there."""
    fulcrum = tmp_path / "fulcrum"
    fulcrum.write_text("#!/bin/sh\n")
    fulcrum.chmod(0o755)
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/fulcrum/bin/fulcrum", str(fulcrum))
        (tmp_path / unit.name).write_text(text)
    return tmp_path


@needs_systemd
@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.iterdir()))
def test_systemd_finds_no_fault(unit, folder):
    done = subprocess.run(
        ["systemd-analyze", "verify", str(folder / unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_systemd_would_notice(folder):
    unit = folder / "fulcrum.service"
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHouse="))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "ProtectHouse" in done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", ["fulcrum.service", "fulcrum-rebalance@.service"])
def test_what_a_unit_could_reach_is_little(unit, folder):
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", str(folder / unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


@pytest.mark.parametrize("unit", sorted(path.name for path in UNITS.glob("*.service")))
def test_the_command_line_takes_the_options(unit):
    (line,) = re.findall(r"^ExecStart=(.*)$", (UNITS / unit).read_text(), re.MULTILINE)
    program, name, *arguments = shlex.split(line)
    assert program.endswith("/fulcrum")
    commands = typer.main.get_command(build_app()).commands
    known = {option for parameter in commands[name].params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known
