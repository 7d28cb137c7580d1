"""The one door to Numba: where compiled kernels are cached, and the decorator that makes them.

Numba's cache notices a change of the file that holds the outermost function only; a changed callee in another
file would leave stale machine code in use. So the cache directory is keyed by a hash of all kernel sources.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

__all__ = ["cache_directory", "inlined", "kernel"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _sources_hash() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for path in [*sorted((here / "kernels").glob("*.py")), here / "layout.py", here / "jit.py"]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _writable(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False


@cache
def cache_directory() -> Path:
    """Where compiled kernels live: ``FULCRUM_CACHE_DIR``, the user's cache, or a temporary directory.

    The first that can be written to wins.
    """
    name = f"kernels-{_sources_hash()}"
    bases = []
    if chosen := os.environ.get("FULCRUM_CACHE_DIR"):
        bases.append(Path(chosen))
    with suppress(RuntimeError):  # no home directory is known
        bases.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fulcrum")
    for base in bases:
        if _writable(base / name):
            return base / name
    return Path(tempfile.mkdtemp(prefix="fulcrum-")) / name


def _compiled(function: _Function, **options: bool) -> _Function:
    import numba
    from numba.core import config

    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_directory())
    try:
        # _nrt=False: kernels allocate nothing, and counting references to some sixty arrays at every call
        # costs more than the arithmetic
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, **options)(function)
        return cast("_Function", compiled)
    finally:
        config.CACHE_DIR = before


def kernel(function: _Function) -> _Function:
    """Compile `function`, which Python calls, on first use; cached on disk, without the interpreter lock."""
    return _compiled(function)


def inlined(function: _Function) -> _Function:
    """Compile `function` into the kernels that call it: for what runs at every proposal.

    Passing dozens of arrays costs more than the arithmetic. What only promising moves reach stays a call of
    its own (`kernel`), which keeps compiling short.
    """
    return _compiled(function, forceinline=True)
