"""What a CreatePlanRequest must be before anything is stored."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from planner.options import CONFIDENCES
from planner.service.errors import invalid_argument
from planner.service.protos import plan_pb2, planning_service_pb2
from planner.store.plans import wall_clock_us
from planner.store.records import PlanOptionsRecord

__all__ = [
    "PlanLimits",
    "check_document",
    "check_work",
    "checked_request_id",
    "confidence_of",
    "options_of",
    "request_digest",
    "request_id_of",
    "time_limit_of",
]

_REQUEST_ID = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimits:
    """The most a caller may ask for; `waiting_count` is of unfinished plans of one tenant, `solve_count` of
    assignment problems that wait or are solved.
    """

    time_limit_s: float = 3600.0
    thread_count: int = 8
    document_bytes: int = 4 * 2**20
    waiting_count: int = 1000
    solve_count: int = 8


def options_of(message: plan_pb2.PlanOptions, limits: PlanLimits) -> PlanOptionsRecord:
    """The options of a request; refuses what is negative, past, or more than `limits`."""
    time_limit_s = time_limit_of(message, limits)
    deadline_us = None
    if message.HasField("deadline"):
        deadline_us = message.deadline.seconds * 1_000_000 + message.deadline.nanos // 1000
        if not wall_clock_us() < deadline_us < 2**63:
            raise invalid_argument("options.deadline", "lies in the past, or beyond all time")
    check_work(message, limits)
    return PlanOptionsRecord(
        time_limit_s=time_limit_s,
        deadline_us=deadline_us,
        seed=message.seed,
        thread_count=message.thread_count or 1,
        skip_verification=message.skip_verification,
        confidence=confidence_of(message),
    )


def confidence_of(message: plan_pb2.PlanOptions) -> float | None:
    """``options.confidence`` of a request; None where it is unset."""
    if not message.HasField("confidence"):
        return None
    least, most = CONFIDENCES
    if not least <= message.confidence <= most:
        raise invalid_argument("options.confidence", f"{message.confidence:g} is not in [{least}, {most}]")
    return message.confidence


def time_limit_of(message: Any, limits: PlanLimits, field: str = "options.time_limit") -> float | None:
    """Seconds of the ``time_limit`` of a message, which is `field` of the request; None where it is unset."""
    if not message.HasField("time_limit"):
        return None
    time_limit_s = float(message.time_limit.seconds + message.time_limit.nanos / 1e9)
    if not 0 < time_limit_s <= limits.time_limit_s:
        raise invalid_argument(
            field,
            f"{time_limit_s:g} s is not in (0, {limits.time_limit_s:g}] s, the range of this server",
        )
    return time_limit_s


def check_work(message: Any, limits: PlanLimits) -> None:
    """Refuse ``options.thread_count`` and ``options.seed`` out of range."""
    if not 0 <= message.thread_count <= limits.thread_count:
        raise invalid_argument(
            "options.thread_count",
            f"{message.thread_count} is not between 0 and {limits.thread_count}, this server's limit",
        )
    if message.seed < 0:
        raise invalid_argument("options.seed", f"{message.seed} is negative")


def check_document(document: str, limits: PlanLimits, what: str) -> None:
    """Refuse an empty ``document`` and one that is too large; `what` is what should be in it."""
    if not document.strip():
        raise invalid_argument("document", f"is empty; send {what}")
    size = len(document.encode())
    if size > limits.document_bytes:
        raise invalid_argument("document", f"has {size:,} bytes; this server takes {limits.document_bytes:,}")


def request_id_of(request: planning_service_pb2.CreatePlanRequest) -> str | None:
    """The request id, or None when there is none."""
    return checked_request_id(request.request_id)


def checked_request_id(text: str) -> str | None:
    """A request id, or None when it is empty."""
    if not text:
        return None
    if not _REQUEST_ID.fullmatch(text):
        raise invalid_argument("request_id", "is not 1 to 64 printable ASCII characters without blanks")
    return text


def request_digest(request: planning_service_pb2.CreatePlanRequest) -> str:
    """SHA-256 of the request without its id: equal exactly for retries."""
    same = planning_service_pb2.CreatePlanRequest()
    same.CopyFrom(request)
    same.ClearField("request_id")
    return hashlib.sha256(same.SerializeToString(deterministic=True)).hexdigest()
