"""The JSON Schema of the document, from the same types that read it."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from specs.document.convert import alternatives, field_types
from specs.document.read import KIND, TOP_KEYS
from specs.documentation import parameter_texts, summary
from specs.registry import spec_classes
from specs.spec import LimitSpec, Spec, parameters

__all__ = ["assignment_schema", "spec_schema"]

_TEXT = {"type": "string", "minLength": 1}
_REFERENCE = {"$ref": "#/$defs/column"}


def assignment_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of ``kind: AssignmentProblem``."""
    classes = spec_classes()
    defs: dict[str, Any] = {
        "column": _closed({"file": _TEXT, "column": _TEXT}, ["file", "column"]),
        "numbers": _numbers(),
        "entities": _closed(
            {
                "name": _TEXT,
                "ids": {"anyOf": [{"type": "array", "items": _TEXT, "minItems": 1}, _REFERENCE]},
                "count": {"type": "integer", "minimum": 1},
                "counts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            },
            ["name"],
        ),
        "scope": _scope(),
        "dimension": _dimension(),
        "policy": _policy(),
        **{f"spec.{kind}": spec_schema(cls) for kind, cls in classes.items()},
    }
    limits = [kind for kind, cls in classes.items() if issubclass(cls, LimitSpec)]
    defs["limit"] = _one_spec(limits, {})
    properties: dict[str, Any] = {
        "kind": {"const": KIND},
        "description": {"type": "string"},
        "objects": {"$ref": "#/$defs/entities"},
        "containers": {"$ref": "#/$defs/entities"},
        "assignment": {"anyOf": [{"type": "null"}, _REFERENCE, _by_name({"anyOf": [
            _TEXT, {"type": "null"}, _by_name({"type": "integer", "minimum": 0})]})]},
        "may_be_unassigned": {"anyOf": [{"type": ["boolean", "null"]}, {"type": "array", "items": _TEXT}]},
        "scopes": _by_name({"$ref": "#/$defs/scope"}),
        "partitions": _by_name({"anyOf": [_REFERENCE, _by_name({"type": "array", "items": _TEXT})]}),
        "dimensions": _by_name({"$ref": "#/$defs/dimension"}),
        "constraints": {
            "type": "array",
            "items": _one_spec(limits, {"policy": {"$ref": "#/$defs/policy"}, "name": _TEXT}),
        },
        "goals": {"type": "array", "items": {"anyOf": [
            {"$ref": "#/$defs/goal"}, {"type": "array", "items": {"$ref": "#/$defs/goal"}, "minItems": 1}]}},
    }  # fmt: skip
    assert set(properties) == set(TOP_KEYS)
    defs["goal"] = _one_spec(list(classes), {"weight": {"type": "number", "minimum": 0}, "name": _TEXT})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": KIND,
        "description": "An assignment problem: objects to containers under constraints, for goals.",
        **_closed(properties, ["kind", "objects", "containers"]),
        "$defs": defs,
    }


def spec_schema(cls: type[Spec]) -> dict[str, Any]:
    """JSON Schema of the parameters of one spec."""
    texts = parameter_texts(cls)
    properties, required = {}, []
    hints = field_types(cls)
    for field in parameters(cls):
        properties[field.name] = {**_of(hints[field.name]), "description": texts.get(field.name, "")}
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
        elif field.default is not dataclasses.MISSING and field.default is not None:
            properties[field.name]["default"] = field.default
    return {**_closed(properties, required), "description": summary(cls)}


def _of(hint: Any) -> dict[str, Any]:
    options = [_one(option) for option in alternatives(hint)]
    return options[0] if len(options) == 1 else {"anyOf": options}


def _one(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is type(None) or origin is types.NoneType:
        return {"type": "null"}
    if origin in (tuple, Sequence, list):
        if len(arguments) > 1 and arguments[1] is not Ellipsis:
            return {"type": "array", "prefixItems": [_of(a) for a in arguments], "items": False,
                    "minItems": len(arguments)}  # fmt: skip
        return {"type": "array", "items": _of(arguments[0])}
    if origin in (Mapping, dict):
        return _by_name(_of(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Spec):
        return {"$ref": "#/$defs/limit"}
    names = {float: "number", int: "integer", bool: "boolean", str: "string"}
    return {"type": names[origin]}


def _closed(properties: Mapping[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _by_name(inner: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": inner}


def _one_spec(names: Sequence[str], others: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with exactly one spec, and `others` beside it."""
    specs = {kind: {"anyOf": [{"$ref": f"#/$defs/spec.{kind}"}, {"type": "null"}]} for kind in names}
    return {
        **_closed({**specs, **others}, []),
        "oneOf": [{"required": [kind]} for kind in names],
    }


def _numbers() -> dict[str, Any]:
    vector = {"type": "array", "items": {"type": "number"}}
    return {"anyOf": [{"type": "number"}, vector, _REFERENCE,
                      _by_name({"anyOf": [{"type": "number"}, vector]})]}  # fmt: skip


def _scope() -> dict[str, Any]:
    items = _by_name({"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]})
    return {"anyOf": [_REFERENCE, _closed({"over": _TEXT, "items": items}, ["over", "items"]), items]}


def _dimension() -> dict[str, Any]:
    numbers = {"$ref": "#/$defs/numbers"}
    column = dict.fromkeys(("file", "items", "objects", "values"), _TEXT)
    by_item = _closed(
        {
            "scope": _TEXT,
            "values": _by_name(_by_name({"type": "number"})),
            "columns": _closed(column, list(column)),
            "partition": _TEXT,
        },
        ["scope"],
    )
    properties = {"objects": numbers, "containers": numbers, "items": _by_name(numbers), "by_item": by_item,
                  "unit": {"type": "string"}}  # fmt: skip
    return _closed(properties, ["objects"])


def _policy() -> dict[str, Any]:
    weight = {"type": "number", "minimum": 0}
    soft = {"anyOf": [weight, _closed({"weight": weight, "tier": {"type": "integer", "minimum": 0}}, [])]}
    return {"anyOf": [{"enum": ["hard", "repair"]}, _closed({"soft": soft}, ["soft"]),
                      _closed({"repair": soft}, ["repair"])]}  # fmt: skip
