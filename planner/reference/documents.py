"""The fields of a document as Markdown tables, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["document_book", "document_schemas", "schema_tables"]


def document_schemas() -> dict[str, Callable[[], dict[str, Any]]]:
    """Kind of document → what makes its JSON Schema."""
    from planner.fleet import fleet_schema
    from planner.plan.codec import plan_schema
    from specs.document import assignment_schema

    return {"fleet": fleet_schema, "plan": plan_schema, "assignment": assignment_schema}


def document_book(kind: str) -> str:
    """Markdown: every field of one kind of document, a section a level.

    Raises
    ------
    UnknownName
        For a kind that is not in `document_schemas`.
    """
    from models.errors import UnknownName

    schemas = document_schemas()
    if kind not in schemas:
        raise UnknownName("document", kind, schemas)
    lead = f"# The fields of {'an' if kind[0] in 'aeiou' else 'a'} {kind} document\n\n"
    lead += f"Made from its JSON Schema, which `fulcrum schema {kind}` prints.\n\n"
    return lead + schema_tables(schemas[kind]())


def schema_tables(schema: Mapping[str, Any]) -> str:
    """One table for the document and one for each definition it refers to, in the order they are met."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    seen: dict[str, None] = {}
    parts = [_table("The document", schema)]
    queue = list(_references(schema.get("properties", {})))
    while queue:
        name = queue.pop(0)
        if name in seen or name not in definitions:
            continue
        seen[name] = None
        parts.append(_table(name, definitions[name]))
        queue += _references(definitions[name])
    return "\n".join(parts)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "$ref":
                yield str(value).rsplit("/", 1)[-1]
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _table(title: str, node: Mapping[str, Any]) -> str:
    lines = [f"## {title}", ""]
    if node.get("description"):
        lines += [" ".join(str(node["description"]).split()), ""]
    properties: Mapping[str, Any] = node.get("properties", {})
    if not properties:
        lines += [f"Values: {_type(node)}", ""]
        return "\n".join(lines)
    required = set(node.get("required", ()))
    lines += ["| field | values | default | meaning |", "|---|---|---|---|"]
    for name, field in properties.items():
        default = "required" if name in required else _default(field)
        meaning = " ".join(str(field.get("description", "")).split())
        lines.append(f"| `{name}` | {_cell(_type(field))} | {_cell(default)} | {_cell(meaning)} |")
    return "\n".join([*lines, ""])


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    return "" if value in (None, [], "") or isinstance(value, Mapping) else f"`{value}`"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = str(field["$ref"]).rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf"):
        if key in field:
            options = [_type(option) for option in field[key] if option.get("type") != "null"]
            return " or ".join(dict.fromkeys(options))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"] if value is not None)
    kind = field.get("type")
    if isinstance(kind, list):
        return " or ".join(_WORDS.get(str(one), str(one)) for one in kind if one != "null")
    if kind == "array":
        items = field.get("items") or (field.get("prefixItems") or [None])[0]
        return f"list of {_type(items)}" if isinstance(items, Mapping) else "list"
    if kind == "object":
        inner = field.get("additionalProperties")
        return f"name → {_type(inner)}" if isinstance(inner, Mapping) else "mapping"
    return _range(_WORDS.get(str(kind), str(kind or "anything")), field)


_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "array": "list",
}
_LIMITS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _range(word: str, field: Mapping[str, Any]) -> str:
    limits = [f"{sign} {field[key]}" for key, sign in _LIMITS.items() if key in field]
    return f"{word} {', '.join(limits)}" if limits else word


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("<", "&lt;")
