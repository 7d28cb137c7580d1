"""The plan: what runs where, what it is expected to do, what it costs, how sure that is, and what must
change.

`Plan` and its parts are plain frozen values; `codec` writes them as canonical JSON and reads them back;
`moves` compares a plan with the one that runs today.
"""

from __future__ import annotations

from planner.plan.instance import Expectation, Instance, Stage
from planner.plan.model import Plan, State
from planner.plan.outcome import Basis, Diagnosis, Move, Objective, PoolUse, WorkloadOutcome
from planner.plan.verification import LatencySpread, Replayed, Verification

__all__ = [
    "Basis",
    "Diagnosis",
    "Expectation",
    "Instance",
    "LatencySpread",
    "Move",
    "Objective",
    "Plan",
    "PoolUse",
    "Replayed",
    "Stage",
    "State",
    "Verification",
    "WorkloadOutcome",
]
