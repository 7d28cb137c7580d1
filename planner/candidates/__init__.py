"""Candidates: every way to run an instance for a workload on a pool that meets its targets.

Only the value types are imported here; `planner.candidates.enumerate` brings the serving models with it.
"""

from __future__ import annotations

from planner.candidates.candidate import Candidate, node_groups
from planner.candidates.dominance import undominated

__all__ = ["Candidate", "node_groups", "undominated"]
