from __future__ import annotations

from planner.cli.app import build_app
from planner.cli.exit_codes import ExitCode
from planner.reference.commands import command_book


def test_every_command_and_group_has_a_section():
    book = command_book()
    for info in build_app().registered_commands:
        assert f"\n## fulcrum {info.name}\n" in book
    assert "\n## fulcrum profile run\n" in book
    assert "| `--seed <int>` |" in book


def test_exit_codes_are_listed():
    assert all(f"| {code.value} |" in command_book() for code in ExitCode)


def test_no_cell_breaks_its_table():
    import re

    for line in command_book().splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 3, line
