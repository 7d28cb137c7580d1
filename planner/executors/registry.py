"""Executors by name: ``local``, ``local:4``, ``ray``, ``ray:10.0.0.5:6379``."""

from __future__ import annotations

import importlib
import pkgutil

from models.errors import UnknownName
from planner.executors import kinds
from planner.executors.executor import Executor

__all__ = ["executor_kinds", "open_executor"]


def executor_kinds() -> tuple[str, ...]:
    """Names of the executors, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(kinds.__path__)))


def open_executor(name: str) -> Executor:
    """Start an executor.

    Parameters
    ----------
    name
        A kind, and after a colon what it takes: a number of processes for ``local``, an address for ``ray``.

    Raises
    ------
    UnknownName
        There is no such kind.
    InvalidInput
        The kind does not take what follows the colon.
    Unavailable
        A package or a cluster is missing.
    """
    kind, _, argument = name.partition(":")
    if kind not in executor_kinds():
        raise UnknownName("executor", kind, executor_kinds())
    module = importlib.import_module(f"{kinds.__name__}.{kind}")
    started: Executor = module.start(argument or None)
    return started
