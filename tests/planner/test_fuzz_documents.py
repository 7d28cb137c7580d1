"""Documents with something wrong: each gets one clear error, or is read; never a traceback, never a hang."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from models.document import InvalidDocument
from models.errors import FulcrumError
from planner.fleet import Fleet, read_fleet
from planner.testing import SMALL_FLEET

TEXT = SMALL_FLEET
ODD = [
    None, True, -1, 0, 1.5, 1e300, float("nan"), float("inf"), "", " ", "x", "1s", "-1s", "8/s", "NaN",
    "../..", "/", "{", "0x10", "é", [], [None], [[]], {}, {"a": 1}, {"": ""}, "a" * 10_000, 10**30,
]  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path of a document."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(item, (*path, key))
    return found


def changed(path: tuple[str | int, ...], change: str, odd: object) -> str:
    """The example with the value at `path` replaced, removed, renamed or doubled."""
    values = yaml.safe_load(TEXT)
    parent = values
    for key in path[:-1]:
        parent = parent[key]
    last = path[-1]
    if change == "replace":
        parent[last] = odd
    elif change == "remove":
        del parent[last]
    elif change == "rename" and isinstance(parent, dict):
        parent[f"{last}x"] = parent.pop(last)
    elif isinstance(parent, list):
        parent.append(parent[last])  # type: ignore[call-overload]
    return yaml.safe_dump(values, allow_unicode=True)


def read_or_refuse(text: str) -> Fleet | None:
    try:
        return read_fleet(text, source="f.yaml", base_dir=Path(__file__).parent)
    except FulcrumError as error:
        found = error.violations if isinstance(error, InvalidDocument) else (error,)
        for violation in found:
            assert violation.message
            assert violation.source == "f.yaml"
            assert len(str(violation)) < 1200
        return None


def test_every_place_with_odd_values() -> None:
    refused = read = 0
    choice = random.Random(0)
    for path in places(yaml.safe_load(TEXT)):
        for odd in choice.sample(ODD, 8):
            fleet = read_or_refuse(changed(path, "replace", odd))
            refused, read = refused + (fleet is None), read + (fleet is not None)
    assert refused > 300
    assert read < 0.15 * refused  # "x" is a name as good as any other; most else is not


@pytest.mark.parametrize("change", ["remove", "rename", "double"])
def test_every_place_removed_renamed_or_doubled(change: str) -> None:
    for path in places(yaml.safe_load(TEXT)):
        fleet = read_or_refuse(changed(path, change, None))
        if change == "rename" and isinstance(path[-1], str):
            assert fleet is None, f"a misspelt {path} was ignored"


def test_random_damage_to_the_text() -> None:
    random_source = random.Random(1)
    for _ in range(400):
        text = list(TEXT)
        for _ in range(random_source.randint(1, 4)):
            position = random_source.randrange(len(text))
            action = random_source.choice(["drop", "swap", "insert"])
            if action == "drop":
                del text[position : position + random_source.randint(1, 20)]
            elif action == "swap":
                other = random_source.randrange(len(text))
                text[position], text[other] = text[other], text[position]
            else:
                text.insert(position, random_source.choice("{}[]:,#&*!|>%@`\t\n\"'-\x00\u2028é"))
        read_or_refuse("".join(text))
