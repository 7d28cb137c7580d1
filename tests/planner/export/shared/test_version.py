"""Version numbers as people write them, and ranges."""

import pytest

from models.errors import InvalidInput, Unsupported
from planner.export.shared.version import Versions, parse_version

RANGE = Versions(engine="X", first="0.9.2", last="0.13", default="0.12.0")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.13", (0, 13)), ("v0.13.2", (0, 13, 2)), ("1.2.0rc3", (1, 2)), ("0", (0,)),
        ("0.5.6.post2", (0, 5, 6)),
        ("1.0+cu1", (1,)),
    ],
)  # fmt: skip
def test_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


@pytest.mark.parametrize("text", ["", "latest", "1.x", "1..2"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no version"):
        parse_version(text)


@pytest.mark.parametrize("text", ["0.9.2", "0.9.2.0", "0.10", "0.13", "v0.13.9", "0.13.1rc1"])
def test_inside(text: str) -> None:
    assert RANGE.choose(text) == text.removeprefix("v")


@pytest.mark.parametrize("text", ["0.9.1", "0.9", "0.14", "1.0", "0.14.0rc1"])
def test_outside(text: str) -> None:
    with pytest.raises(Unsupported, match=r"X .* are not known here, those of 0\.9\.2 to 0\.13 are"):
        RANGE.choose(text)


def test_the_default_is_inside_its_own_range() -> None:
    assert RANGE.choose("") == "0.12.0"
    assert RANGE.choose(RANGE.default) == RANGE.default
