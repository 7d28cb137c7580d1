"""The fleet document: what must be served, on what, under which policies.

`read_fleet` turns YAML into a `Fleet`; `fleet_schema` is its JSON Schema.
"""

from __future__ import annotations

from planner.fleet.document import fleet_schema, read_fleet, read_fleet_file
from planner.fleet.fleet import Fleet, Goal, Parallelism, Policies, Pool, ServedModel, ServedWorkload, Target

__all__ = [
    "Fleet",
    "Goal",
    "Parallelism",
    "Policies",
    "Pool",
    "ServedModel",
    "ServedWorkload",
    "Target",
    "fleet_schema",
    "read_fleet",
    "read_fleet_file",
]
