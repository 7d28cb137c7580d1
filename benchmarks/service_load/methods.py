"""Every method of every service that a server offers, found in the descriptors, and messages for them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

__all__ = ["Method", "every_method", "fill"]

_NUMBERS = (0, 1, 2, 3, 50, -1, 2**31 - 1, -(2**31))
_REALS = (0.0, 1.0, -1.0, 1e308, float("nan"), float("inf"))
_DEEPEST = 4
_SENSE = 0.8
"""Share of the strings that are drawn from what fits their field."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC; `path` as in ``/fulcrum.v1.PlanningService/GetPlan``."""

    path: str
    request: Any
    request_streaming: bool
    response_streaming: bool


def every_method() -> tuple[Method, ...]:
    """Methods of the server's own services, of health and of reflection."""
    from planner.service.server import SERVICES

    names = (
        *SERVICES,
        health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
        reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].full_name,
    )
    pool = descriptor_pool.Default()  # type: ignore[no-untyped-call]
    return tuple(
        Method(
            f"/{name}/{method.name}",
            message_factory.GetMessageClass(method.input_type),
            method.client_streaming,
            method.server_streaming,
        )
        for name in sorted(set(names))
        for method in pool.FindServiceByName(name).methods
    )


def fill(
    message: Any,
    source: random.Random,
    words: Sequence[str],
    sensible: Mapping[str, Sequence[str]],
    depth: int = 0,
) -> Any:
    """Set most fields of a message to values of the right type that may make sense or not.

    Parameters
    ----------
    words
        What strings are drawn from.
    sensible
        By name of the field, what is mostly taken instead.
    """

    def value(field: Any) -> Any:
        fitting = field.name in sensible and source.random() < _SENSE
        return _value(field, source, sensible[field.name] if fitting else words)

    for field in message.DESCRIPTOR.fields:
        if source.random() < 0.3 or (field.message_type is not None and depth >= _DEEPEST):
            continue
        if field.is_repeated:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            for _ in range(source.randint(0, 3)):
                if field.message_type is not None:
                    fill(getattr(message, field.name).add(), source, words, sensible, depth + 1)
                else:
                    getattr(message, field.name).append(value(field))
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            fill(inner, source, words, sensible, depth + 1)
        else:
            setattr(message, field.name, value(field))
    return message


def _value(field: Any, source: random.Random, words: Sequence[str]) -> Any:
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        word = source.choice(words)
        return word.encode() if field.type == FieldDescriptor.TYPE_BYTES else word
    if kind in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return source.choice(_REALS)
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return source.random() < 0.5
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        return source.randint(0, 9)
    number = source.choice(_NUMBERS)
    return abs(number) if "UINT" in _KINDS[kind] else number


_KINDS = {
    value: name for name, value in vars(FieldDescriptor).items() if name.startswith("CPPTYPE_")
}  # of its number
