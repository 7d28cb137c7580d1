"""The executors: one file each, found by its name, with a function ``start(argument) -> Executor``."""

from __future__ import annotations
