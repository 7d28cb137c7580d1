"""What callers get when something is wrong: one ``google.rpc.Status``.

Every status has an ``ErrorInfo`` with a stable reason and the domain ``fulcrum.dev``; faults of the request
also have a ``BadRequest`` with one violation per fault, whose field is the path in the request. A fault
inside a document is ``document.pools[0].gpu``, with the line in the description. What nobody foresaw is
INTERNAL without details: the log has them.

A status travels in the trailers of the answer, for which clients allow 8 KiB; so texts are cut, and
violations beyond what fits are only counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.document import InvalidDocument
from models.errors import FulcrumError, InvalidInput, SolverFailed, Unavailable, UnknownName, Unsupported
from planner.service.protos import code_pb2, error_details_pb2, status_pb2

__all__ = [
    "DOMAIN",
    "StatusError",
    "StoreUnavailable",
    "failure",
    "invalid_argument",
    "not_found",
    "quota_exceeded",
    "status_of",
]

DOMAIN = "fulcrum.dev"

_MESSAGE_BYTES = 500
_TEXT_BYTES = 400
_VIOLATIONS_BYTES = 3500


class StatusError(Exception):
    """Ends an RPC, or the making of a plan, with `status`."""

    def __init__(self, status: status_pb2.Status) -> None:
        super().__init__(status.message)
        self.status = status


class StoreUnavailable(StatusError):
    """The store can neither be read nor written now; the same may be asked of it again later."""

    def __init__(self) -> None:
        message = "the store cannot be reached, is full or is locked; try again"
        super().__init__(_status(code_pb2.UNAVAILABLE, "STORE_UNAVAILABLE", message, {}))


def failure(code: int, reason: str, message: str, metadata: Mapping[str, str] | None = None) -> StatusError:
    """A refusal with an ErrorInfo; `code` is of google.rpc.Code, `reason` in UPPER_SNAKE_CASE."""
    return StatusError(_status(code, reason, message, metadata or {}))


def invalid_argument(field: str, description: str, reason: str = "INVALID_ARGUMENT") -> StatusError:
    """INVALID_ARGUMENT for one field of the request."""
    status = _status(code_pb2.INVALID_ARGUMENT, reason, f"{field}: {description}", {})
    _add_violations(status, [(field, description, reason)])
    return StatusError(status)


def not_found(resource_type: str, name: str) -> StatusError:
    """NOT_FOUND for a resource; also for one that the caller may not know of."""
    message = f"{name} does not exist"
    status = _status(code_pb2.NOT_FOUND, "RESOURCE_NOT_FOUND", message, {"resource": name})
    info = error_details_pb2.ResourceInfo(
        resource_type=resource_type, resource_name=name, description=message
    )
    status.details.add().Pack(info)
    return StatusError(status)


def quota_exceeded(subject: str, description: str, *, retry_s: int = 5) -> StatusError:
    """RESOURCE_EXHAUSTED: the subject has all it may have; worth another try after `retry_s`."""
    status = _status(code_pb2.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED", f"{subject} {description}", {})
    violation = error_details_pb2.QuotaFailure.Violation(subject=subject, description=description)
    status.details.add().Pack(error_details_pb2.QuotaFailure(violations=[violation]))
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromSeconds(retry_s)
    status.details.add().Pack(retry)
    return StatusError(status)


def status_of(error: BaseException, *, field: str = "document") -> status_pb2.Status:
    """The status for any exception.

    Parameters
    ----------
    field
        Request field that held the document, for errors that have a path in it.
    """
    if isinstance(error, StatusError):
        return error.status
    if isinstance(error, InvalidInput):
        return _bad_document(error, field)
    if isinstance(error, Unsupported):
        return _status(code_pb2.UNIMPLEMENTED, "UNSUPPORTED", str(error), {})
    if isinstance(error, Unavailable):
        return _status(code_pb2.FAILED_PRECONDITION, "SERVER_LACKS_SOMETHING", str(error), {})
    if isinstance(error, SolverFailed):
        return _status(code_pb2.INTERNAL, "SOLVER_FAILED", str(error), {})
    if isinstance(error, FulcrumError):
        return _status(code_pb2.INTERNAL, "FAILED", str(error), {})
    return _status(code_pb2.INTERNAL, "INTERNAL", "internal error; the server's log has the details", {})


def _bad_document(error: InvalidInput, field: str) -> status_pb2.Status:
    faults = error.violations if isinstance(error, InvalidDocument) else (error,)
    status = _status(code_pb2.INVALID_ARGUMENT, _reason(error), str(error), _metadata(error))
    _add_violations(
        status, [(_field_path(field, fault), _describe(fault), _reason(fault)) for fault in faults]
    )
    return status


def _field_path(field: str, fault: InvalidInput) -> str:
    path = fault.dotted_path
    if not path:
        return field
    return f"{field}{path}" if path.startswith("[") else f"{field}.{path}"


def _describe(fault: InvalidInput) -> str:
    return fault.message if fault.line is None else f"line {fault.line}: {fault.message}"


def _reason(fault: InvalidInput) -> str:
    """INVALID_INPUT, UNKNOWN_NAME, …: the class name."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(fault).__name__).upper()


def _metadata(error: InvalidInput) -> dict[str, str]:
    if not isinstance(error, UnknownName):
        return {}
    return {"kind": error.kind, "name": error.name} | (
        {"suggestion": error.suggestion} if error.suggestion else {}
    )


def _add_violations(status: status_pb2.Status, faults: list[tuple[str, str, str]]) -> None:
    details = error_details_pb2.BadRequest()
    for index, (field, description, reason) in enumerate(faults):
        details.field_violations.add(
            field=_cut(field, _TEXT_BYTES), description=_cut(description, _TEXT_BYTES), reason=reason
        )
        left = len(faults) - index - 1
        if left and details.ByteSize() > _VIOLATIONS_BYTES:
            root = _cut(re.split(r"[.\[]", field)[0], _TEXT_BYTES)
            details.field_violations.add(field=root, description=f"and {left} more", reason="MORE_VIOLATIONS")
            break
    status.details.add().Pack(details)


def _status(code: int, reason: str, message: str, metadata: Mapping[str, str]) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=_cut(message, _MESSAGE_BYTES))
    short = {key: _cut(value, _TEXT_BYTES) for key, value in metadata.items()}
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=short))
    return status


def _cut(text: str, most_bytes: int) -> str:
    """At most so many bytes of UTF-8; what is cut ends in an ellipsis."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= most_bytes:
        return encoded.decode()
    return encoded[: most_bytes - 3].decode(errors="ignore") + "…"
