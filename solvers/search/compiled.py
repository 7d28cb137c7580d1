"""Compiling the kernels once, whoever comes first: processes that start cold wait for one of them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from solvers.search.jit import cache_directory

__all__ = ["alone", "ensure_compiled"]

POLL_S = 0.1
"""How often it is asked whether the process that compiles is done."""
PATIENCE_S = 600.0
"""After this long it is not waited for any more: two that compile do no harm."""
DONE = f"complete-{version('numba')}-{sys.implementation.cache_tag}"
"""The file in the cache that says that all kernels are there."""

_turn = threading.RLock()
_known: set[Path] = set()


def ensure_compiled(compile_all: Callable[[], object], stopped: Callable[[], bool] = bool) -> bool:
    """Have `compile_all` called unless this process or another did so for these sources.

    One process compiles, the others wait for it and then read what it wrote. Called again from inside
    `compile_all` it does nothing. False when `stopped` before it was done.
    """
    directory = cache_directory()
    if directory in _known:
        return True
    with _turn:
        if directory in _known:
            return True
        if (directory / DONE).exists():
            _known.add(directory)
            return True
        _known.add(directory)  # from here on `compile_all` itself finds nothing to wait for
        try:
            with alone(directory / "lock", stopped):
                if stopped():
                    _known.discard(directory)
                    return False
                if not (directory / DONE).exists():
                    compile_all()
                    _leave_word(directory)
        except BaseException:
            _known.discard(directory)
            raise
    return True


def _leave_word(directory: Path) -> None:
    with suppress(OSError):  # then the next process looks for itself
        (directory / DONE).touch()


@contextmanager
def alone(path: Path, stopped: Callable[[], bool] = bool, patience_s: float = PATIENCE_S) -> Iterator[bool]:
    """Hold the lock `path` among processes; whether it is held.

    The system releases it when its holder ends, however that ends. It is not held where the wait was
    `stopped` or longer than `patience_s`, where the file cannot be made, and on systems without such locks.
    """
    try:
        import fcntl

        file = path.open("w")
    except (ImportError, OSError):
        yield False
        return
    with file:
        yield _locked(file.fileno(), fcntl.flock, fcntl.LOCK_EX | fcntl.LOCK_NB, stopped, patience_s)


def _locked(
    number: int, flock: Callable[[int, int], None], how: int, stopped: Callable[[], bool], patience_s: float
) -> bool:
    end = time.monotonic() + patience_s
    while True:
        try:
            flock(number, how)
        except BlockingIOError:
            if stopped() or time.monotonic() >= end:
                return False
            time.sleep(POLL_S)
        except OSError:  # a file system without locks
            return False
        else:
            return True
