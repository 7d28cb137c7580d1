"""Profiles of a device whose times follow a formula."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from formula import write_formula_profile

from models.profiles.store import Profile


@pytest.fixture
def formula_profile(tmp_path: Path) -> Callable[..., Profile]:
    """Writes such a profile under ``tmp_path/profiles`` and opens it."""
    return functools.partial(write_formula_profile, tmp_path / "profiles")
