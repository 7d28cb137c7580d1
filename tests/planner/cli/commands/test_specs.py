"""`fulcrum specs`: the list, one spec, and the committed reference."""

from __future__ import annotations

from pathlib import Path

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from specs.documentation import reference_book
from specs.registry import kinds

DOCS = Path(__file__).parents[4] / "docs" / "specs.md"


def test_all_specs_are_listed(capsys):
    assert run(["specs"]) == ExitCode.OK
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == sorted(kinds())


def test_one_spec_shows_formula_parameters_and_example(capsys):
    run(["specs", "group_count"])
    shown = capsys.readouterr().out

    assert "used(g, s) ≤ L(g, s)" in shown
    assert "| `limit` | number | 1.0 |" in shown
    assert "has the value 1." in shown


def test_an_unknown_spec_suggests_the_nearest(capsys):
    assert run(["specs", "group_cuont"]) == ExitCode.BAD_INPUT
    assert "did you mean 'group_count'?" in capsys.readouterr().err


def test_the_committed_reference_is_what_the_command_prints():
    assert DOCS.read_text().endswith(reference_book()), "run: fulcrum specs --markdown, into docs/specs.md"
