"""Plans to export, and a validator for the schemas in this folder."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.plan import Instance, Plan, Stage
from planner.testing import make_instance

SCHEMAS = Path(__file__).parent / "schemas"


def plan_with(*instances: Instance) -> Plan:
    return Plan(
        fulcrum_version="1", fleet="demo", fleet_digest="0123456789abcdef", seed=0, state="optimal",
        cost_per_hour=1.0, instances=instances, workloads=(), pools=(), objectives=(), moves=(), basis=(),
    )  # fmt: skip


def one_node(engine: str = "vllm") -> Plan:
    """Two workloads, three instances on one node each."""
    chat = {"workload": "chat", "model": "chat", "repository": "org/chat-70b", "engine": engine}
    code = {"workload": "code", "model": "code", "repository": "org/code-8b", "engine": engine}
    fp8 = {"weights": "fp8", "kv_cache": "fp8", "checkpoint": "fp8"}
    return plan_with(
        make_instance("chat-0", (Stage("a/r0/n0", (0, 1, 2, 3)),), **chat),
        make_instance("chat-1", (Stage("a/r0/n1", (0, 1, 2, 3)),), **chat),
        make_instance("code-0", (Stage("a/r0/n0", (4,)),), **code, **fp8),
    )


def split(engine: str = "vllm") -> Plan:
    """Two prefill instances hand over to one decode instance."""
    chat = {"workload": "chat", "model": "chat", "repository": "org/chat-70b", "engine": engine}
    return plan_with(
        make_instance("p-0", (Stage("a/r0/n0", (0, 1)),), role="prefill", **chat),
        make_instance("p-1", (Stage("a/r0/n0", (2, 3)),), role="prefill", **chat),
        make_instance("d-0", (Stage("a/r0/n0", (4, 5, 6, 7)),), role="decode", **chat),
    )


def two_nodes(engine: str = "vllm") -> Plan:
    """One instance of four stages over two nodes."""
    stages = tuple(Stage(f"a/r0/n{n}", gpus) for n in (0, 1) for gpus in ((0, 1), (2, 3)))
    chat = {"workload": "chat", "model": "chat", "repository": "org/chat-400b", "engine": engine}
    return plan_with(make_instance("chat-0", stages, **chat))


PLANS: dict[str, Callable[[str], Plan]] = {"one-node": one_node, "split": split, "two-nodes": two_nodes}


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """(name, engine) → one of the plans above."""
    return lambda name, engine="vllm": PLANS[name](engine)


@cache
def _schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / name).read_text())
    return found


def _problems(value: Any, schema: dict[str, Any], file: str, where: str) -> list[str]:
    """What breaks a schema, of the keywords that the schemas here use; an unknown one is an error."""
    if "$ref" in schema:
        other, _, pointer = schema["$ref"].partition("#/")
        file = other or file
        target: Any = _schema(file)
        for key in pointer.split("/"):
            target = target[key]
        return _problems(value, target, file, where)
    unknown = set(schema) - {
        "type", "properties", "required", "additionalProperties", "items", "enum", "oneOf", "anyOf",
        "pattern", "minimum", "$comment", "$defs",
    }  # fmt: skip
    assert not unknown, f"the validator does not know {unknown}"
    found = []
    names = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "null": type(None),
    }
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        fits = any(
            isinstance(value, bool) if t == "boolean" else isinstance(value, names[t]) and value is not True
            for t in wanted
        )
        if not fits:
            return [f"{where}: {value!r} is no {wanted}"]
    for key in ("oneOf", "anyOf"):
        if key in schema and not any(not _problems(value, s, file, where) for s in schema[key]):
            found.append(f"{where}: {value!r} fits none of {key}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if "minimum" in schema and value < schema["minimum"]:
        found.append(f"{where}: {value} is below {schema['minimum']}")
    if isinstance(value, dict):
        known, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        found += [f"{where}: {name} is missing" for name in schema.get("required", ()) if name not in value]
        for name, item in value.items():
            if name in known:
                found += _problems(item, known[name], file, f"{where}.{name}")
            elif more is False:
                found.append(f"{where}: no field {name}")
            elif isinstance(more, dict):
                found += _problems(item, more, file, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += _problems(item, schema["items"], file, f"{where}[{number}]")
    return found


@pytest.fixture
def problems() -> Callable[[Any, str], list[str]]:
    """(value, file or file#/pointer) → what breaks the schema."""
    return lambda value, ref: _problems(value, _root(ref), ref.partition("#")[0], "$")


def _root(ref: str) -> dict[str, Any]:
    return {"$ref": ref} if "#" in ref else _schema(ref)
