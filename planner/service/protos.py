"""The message modules the service speaks with, in one place.

googleapis-common-protos has no type information; here its modules become ``Any`` once, instead of in every
file.
"""

from __future__ import annotations

from google.longrunning import operations_pb2, operations_pb2_grpc  # type: ignore[import-untyped]
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]

from planner.service.gen.fulcrum.v1 import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    engine_service_pb2,
    engine_service_pb2_grpc,
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    load_pb2,
    plan_outcome_pb2,
    plan_pb2,
    planning_service_pb2,
    planning_service_pb2_grpc,
    profile_service_pb2,
    profile_service_pb2_grpc,
    rollout_pb2,
)

__all__ = [
    "assignment_service_pb2",
    "assignment_service_pb2_grpc",
    "code_pb2",
    "engine_service_pb2",
    "engine_service_pb2_grpc",
    "error_details_pb2",
    "fleet_service_pb2",
    "fleet_service_pb2_grpc",
    "load_pb2",
    "operations_pb2",
    "operations_pb2_grpc",
    "plan_outcome_pb2",
    "plan_pb2",
    "planning_service_pb2",
    "planning_service_pb2_grpc",
    "profile_service_pb2",
    "profile_service_pb2_grpc",
    "rollout_pb2",
    "status_pb2",
]
