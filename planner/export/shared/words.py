"""Words of a command that hold the address of a node, which only the place where it runs knows.

An address is a mark inside a word; whoever writes the command down replaces it by what stands for the address
there: a shell variable, a field of a pod, a placeholder for an agent.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from models.errors import InvalidInput

__all__ = ["address", "addresses", "plain", "with_addresses"]

_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use characters: no name in a plan may hold them
_ADDRESS = re.compile(f"{_OPEN}(.*?){_CLOSE}", re.DOTALL)


def address(node: str) -> str:
    """The mark for the address of a node; it may be part of a longer word."""
    return f"{_OPEN}{plain(node)}{_CLOSE}"


def addresses(word: str) -> list[str]:
    """Nodes whose addresses a word holds."""
    return _ADDRESS.findall(word)


def plain(text: str) -> str:
    """Text from a plan as it is; raises `InvalidInput` where it holds the marks' own characters."""
    if _OPEN in text or _CLOSE in text:
        raise InvalidInput(f"{text!r} holds private-use characters (U+E000, U+E001), which no name may")
    return text


def with_addresses(word: str, address_of: Callable[[str], str], escape: Callable[[str], str]) -> str:
    """A word with every address replaced, and the text between them escaped."""
    parts = _ADDRESS.split(word)
    return "".join(
        address_of(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
        if part or number % 2
    )
