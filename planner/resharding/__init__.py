"""Re-sharding between phases: one parallelism for prefill, another for decode, on the same GPUs.

Prefill is limited by arithmetic and by all-reduce traffic, decode by reading weights: pipelines suit the
first, tensor parallelism the second. An engine that reloads its weights between phases can have both, if the
phases are long enough: prompts are prefilled until the host's memory is full of their KV cache, then decoded
until it is empty (Su et al., Seesaw, MLSys 2025, arXiv 2503.06433). `compare` weighs that against the best
fixed parallelism and the best disaggregation; `payback` weighs a single change of a running instance.
"""

from planner.resharding.all_reduce import AllReduceBandwidth, AllReduceTable, AllReduceTime
from planner.resharding.compare import Verdict, compare
from planner.resharding.cycle import HostBuffer, SwitchCycle, switch_cycle
from planner.resharding.layout import Layout, layouts
from planner.resharding.payback import Payback, payback
from planner.resharding.phase_model import PhaseModel, RequestClass
from planner.resharding.roofline import PhaseRoofline
from planner.resharding.steady import Disaggregated, Static, best_disaggregated, best_static, best_switching

__all__ = [
    "AllReduceBandwidth",
    "AllReduceTable",
    "AllReduceTime",
    "Disaggregated",
    "HostBuffer",
    "Layout",
    "Payback",
    "PhaseModel",
    "PhaseRoofline",
    "RequestClass",
    "Static",
    "SwitchCycle",
    "Verdict",
    "best_disaggregated",
    "best_static",
    "best_switching",
    "compare",
    "layouts",
    "payback",
    "switch_cycle",
]
