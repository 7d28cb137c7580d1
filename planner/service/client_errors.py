"""Errors of a server as errors of this program: the inverse of `planner.service.errors`."""

from __future__ import annotations

import re
from typing import Any

import grpc
from grpc_status import rpc_status

from models.document import InvalidDocument
from models.errors import FulcrumError, InvalidInput, SolverFailed, Unavailable, Unsupported
from planner.service.protos import code_pb2, error_details_pb2

__all__ = ["error_of", "is_passing", "without_lines"]

_PART = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_LINE = re.compile(r"line (\d+): (.*)", re.S)


def is_passing(error: grpc.RpcError) -> bool:
    """True when the same call may succeed soon: the server is away, or starting."""
    return bool(error.code() == grpc.StatusCode.UNAVAILABLE)


def error_of(error: Any, *, source: str | None, address: str) -> FulcrumError:
    """The error for an RpcError or a google.rpc.Status.

    Parameters
    ----------
    source
        Name of the document that was sent, for messages about it.
    address
        Of the server, for messages about it.
    """
    if isinstance(error, grpc.RpcError):
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
        code, message = error.code().value[0], error.details() or error.code().name
    else:
        status, code, message = error, error.code, error.message
    if code == code_pb2.INVALID_ARGUMENT:
        return _invalid(status, message, source)
    if code == code_pb2.UNIMPLEMENTED:
        return Unsupported(f"the server {address}: {message}")
    if code in (code_pb2.INTERNAL, code_pb2.UNKNOWN, code_pb2.DATA_LOSS):
        return SolverFailed(f"the server {address}: {message}")
    return Unavailable(f"the server {address}: {message}")


def without_lines(error: InvalidInput) -> InvalidInput:
    """The same error, saying where only by path."""
    if isinstance(error, InvalidDocument):
        return InvalidDocument(without_lines(violation) for violation in error.violations)
    return InvalidInput(error.message, path=error.path, source=error.source)


def _invalid(status: Any, message: str, source: str | None) -> InvalidInput:
    violations = []
    for detail in () if status is None else status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            violations += [_violation(v.field, v.description, source) for v in bad.field_violations]
    if not violations:
        return InvalidInput(message, source=source)
    return violations[0] if len(violations) == 1 else InvalidDocument(violations)


def _violation(field: str, description: str, source: str | None) -> InvalidInput:
    """Undo the field path and the line of `planner.service.errors`."""
    parts = [int(index) if index else name for name, index in _PART.findall(field)]
    line = None
    if (found := _LINE.fullmatch(description)) is not None:
        line, description = int(found[1]), found[2]
    if parts[:1] == ["document"]:
        return InvalidInput(description, path=tuple(parts[1:]), source=source, line=line)
    return InvalidInput(description, path=tuple(parts))
