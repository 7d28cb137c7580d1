"""`planner.plan.canonical`: against `json` and `dataclasses.asdict`."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.plan import Stage
from planner.plan.canonical import canonical_json
from planner.testing import make_instance


def _rounded(value: Any) -> Any:
    """Every float with six significant digits, by its decimal text."""
    if isinstance(value, float):
        return float(f"{value:.5e}") + 0.0
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def _by_json(value: Any) -> str:
    plain = dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
    return json.dumps(_rounded(plain), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)


# a float whose seventh digit is a 5 is as near to both of its neighbours: which of them is no matter here
numbers = st.builds(
    lambda digits, power: float(f"{digits}e{power}"), st.integers(-99999, 99999), st.integers(-20, 20)
)
scalars = st.none() | st.booleans() | st.integers() | numbers | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner)
)


@given(value=values)
def test_any_document_is_written_as_json_writes_it(value: Any) -> None:
    assert canonical_json(value) == _by_json(value)


@dataclass(frozen=True, slots=True)
class _Pair:
    second: Any
    first: Any


@given(first=values, second=values)
def test_a_dataclass_is_written_with_its_fields_in_order(first: Any, second: Any) -> None:
    assert canonical_json(_Pair(second, (first, {"x": first}))) == _by_json(
        _Pair(second, (first, {"x": first}))
    )


def test_an_instance_is_written_as_json_writes_it() -> None:
    instance = make_instance("i-é", (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n1", ())))
    assert canonical_json([instance, instance]) == _by_json([dataclasses.asdict(instance)] * 2)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_number_for_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not a number of JSON"):
        canonical_json({"x": [number]})


def test_another_value_is_refused() -> None:
    with pytest.raises(TypeError, match="a set is no value"):
        canonical_json([{1}])
