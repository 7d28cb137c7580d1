"""The wrong kind of file for a command: a fleet document where a plan is needed, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import FulcrumError, InvalidInput

__all__ = ["FLEET", "PLAN", "PROBLEM", "expecting", "is_fleet_text"]

FLEET, PLAN, PROBLEM = "a fleet document", "a plan", "an assignment problem"

_MARKS = {
    PLAN: (re.compile(r'"schema":\s*"fulcrum\.plan/'), "fulcrum report, export or diff"),
    PROBLEM: (re.compile(r'^\s*"?kind"?:\s*"?AssignmentProblem', re.MULTILINE), "fulcrum solve"),
    FLEET: (re.compile(r'^\s{0,2}"?fleet"?:', re.MULTILINE), "fulcrum plan"),
}
"""What the text of each kind holds, and who reads it; a plan names its fleet too, so it comes first."""
_MADE_BY = {PLAN: "`fulcrum plan FLEET.yaml --out plan.json` writes one"}
_LOOKED_AT = 2**20


def is_fleet_text(text: str) -> bool:
    """Whether a text looks like a fleet document, mistakes and all."""
    return next((kind for kind, (mark, _) in _MARKS.items() if mark.search(text)), None) == FLEET


@contextmanager
def expecting(path: Path, kind: str) -> Iterator[None]:
    """Read a file of a kind: where that fails on a file of another kind, say which command it is for.

    Raises
    ------
    InvalidInput
        Instead of the error inside, when the file is of another kind; else that error itself.
    """
    try:
        yield
    except FulcrumError as error:
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_LOOKED_AT)
        except (OSError, UnicodeDecodeError):
            raise error from None
        found = next((name for name, (mark, _) in _MARKS.items() if mark.search(text)), None)
        if found == kind or (found is None and kind not in _MADE_BY):
            raise
        message = f"this is not {kind}"
        if found is not None:
            message = f"this is {found}, not {kind}: it is for {_MARKS[found][1]}"
        if kind in _MADE_BY:
            message += f"; {_MADE_BY[kind]}"
        raise InvalidInput(message, source=str(path)) from None
