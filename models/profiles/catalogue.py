"""Where profiles are found: those handed in, folders the user names, then those that ship."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from models.errors import UnknownName
from models.profiles.store import MANIFEST_FILE, Profile, list_profiles, read_profile

__all__ = [
    "PACKAGED",
    "PROFILES_VARIABLE",
    "find_profile",
    "known_profiles",
    "profile_roots",
    "with_profiles",
]

PACKAGED = Path(__file__).parent / "data"
PROFILES_VARIABLE = "FULCRUM_PROFILES"
_handed_in: dict[str, Path] = {}


@contextlib.contextmanager
def with_profiles(folders: Mapping[str, Path]) -> Iterator[None]:
    """Know these profiles by these names, before all others, in every thread of this process until the end.

    For a process that does one piece of work at a time, each with profiles of its own.
    """
    global _handed_in  # noqa: PLW0603 - a context variable would not reach threads begun inside
    before, _handed_in = _handed_in, dict(folders)
    try:
        yield
    finally:
        _handed_in = before


def profile_roots() -> tuple[Path, ...]:
    """Folders searched, in order: those in the variable FULCRUM_PROFILES (separated as in PATH), then
    the packaged.
    """
    named = [Path(p) for p in os.environ.get(PROFILES_VARIABLE, "").split(os.pathsep) if p]
    return (*named, PACKAGED)


def known_profiles() -> dict[str, Path]:
    """Name → folder of every profile found: the one handed in, else that of the first root that has it."""
    found = dict(_handed_in)
    for root in profile_roots():
        for folder in list_profiles(root):
            found.setdefault(folder.name, folder)
    return dict(sorted(found.items()))


def find_profile(name_or_folder: str | Path) -> Profile:
    """Open a profile by folder, or by name.

    Raises
    ------
    UnknownName
        Neither a folder with a manifest nor a known name.
    """
    folder = Path(name_or_folder)
    if (folder / MANIFEST_FILE).is_file():
        return read_profile(folder)
    known = known_profiles()
    if str(name_or_folder) not in known:
        raise UnknownName("profile", str(name_or_folder), known)
    return read_profile(known[str(name_or_folder)])
