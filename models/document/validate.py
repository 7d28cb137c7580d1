"""A `Document` checked against a pydantic model: every mistake located and worded for its author."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from models.document.reader import Document, Path
from models.document.violations import InvalidDocument
from models.errors import InvalidInput, UnknownName, nearest

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

__all__ = ["located", "validate"]

ModelT = TypeVar("ModelT", bound="BaseModel")

_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}
_COMPARISON = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}


def validate(document: Document, model: type[ModelT]) -> ModelT:
    """Return `document` as an instance of `model`.

    Raises
    ------
    InvalidDocument
        Listing every violation, each with its path, line and, for names, the nearest valid one.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise InvalidDocument(located(document, model, found) for found in error.errors()) from None


def located(document: Document, model: type, found: ErrorDetails) -> InvalidInput:
    """Return one pydantic error of `model` (a pydantic model or a dataclass) worded, with path and line."""
    path: Path = tuple(found["loc"])
    kind, value, context = found["type"], found["input"], found.get("ctx", {})
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return UnknownName(
            "key", str(path[-1])[:60], _keys(model, path[:-1]), path=path[:-1], source=document.source,
            line=document.line_of(path),
        )  # fmt: skip
    if kind == "missing":
        message = f"missing key {path[-1]!r}"
        if isinstance(value, dict) and (typo := nearest(str(path[-1]), value)):
            message += f" (is {typo!r} a misspelling of it?)"
        return document.error(message, path[:-1])
    if kind == "literal_error":
        valid = re.findall(r"'([^']*)'", str(context["expected"]))
        return UnknownName(
            "value", str(value)[:60], valid, path=path, source=document.source, line=document.line_of(path)
        )
    return document.error(_wording(kind, value, context, found["msg"]), path)


def _wording(kind: str, value: Any, context: dict[str, Any], fallback: str) -> str:
    """Say what was expected and what was there."""
    if kind in _COMPARISON:
        word, key = _COMPARISON[kind]
        return f"must be {word} {context[key]}, got {_shown(value)}"
    if kind == "finite_number":
        return f"must be a finite number, got {_shown(value)}"
    if kind == "string_too_long":
        return f"{len(value)} characters; at most {context['max_length']} make sense here"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "int_from_float":
        return f"expected a whole number, got {_shown(value)}"
    what = _EXPECTED.get(kind.removesuffix("_type").removesuffix("_parsing"))
    if what is not None and kind.endswith(("_type", "_parsing")):
        return f"expected {what}, got {_shown(value)}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} does not match {context['pattern']}"
    return fallback


def _shown(value: Any) -> str:
    """Shorten a value for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= 60 else text[:57] + "…"
    return repr(text) if isinstance(value, str) else text


def _keys(model: type, path: Path) -> list[str]:
    """Return the keys that `model` accepts in the mapping at `path`."""
    here: Any = model
    for part in path:
        if isinstance(part, int):
            here = _member(typing.get_args(here)[0]) if typing.get_args(here) else None
        else:
            here = _member(_fields(here).get(part))
    return list(_fields(here))


def _fields(model: Any) -> dict[str, Any]:
    """Return the type of each field of a pydantic model or dataclass; nothing for other types."""
    if hasattr(model, "model_fields"):
        return {name: field.annotation for name, field in model.model_fields.items()}
    if dataclasses.is_dataclass(model) and isinstance(model, type):
        hints = typing.get_type_hints(model)
        return {field.name: hints[field.name] for field in dataclasses.fields(model)}
    return {}


def _member(annotation: Any) -> Any:
    """Strip Optional and Annotated from an annotation."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _member(rest[0]) if len(rest) == 1 else None
    if typing.get_origin(annotation) is typing.Annotated:
        return _member(typing.get_args(annotation)[0])
    return annotation
