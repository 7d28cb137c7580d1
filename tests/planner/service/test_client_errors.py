"""Status to error is the inverse of error to status."""

from __future__ import annotations

import pytest

from models.document import InvalidDocument
from models.errors import InvalidInput, SolverFailed, Unavailable, UnknownName, Unsupported
from planner.service.client_errors import error_of, without_lines
from planner.service.errors import not_found, status_of


def there_and_back(error):
    return error_of(status_of(error), source="fleet.yaml", address="host:1")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Unsupported("x"), Unsupported),
        (Unavailable("x"), Unavailable),
        (SolverFailed("x"), SolverFailed),
        (RuntimeError("x"), SolverFailed),
        (not_found("t", "plans/1"), Unavailable),
    ],
)
def test_the_kind_of_error_comes_through(error, kind):
    returned = there_and_back(error)

    assert type(returned) is kind
    assert "host:1" in returned.message


def test_path_and_line_come_through():
    returned = there_and_back(UnknownName("GPU", "h10", ["h100"], path=("pools", 12, "gpu"), line=9))

    assert (returned.path, returned.line, returned.source) == (("pools", 12, "gpu"), 9, "fleet.yaml")
    assert returned.message == "unknown GPU 'h10'; did you mean 'h100'?"


def test_all_violations_come_through():
    sent = InvalidDocument(
        [InvalidInput("a", path=("x",), line=1), InvalidInput("line 7: b", path=("y", 0), line=2)]
    )

    returned = there_and_back(sent)

    assert isinstance(returned, InvalidDocument)
    assert [(v.path, v.line, v.message) for v in returned.violations] == [
        (("x",), 1, "a"),
        (("y", 0), 2, "line 7: b"),
    ]
    assert [v.line for v in without_lines(returned).violations] == [None, None]


def test_a_fault_outside_the_document_does_not_name_its_file():
    returned = error_of(status_of(InvalidInput("x"), field="current_plan_json"), source="f", address="h")

    assert (returned.path, returned.source) == (("current_plan_json",), None)
