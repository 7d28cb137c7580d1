"""Which versions of an engine a command line is known to fit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.errors import InvalidInput, Unsupported

__all__ = ["Versions", "parse_version"]

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """``0.13``, ``v0.13.2`` or ``1.2.0rc3`` as numbers without zeros at the end; what follows is left out.

    Raises
    ------
    InvalidInput
        Something else.
    """
    found = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:[.-]?(?:rc|post|dev|a|b)\d*)*(?:\+.*)?", text.strip())
    if found is None:
        raise InvalidInput(f"{text!r} is no version; write it as 0.13.0")
    numbers = [int(part) for part in found[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """A range of versions whose flags were read in the engine's documentation.

    Parameters
    ----------
    engine
        As people write it: ``vLLM``.
    first, last
        Oldest and newest, both inside; a patch release of the newest counts as the newest.
    default
        The one taken when nobody says.
    """

    engine: str
    first: str
    last: str
    default: str

    def choose(self, asked: str) -> str:
        """The version asked for, or the default; raises `Unsupported` outside the range."""
        if not asked:
            return self.default
        version, last = parse_version(asked), parse_version(self.last)
        if not parse_version(self.first) <= version or version[: len(last)] > last:
            raise Unsupported(
                f"flags of {self.engine} {asked} are not known here, those of {self.first} to {self.last} "
                f"are; leave the version out for {self.default}"
            )
        return asked.removeprefix("v")

    def require(self, version: str, first: str, what: str) -> None:
        """Raise `Unsupported` when `version` is older than the `first` that can do `what`."""
        if parse_version(version) < parse_version(first):
            raise Unsupported(f"{what} needs {self.engine} {first} or newer, not {version}")
