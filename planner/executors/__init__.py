"""Independent tasks, run somewhere else: worker processes of this machine, or a cluster.

Solves, simulations and sweeps of scenarios are all of one form: a function of a module, applied to each of a
list of inputs. `open_executor` gives whatever runs them; a new kind of executor is a new file in `kinds/`.
"""

from __future__ import annotations

from planner.executors.executor import Executor
from planner.executors.registry import executor_kinds, open_executor
from planner.executors.task import Context, Limits, Outcome, TaskEvent, values_of

__all__ = [
    "Context",
    "Executor",
    "Limits",
    "Outcome",
    "TaskEvent",
    "executor_kinds",
    "open_executor",
    "values_of",
]
