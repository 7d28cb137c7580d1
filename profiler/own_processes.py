"""Processes this run has started: what they do to the device is not somebody else's work."""

from __future__ import annotations

import os

__all__ = ["OWN_PROCESSES"]

OWN_PROCESSES: set[int] = {os.getpid()}
"""Process ids of this process and of its workers."""
