"""Sizing: how many instances of which candidate, stated as an expression graph and solved like any other."""

from __future__ import annotations

from planner.sizing.problem import SizingProblem, failure_units

__all__ = ["SizingProblem", "failure_units"]
