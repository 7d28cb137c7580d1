"""From the plan that runs to a new one, step by step, without dropping below a floor or sharing a GPU.

`order` finds a safe order of starts and stops (through spare GPUs where the two plans block each other),
`schedule` expands it into timed steps with their dependencies, `replay` checks the result by itself, `dag`
and `gantt` show it.
"""

from planner.plan.transition import Blocked, RollbackPoint, Step, Transition
from planner.transition.capacity import capacity_by_workload, floors_between
from planner.transition.dag import critical_path, step_graph
from planner.transition.estimates import KvTransfer, LoadTier, StepTimes
from planner.transition.gantt import gantt
from planner.transition.order import Action, find_order
from planner.transition.replay import replay
from planner.transition.schedule import plan_transition

__all__ = [
    "Action",
    "Blocked",
    "KvTransfer",
    "LoadTier",
    "RollbackPoint",
    "Step",
    "StepTimes",
    "Transition",
    "capacity_by_workload",
    "critical_path",
    "find_order",
    "floors_between",
    "gantt",
    "plan_transition",
    "replay",
    "step_graph",
]
