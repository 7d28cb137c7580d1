"""Placement: instances onto nodes, through the spec language; then GPU indices within each node."""

from __future__ import annotations
