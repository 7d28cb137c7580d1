"""A backend whose plans take as long, and tell as much, as their document says.

For questions about what lies around the planner: order of progress, turns of tenants, recovery. The document
is ``{fleet: NAME, steps: COUNT, pause_s: SECONDS}``; each step sends one progress event of its own phase,
so that none is thinned out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

from models.document import read_document
from models.errors import InvalidInput
from planner.plan import Plan
from planner.service.backend import Outcome, PipelineBackend, ProgressEvent, Work

__all__ = ["PacedBackend"]


class PacedBackend(PipelineBackend):
    """Waits instead of planning; problems are solved as ever."""

    def check(self, document: str) -> str:
        """See `Backend`."""
        return str(_script(document)["fleet"])

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
            state=state, cost_per_hour=0.0, instances=(), workloads=(), pools=(), moves=(), basis=(),
            objectives=(),
        )  # fmt: skip
        return Outcome(state=state, plan_json=plan.to_json())


def _script(document: str) -> dict[str, Any]:
    script = read_document(document).value
    if not isinstance(script, dict) or "fleet" not in script:
        raise InvalidInput("a script is a mapping with `fleet`", line=1)
    return script
