"""What the docstring and the fields of a spec say, for the command line, the schema and the reference."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from collections.abc import Mapping
from typing import Any

from specs.registry import spec_classes
from specs.spec import LimitSpec, Spec, parameters

__all__ = ["formula", "parameter_texts", "reference", "reference_book", "summary", "type_text"]


_WORDS = {
    "float": "number",
    "int": "whole number",
    "str": "name",
    "bool": "true or false",
    "LimitSpec": "limit",
}


def summary(cls: type[Spec]) -> str:
    """The first line of the file: what the spec is for."""
    return (inspect.getdoc(inspect.getmodule(cls)) or "").split("\n\n", maxsplit=1)[0].replace("\n", " ")


def formula(cls: type[Spec]) -> str:
    """The docstring before its parameters: formula, units, what it is as a goal."""
    return (inspect.getdoc(cls) or "").split("\nParameters\n---")[0].strip()


def parameter_texts(cls: type[Spec]) -> dict[str, str]:
    """Parameter → its text in the docstring."""
    parts = re.split(r"\nParameters\n-+\n", inspect.getdoc(cls) or "")
    out: dict[str, str] = {}
    names: list[str] = []
    for line in parts[1].splitlines() if len(parts) > 1 else []:
        if line and not line[0].isspace():
            names = [n.strip() for n in line.split(",")]
        else:
            for name in names:
                out[name] = f"{out.get(name, '')} {line.strip()}".strip()
    return out


def type_text(hint: Any) -> str:
    """A type as people write it in documents."""
    from specs.document.convert import alternatives

    def one(option: Any) -> str:
        origin, arguments = typing.get_origin(option) or option, typing.get_args(option)
        if origin is typing.Literal:
            return ", ".join(map(str, arguments))
        if option is type(None):
            return ""
        if arguments and origin.__name__ in ("Mapping", "dict"):
            return f"name → {type_text(arguments[1])}"
        if arguments:
            return f"list of {type_text(arguments[0])}"
        return _WORDS.get(origin.__name__, str(origin.__name__))

    if float in alternatives(hint) and any(typing.get_origin(o) is Mapping for o in alternatives(hint)):
        return "numbers"
    return " | ".join(dict.fromkeys(text for o in alternatives(hint) if (text := one(o))))


def reference(cls: type[Spec]) -> str:
    """The Markdown section of one spec: formula, parameters, example from the class itself."""
    from specs.document.convert import field_types
    from specs.document.write import problem_document

    use = "constraint or goal" if issubclass(cls, LimitSpec) else "goal"
    lines = [f"### {cls.kind()}", "", f"{summary(cls)} ({use}, `specs.{cls.__name__}`)", "", formula(cls), ""]
    lines += ["| parameter | values | default | meaning |", "|---|---|---|---|"]
    texts, hints = parameter_texts(cls), field_types(cls)
    for field in parameters(cls):
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        default = (
            "required"
            if required
            else ""
            if field.default in (None, dataclasses.MISSING)
            else f"{field.default}"
        )
        kinds = type_text(hints[field.name]).replace("|", "or")
        lines.append(
            f"| `{field.name}` | {kinds} | {default} | {texts.get(field.name, '').replace('|', '∣')} |"
        )
    example = cls.example()
    document = problem_document(example.problem)
    stated = document["constraints"] or document["goals"][0]
    text = _flow({cls.kind(): stated[0][cls.kind()]})
    where = ", ".join(f"{o} on {c}" if c else f"{o} nowhere" for o, c in example.assignment.items())
    lines += ["", f"Example: `{text[1:-1]}` with {where} has the value {example.value:.10g}.", ""]
    return "\n".join(lines)


def _flow(value: Any) -> str:
    """Plain values as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def reference_book() -> str:
    """The whole reference as Markdown: what stands in ``docs/specs.md`` after the introduction."""
    families = {
        "limits": "Limits",
        "shape": "Shape of the load",
        "placement": "Placement",
        "movement": "Movement",
        "affinity": "Affinity",
    }
    classes = spec_classes()
    lines = ["<!-- fulcrum specs --markdown -->", ""]
    for family, title in families.items():
        lines += [f"## {title}", ""]
        lines += [reference(cls) for cls in classes.values() if cls.__module__.split(".")[1] == family]
    return "\n".join(lines).rstrip() + "\n"
