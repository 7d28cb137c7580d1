"""Resource names: ``fleets/{name}``, ``profiles/{name}``, ``plans/{id}`` and its ``operations/{id}``."""

from __future__ import annotations

import re

from planner.service.errors import invalid_argument

__all__ = [
    "fleet_name",
    "operation_name",
    "parse_fleet",
    "parse_operation",
    "parse_plan",
    "parse_profile",
    "plan_name",
    "profile_name",
]

_ID = re.compile(r"[0-9a-f]{32}")
_PROFILE = re.compile(r"profiles/([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
_FLEET = re.compile(r"fleets/([A-Za-z0-9][A-Za-z0-9._-]{0,62})")


def plan_name(plan_id: str) -> str:
    """``plans/{id}``."""
    return f"plans/{plan_id}"


def operation_name(plan_id: str) -> str:
    """``operations/{id}`` of the operation that makes the plan of that id."""
    return f"operations/{plan_id}"


def fleet_name(name: str) -> str:
    """``fleets/{name}``."""
    return f"fleets/{name}"


def profile_name(name: str) -> str:
    """``profiles/{name}``."""
    return f"profiles/{name}"


def parse_profile(name: str, field: str = "name") -> str:
    """The name of the profile in its resource name, which came in request field `field`."""
    matched = _PROFILE.fullmatch(name)
    if matched is None:
        raise invalid_argument(
            field, f"{name[:80]!r} is not a resource name of the form profiles/{{profile}}"
        )
    return matched[1]


def parse_fleet(name: str, field: str = "name") -> str:
    """The name of the fleet in its resource name, which came in request field `field`."""
    matched = _FLEET.fullmatch(name)
    if matched is None:
        raise invalid_argument(field, f"{name[:80]!r} is not a resource name of the form fleets/{{fleet}}")
    return matched[1]


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
