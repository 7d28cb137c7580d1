"""`models.document.json_text`: JSON read as JSON is what it is read as YAML, line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.document import read_document
from models.document.json_text import NotJson, plain_json
from models.errors import InvalidInput

# YAML folds the line breaks of Unicode within quotes, and reads half characters as they are written
texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029", max_codepoint=0xFFFF), max_size=6
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@given(
    value=st.dictionaries(texts, values, max_size=3),
    indent=st.sampled_from([None, 1, 2]),
    ascii_only=st.booleans(),
)
def test_both_readings_agree(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        plain_json(text, most_values=10**6, most_depth=64)
    except NotJson:
        return
    by_yaml = read_document(f" {text}" if indent is None else f"\n{text}")
    by_json = read_document(text)
    assert _shown(by_json.value) == _shown(by_yaml.value)
    shift = 0 if indent is None else 1
    assert {path: line + shift for path, line in by_json.lines.items()} == dict(by_yaml.lines)


def _shown(value: Any) -> str:
    """With the types: 1 and 1.0 are not the same."""
    return repr(value)


def test_lines_are_those_of_the_text() -> None:
    document = read_document('{"a": 1,\n\t"b": [\n\t\t{"c": 2}\n]}', source="f.json")
    assert document.value == {"a": 1, "b": [{"c": 2}]}
    assert document.line_of(("b", 0, "c", "x")) == 3
    assert "f.json:3" in str(document.error("wrong", ("b", 0, "c")))


def test_a_pair_of_halves_is_one_character() -> None:
    assert read_document(json.dumps({"name": "\N{ROCKET}"})).value == {"name": "\N{ROCKET}"}


def test_a_key_that_yaml_cannot_have_is_read_without_lines() -> None:
    document = read_document(json.dumps({"k" * 2000: 1}))
    assert document.value == {"k" * 2000: 1}
    assert document.line_of(("k" * 2000,)) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n"a": 2}', "duplicate key; first given on line 1"),
        ('{"a": 1', "not valid YAML"),
        ('{"a": "\x9b31m"}', "special characters are not allowed"),
        ('{"a": ' + "[" * 70 + "]" * 70 + "}", "nested deeper than 64 levels"),
        ('{"a": [' + "1," * 250_000 + "1]}", "more than 250,000 values"),
    ],
)
def test_what_is_refused_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_document(text)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', "[1]", "a: 1", "{a: 1}", "", '{"a": 1} x'])
def test_other_texts_are_not_json(text: str) -> None:
    with pytest.raises(NotJson):
        plain_json(text, most_values=100, most_depth=64)


def test_long_integers_are_floats() -> None:
    value = read_document('{"a": 1234567890123456789, "b": 12345678901234567890}').value
    assert [type(each) for each in value.values()] == [int, float]
