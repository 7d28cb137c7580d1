"""Resource names: ``fleets/{name}`` with its ``engines/{id}`` and ``rollouts/{generation}``,
``profiles/{name}``, ``plans/{id}`` and its ``operations/{id}``.
"""

from __future__ import annotations

import re

from planner.service.errors import invalid_argument

__all__ = [
    "ENGINE_ID",
    "engine_name",
    "fleet_name",
    "operation_name",
    "parse_engine",
    "parse_fleet",
    "parse_operation",
    "parse_plan",
    "parse_profile",
    "parse_rollout",
    "parse_upload",
    "plan_name",
    "profile_name",
    "rollout_name",
]

_ID = re.compile(r"[0-9a-f]{32}")
_PROFILE = re.compile(r"profiles/([A-Za-z0-9][A-Za-z0-9._-]{0,254})")
_UPLOAD = re.compile(r"profiles/([a-z0-9][a-z0-9._-]{0,62})")
_FLEET = re.compile(r"fleets/([A-Za-z0-9][A-Za-z0-9._-]{0,62})")
_ENGINE = re.compile(r"fleets/([A-Za-z0-9][A-Za-z0-9._-]{0,62})/engines/([A-Za-z0-9][A-Za-z0-9._-]{0,62})")
_ROLLOUT = re.compile(r"fleets/([A-Za-z0-9][A-Za-z0-9._-]{0,62})/rollouts/(-|[1-9][0-9]{0,8})")
ENGINE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What an engine may be called."""


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


def parse_upload(name: str, field: str) -> str:
    """The name that an upload gets, in its resource name."""
    matched = _UPLOAD.fullmatch(name)
    if matched is None:
        raise invalid_argument(
            field, f"{name[:80]!r} is not profiles/ and 1 to 63 lower-case letters, digits, '.', '_' and '-'"
        )
    return matched[1]


def parse_fleet(name: str, field: str = "name") -> str:
    """The name of the fleet in its resource name, which came in request field `field`."""
    matched = _FLEET.fullmatch(name)
    if matched is None:
        raise invalid_argument(field, f"{name[:80]!r} is not a resource name of the form fleets/{{fleet}}")
    return matched[1]


def engine_name(fleet: str, engine: str) -> str:
    """``fleets/{fleet}/engines/{engine}``."""
    return f"fleets/{fleet}/engines/{engine}"


def rollout_name(fleet: str, generation: int) -> str:
    """``fleets/{fleet}/rollouts/{generation}``."""
    return f"fleets/{fleet}/rollouts/{generation}"


def parse_engine(name: str) -> tuple[str, str]:
    """The fleet and the id in the resource name of an engine."""
    matched = _ENGINE.fullmatch(name)
    if matched is None:
        raise invalid_argument(
            "name", f"{name[:160]!r} is not a resource name of the form fleets/{{fleet}}/engines/{{engine}}"
        )
    return matched[1], matched[2]


def parse_rollout(name: str) -> tuple[str, int | None]:
    """The fleet and the generation in the resource name of a rollout; None: the last one."""
    matched = _ROLLOUT.fullmatch(name)
    if matched is None:
        raise invalid_argument(
            "name",
            f"{name[:160]!r} is not a resource name of the form fleets/{{fleet}}/rollouts/{{generation}}",
        )
    return matched[1], None if matched[2] == "-" else int(matched[2])


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
