"""`models.document.reader`: values, lines, and everything it refuses."""

from __future__ import annotations

import math

import pytest

from models.document import read_document
from models.errors import InvalidInput


def test_values_and_lines() -> None:
    document = read_document("a: 1\nb:\n  - x: 2.5\n  - [yes, 'no', true, ~]\n", source="f.yaml")
    assert document.value == {"a": 1, "b": [{"x": 2.5}, ["yes", "no", True, None]]}
    assert document.line_of(("a",)) == 1
    assert document.line_of(("b", 0, "x")) == 3
    assert document.line_of(("b", 1, 2)) == 4
    assert document.line_of(("b", 0, "missing")) == 3  # the deepest part that exists


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("1.", 1.0),
        (".5e3", 500.0),
        ("1e3", 1000.0),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ('"3"', "3"),
        ("!!str 3", "3"),
        ("null", None),
    ],
)
def test_scalars_are_yaml_1_2(text: str, value: object) -> None:
    got = read_document(f"k: {text}").value["k"]
    assert got == value
    assert type(got) is type(value)


def test_nan_is_a_float() -> None:
    assert math.isnan(read_document("k: .nan").value["k"])


def test_json_is_read() -> None:
    assert read_document('{"a": [1, {"b": "c"}]}').value == {"a": [1, {"b": "c"}]}


def test_aliases_are_expanded() -> None:
    assert read_document("a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "duplicate key; first given on line 1"),
        ("a: {b: 1,\n  b: 2}\n", 2, "duplicate key"),
        ("a: [1, 2\nb: 3\n", 2, "not valid YAML"),
        ("a:\n\t- 1\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: &x [*x]\n", 1, "may not contain itself"),
        ("? [1, 2]\n: 3\n", 1, "keys must be plain text"),
        ("x: 1\na: !!python/object:os.system {}\n", 2, "is not supported"),
        ("x: 1\na: !mine 3\n", 2, "is not supported"),
        ("b: &b {c: 1}\na:\n  <<: *b\n", 3, "merge keys"),
        ("a: *nope\n", 1, "undefined alias"),
        ("", None, "empty"),
        ("# only a comment\n", None, "empty"),
        ("a: \x00", None, "not valid YAML"),
        ("[" * 5000, None, "cannot be read"),
        ("[" * 100 + "]" * 100, 1, "nested deeper"),
    ],
)
def test_refused_with_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_document(text, source="f.yaml")
    assert words in str(caught.value)
    assert caught.value.line == line
    assert caught.value.source == "f.yaml"


def test_alias_bomb_is_bounded() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 9):
        bomb += f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n"
    with pytest.raises(InvalidInput, match="aliases"):
        read_document(bomb)


def test_long_text_is_refused() -> None:
    with pytest.raises(InvalidInput, match="characters"):
        read_document("#" * (2**24 + 1))
