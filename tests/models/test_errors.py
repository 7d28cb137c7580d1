"""Errors say where and what to do instead."""

from __future__ import annotations

from models.errors import FulcrumError, InvalidInput, UnknownName, nearest


def test_an_error_reads_as_file_line_path_message():
    error = InvalidInput("must be positive, got -1", path=("pools", 0, "nodes"), source="fleet.yaml", line=7)

    assert str(error) == "fleet.yaml:7: pools[0].nodes: must be positive, got -1"
    assert str(InvalidInput("broken", line=3)) == "line 3: broken"
    assert str(FulcrumError("plain")) == "plain"


def test_an_unknown_name_suggests_the_nearest_or_lists_what_there_is():
    assert "did you mean 'h100'?" in str(UnknownName("GPU", "h1000", ["h100", "a100"]))
    assert str(UnknownName("GPU", "zzz", ["b", "a"])).endswith("known: a, b")
    assert nearest("H100", ["h100"]) == "h100"
    assert nearest("zzz", ["h100"]) is None
