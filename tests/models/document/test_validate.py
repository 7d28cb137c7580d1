"""`models.document.validate`: every violation located, worded and listed at once."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from models.document import InvalidDocument, read_document, validate
from models.errors import UnknownName


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    count: int = Field(ge=1)
    kind: Literal["red", "green"] = "red"
    share: float | None = None


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    inner: list[Inner] = Field(min_length=1)


def violations(text: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        validate(read_document(text, source="f.yaml"), Outer)
    assert all(v.line is not None for v in caught.value.violations)
    return [str(v) for v in caught.value.violations]


def test_valid() -> None:
    assert validate(read_document("name: x\ninner: [{count: 2}]"), Outer).inner[0].count == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\ninner:\n  - cuont: 2", "f.yaml:3: inner[0]: unknown key 'cuont'; did you mean 'count'?"),
        ("name: x\ninner:\n  - count: 0", "f.yaml:3: inner[0].count: must be at least 1, got 0"),
        ("name: x\ninner:\n  - count: -3", "f.yaml:3: inner[0].count: must be at least 1, got -3"),
        ("name: x\ninner:\n  - count: four", "f.yaml:3: inner[0].count: expected a whole number, got 'four'"),
        ("name: x\ninner:\n  - count: 1.5", "f.yaml:3: inner[0].count: expected a whole number, got 1.5"),
        ("name: x\ninner:\n  - count: true", "f.yaml:3: inner[0].count: expected a whole number, got True"),
        ("name: x\ninner:\n  - count: ~", "f.yaml:3: inner[0].count: expected a whole number, got nothing"),
        (
            "name: x\ninner:\n- {count: 1,\n share: .nan}",
            "f.yaml:4: inner[0].share: must be a finite number, got nan",
        ),
        (
            "name: x\ninner: [{count: 1, kind: gren}]",
            "f.yaml:2: inner[0].kind: unknown value 'gren'; did you mean 'green'?",
        ),
        ("name: 3\ninner: [{count: 1}]", "f.yaml:1: name: expected text, got 3"),
        ("name: x\ninner: []", "f.yaml:2: inner: must not be empty"),
        ("name: x\ninner: 5", "f.yaml:2: inner: expected a list, got 5"),
        ("name: x\ninner: [7]", "f.yaml:2: inner[0]: expected a mapping, got 7"),
        ("name: x", "f.yaml:1: missing key 'inner'"),
        ("[1]", "f.yaml:1: expected a mapping, got a list of 1"),
    ],
)  # fmt: skip
def test_messages(text: str, message: str) -> None:
    assert message in violations(text)


def test_all_violations_at_once_in_line_order() -> None:
    found = violations("nam: x\ninner:\n  - {count: 0}\n  - {kind: blue}\n")
    assert [text.split(": ")[0] for text in found] == [
        "f.yaml:1",
        "f.yaml:1",
        "f.yaml:3",
        "f.yaml:4",
        "f.yaml:4",
    ]


def test_unknown_key_is_an_unknown_name() -> None:
    with pytest.raises(InvalidDocument) as caught:
        validate(read_document("name: x\ninner: [{count: 1, shaer: 1}]"), Outer)
    (violation,) = caught.value.violations
    assert isinstance(violation, UnknownName)
    assert violation.suggestion == "share"
