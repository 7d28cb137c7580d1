"""How fast an instance serves: memory, the cost of a step, and behaviour under load.

From the bottom: `passes` lists the operators of a forward pass on one rank; something that knows operator
times (`roofline`, or measured tables) prices them into `curves`; `memory` says what fits; `load` and
`capacity` turn both into rates and latencies under random arrivals.
"""

from models.serving.basis import Basis, weakest
from models.serving.capacity import Capacity, Limit, Table, Targets, capacities, capacities_of
from models.serving.configuration import Configuration, InstanceModel, Role
from models.serving.curves import StepCurves
from models.serving.engine import Engine, Overheads, engine, engine_names
from models.serving.memory import Memory, memory
from models.serving.operating import operate
from models.serving.parallelism import Parallelism, parallelisms
from models.serving.speculation import Speculation

__all__ = [
    "Basis",
    "Capacity",
    "Configuration",
    "Engine",
    "InstanceModel",
    "Limit",
    "Memory",
    "Overheads",
    "Parallelism",
    "Role",
    "Speculation",
    "StepCurves",
    "Table",
    "Targets",
    "capacities",
    "capacities_of",
    "engine",
    "engine_names",
    "memory",
    "operate",
    "parallelisms",
    "weakest",
]
