"""Values of a document to the types that parameters declare, every mistake located."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specs.document.locate import Mistakes, Path, shown
from specs.registry import kinds, spec_class
from specs.spec import LimitSpec, Spec
from specs.values import LARGEST

__all__ = ["INVALID", "alternatives", "convert", "convert_fields", "convert_spec", "field_types"]

INVALID = object()
"""What conversion gives for a value whose mistake has been noted."""


def field_types(cls: type) -> dict[str, Any]:
    """Type of each field of a dataclass, references resolved."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}


def alternatives(hint: Any) -> list[Any]:
    """The types a union is made of, without arrays (which documents give as files)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [a for part in typing.get_args(hint) for a in alternatives(part)]
    origin = typing.get_origin(hint) or hint
    return [] if isinstance(origin, type) and issubclass(origin, np.ndarray) else [hint]


def convert(value: Any, hint: Any, path: Path, mistakes: Mistakes) -> Any:
    """`value` as one of the types of `hint`; `INVALID` when it is not, with the mistake noted."""
    options = alternatives(hint)
    fitting = [option for option in options if _fits(value, option)]
    if not fitting:
        words = list(dict.fromkeys(_words(option) for option in options if option is not type(None)))
        mistakes.add(f"expected {' or '.join(words)}, got {shown(value)}", path)
        return INVALID
    texts = [a for o in fitting if typing.get_origin(o) is typing.Literal for a in typing.get_args(o)]
    if texts:
        if value in texts:
            return value
        mistakes.add_unknown("value", value, texts, path)
        return INVALID
    return _convert_one(value, fitting[0], path, mistakes)


def _convert_one(value: Any, hint: Any, path: Path, mistakes: Mistakes) -> Any:
    origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
    if value is None or isinstance(value, bool):
        return value
    if origin is float:
        if not abs(value) <= LARGEST:
            mistakes.add(f"expected a finite number of at most {LARGEST:g}, got {shown(value)}", path)
            return INVALID
        return float(value)
    if origin in (int, str):
        return value
    if isinstance(origin, type) and issubclass(origin, Spec):
        return convert_spec(value, path, mistakes, limits_only=issubclass(origin, LimitSpec))
    if isinstance(value, list):
        inner = [arguments[0]] * len(value) if len(arguments) < 2 or arguments[1] is Ellipsis else arguments
        if len(inner) != len(value):
            mistakes.add(f"expected a list of {len(inner)}, got {len(value)}", path)
            return INVALID
        made = [
            convert(v, h, (*path, i), mistakes) for i, (v, h) in enumerate(zip(value, inner, strict=True))
        ]
        return INVALID if any(m is INVALID for m in made) else tuple(made)
    assert isinstance(value, dict)
    converted = {k: convert(v, arguments[1], (*path, k), mistakes) for k, v in value.items()}
    return INVALID if any(m is INVALID for m in converted.values()) else converted


def convert_fields(value: Any, cls: type, path: Path, mistakes: Mistakes) -> dict[str, Any] | None:
    """Parameters of dataclass `cls` from a mapping; None when something is wrong, with the mistakes noted."""
    value = {} if value is None else value
    if not isinstance(value, dict):
        mistakes.add(f"expected a mapping of parameters, got {shown(value)}", path)
        return None
    before = len(mistakes.found)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = field_types(cls)
    out: dict[str, Any] = {}
    for key, inner in value.items():
        if key not in fields:
            mistakes.add_unknown("key", key, fields, (*path, key))
        else:
            out[key] = convert(inner, hints[key], (*path, key), mistakes)
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in value:
            mistakes.add(f"missing key {name!r}", path)
    return out if len(mistakes.found) == before else None


def convert_spec(value: Any, path: Path, mistakes: Mistakes, *, limits_only: bool) -> Any:
    """A spec from ``{kind: {parameters}}``; `INVALID` when something is wrong."""
    if not isinstance(value, dict) or len(value) != 1:
        mistakes.add(f"expected one spec, as in capacity: {{...}}, got {shown(value)}", path)
        return INVALID
    kind, parameters = next(iter(value.items()))
    if kind not in kinds():
        mistakes.add_unknown("spec", kind, kinds(), (*path, kind))
        return INVALID
    cls = spec_class(kind)
    if limits_only and not issubclass(cls, LimitSpec):
        mistakes.add(f"{kind} states a goal, not a limit; list it under goals", (*path, kind))
        return INVALID
    made = convert_fields(parameters, cls, (*path, kind), mistakes)
    if made is None:
        return INVALID
    with mistakes.at((*path, kind)):
        return cls(**made)
    return INVALID


def _fits(value: Any, hint: Any) -> bool:
    """Whether the form of `value` (number, text, list …) is that of `hint`."""
    origin = typing.get_origin(hint) or hint
    if value is None:
        return origin is type(None)
    if isinstance(value, bool):
        return origin is bool
    if isinstance(value, str):
        return origin is str or origin is typing.Literal
    if isinstance(value, (int, float)):
        return origin is float or (origin is int and isinstance(value, int))
    if isinstance(value, list):
        return origin in (tuple, Sequence, list)
    return origin in (Mapping, dict) or (isinstance(origin, type) and issubclass(origin, Spec))


def _words(hint: Any) -> str:
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    words = {float: "a number", int: "a whole number", bool: "true or false", str: "text",
             Mapping: "a mapping", dict: "a mapping", tuple: "a list", Sequence: "a list",
             list: "a list"}  # fmt: skip
    return words.get(origin, "one spec, as in capacity: {...}")
