"""The version that plans carry."""

from __future__ import annotations

from importlib import metadata

__all__ = ["fulcrum_version"]


def fulcrum_version() -> str:
    """Return the version of the installed distribution ``fulcrum-planner``."""
    return metadata.version("fulcrum-planner")
