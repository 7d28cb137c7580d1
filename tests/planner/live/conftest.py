"""A server with pages, over scripted workers: the fixtures of the service's tests are lent."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the live view needs the extra http")

_PATH = Path(__file__).parents[1] / "service" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("service_fixtures", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_LENT = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_LENT)

_scripted = _LENT._scripted
start_server = _LENT.start_server
start_servers_of_the_module = _LENT.start_servers_of_the_module
