"""Shared by the tests of the spec language."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def random_specs():
    """The module `random_specs.py` beside this file (tests are no package)."""
    found = importlib.util.spec_from_file_location("random_specs", Path(__file__).parent / "random_specs.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
