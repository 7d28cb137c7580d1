"""A backend whose plans take as long, and tell as much, as their document says.

For questions about what lies around the planner: order of progress, turns of tenants, recovery. The document
is ``{fleet: NAME, steps: COUNT, pause_s: SECONDS}``; each step sends one progress event of its own phase,
so that none is thinned out. With ``nodes: COUNT, turn: GPU`` the plan has one instance on each node, on that
GPU: a plan with another turn is reached by a rollout.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from models.document import read_document
from models.errors import InvalidInput
from planner.plan import Expectation, Instance, Plan, PoolUse, Stage
from planner.service.backend import CheckedDocument, Outcome, PipelineBackend, ProgressEvent, Work

__all__ = ["GPUS_A_NODE", "POOL", "PacedBackend"]

POOL = "paced"
GPUS_A_NODE = 8


class PacedBackend(PipelineBackend):
    """Waits instead of planning; problems are solved as ever."""

    def __init__(self) -> None:
        """Leave out what the planner imports: it would be most of what a worker started anew has to do."""

    def check(self, document: str) -> CheckedDocument:
        """See `Backend`."""
        return CheckedDocument(fleet=str(_script(document)["fleet"]))

    def plan(
        self, work: Work, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
    ) -> Outcome:
        """See `Backend`."""
        script = _script(work.document)
        start_s = time.monotonic()
        state: Literal["optimal", "cancelled"] = "optimal"
        for step in range(int(script.get("steps", 1))):
            on_progress(ProgressEvent(phase=f"step {step}", elapsed_s=time.monotonic() - start_s))
            time.sleep(float(script.get("pause_s", 0.0)))
            if cancelled():
                state = "cancelled"
                break
        plan = Plan(
            fulcrum_version="0", fleet=str(script["fleet"]), fleet_digest="0" * 64, seed=work.seed,
            state=state, cost_per_hour=0.0, instances=_instances(script), workloads=(), pools=_pools(script),
            moves=(), basis=(), objectives=(),
        )  # fmt: skip
        return Outcome(state=state, plan_json=plan.to_json())


def _script(document: str) -> dict[str, Any]:
    script = read_document(document).value
    if not isinstance(script, dict) or "fleet" not in script:
        raise InvalidInput("a script is a mapping with `fleet`", line=1)
    return script


def _instances(script: dict[str, Any]) -> tuple[Instance, ...]:
    """One on each node, all on the same GPU of theirs."""
    gpus = (int(script.get("turn", 0)) % GPUS_A_NODE,)
    return tuple(
        _instance(number, Stage(f"{POOL}/0/{number}", gpus)) for number in range(int(script.get("nodes", 0)))
    )


def _instance(number: int, stage: Stage) -> Instance:
    return Instance(
        name=f"paced-{number}", workload="paced", model="paced", repository="paced", role="mixed",
        engine="paced", pool=POOL, gpu="h100-sxm-80gb", tensor_parallel_size=1, pipeline_parallel_size=1,
        weights="bf16", checkpoint="bf16", kv_cache="bf16", max_num_seqs=1, max_num_batched_tokens=1,
        max_model_len=1, gpu_memory_utilization=0.9, price_per_hour=0.0, basis="datasheet", stages=(stage,),
        expected=Expectation(rate_per_s=1.0, capacity_per_s=1.0, ttft_ms=1.0, tpot_ms=1.0, concurrency=1.0),
    )  # fmt: skip


def _pools(script: dict[str, Any]) -> tuple[PoolUse, ...]:
    nodes = int(script.get("nodes", 0))
    use = PoolUse(
        name=POOL, gpu="h100-sxm-80gb", nodes=nodes, gpus_per_node=GPUS_A_NODE, gpus_used=nodes,
        cost_per_hour=0.0,
    )  # fmt: skip
    return (use,) if nodes else ()
