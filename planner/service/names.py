"""Resource names: ``plans/{id}`` and ``operations/{id}``, with the same id for a plan and what makes it."""

from __future__ import annotations

import re

from planner.service.errors import invalid_argument

__all__ = ["operation_name", "parse_operation", "parse_plan", "plan_name"]

_ID = re.compile(r"[0-9a-f]{32}")


def plan_name(plan_id: str) -> str:
    """``plans/{id}``."""
    return f"plans/{plan_id}"


def operation_name(plan_id: str) -> str:
    """``operations/{id}`` of the operation that makes the plan of that id."""
    return f"operations/{plan_id}"


def parse_plan(name: str, field: str = "name") -> str:
    """The id in a plan's resource name, which came in request field `field`."""
    return _parse(name, "plans", field)


def parse_operation(name: str) -> str:
    """The id in an operation's resource name."""
    return _parse(name, "operations", "name")


def _parse(name: str, collection: str, field: str) -> str:
    prefix, _, plan_id = name.partition("/")
    if prefix != collection or not _ID.fullmatch(plan_id):
        raise invalid_argument(
            field, f"{name[:80]!r} is not a resource name of the form {collection}/{{32 hexadecimal digits}}"
        )
    return plan_id
