"""Plans as JSON text: canonical on the way out, checked on the way in.

Canonical means: keys sorted, two spaces of indentation, floats rounded to `SIGNIFICANT_DIGITS` significant
digits, one newline at the end. Rounding makes equal plans equal bytes whatever the last bits of a sum are.
"""

from __future__ import annotations

import json
from typing import Any

from models.document import InvalidDocument, read_document
from models.document.adapter import adapter_of
from models.document.validate import located
from models.errors import InvalidInput
from planner.plan.canonical import SIGNIFICANT_DIGITS, canonical_json
from planner.plan.model import Plan

__all__ = ["SIGNIFICANT_DIGITS", "plan_from_json", "plan_schema", "plan_to_json"]


def plan_to_json(plan: Plan) -> str:
    """Return the canonical JSON text of `plan`."""
    return canonical_json(plan) + "\n"


def plan_from_json(text: str, *, source: str | None = None) -> Plan:
    """Read a plan.

    Raises
    ------
    InvalidInput
        With the place, for text that is not a plan of this version.
    """
    from pydantic import ValidationError

    try:
        return adapter_of(Plan).validate_json(text)
    except ValidationError as error:
        _check_syntax(text, source)
        document = read_document(text, source=source)
        raise InvalidDocument(located(document, Plan, found) for found in error.errors()) from None


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the plan document."""
    schema = adapter_of(Plan).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _check_syntax(text: str, source: str | None) -> None:
    """Refuse text that is not JSON, with the line."""
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        problem = getattr(error, "msg", str(error))
        raise InvalidInput(f"not a plan: not valid JSON: {problem}", source=source, line=line) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")
