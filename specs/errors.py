"""Errors that say which part of a problem they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from models.errors import FulcrumError

__all__ = ["located"]


@contextmanager
def located(*path: str | int) -> Iterator[None]:
    """Give errors raised inside the place `path`, unless they have one: ``dimensions.memory: …``."""
    try:
        yield
    except FulcrumError as error:
        error.path = error.path or path
        raise
