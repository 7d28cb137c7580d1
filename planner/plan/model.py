"""The plan document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from planner.plan.instance import STRICT, Instance
from planner.plan.network import KvTransfer
from planner.plan.outcome import Basis, Diagnosis, Move, Objective, PoolUse, WorkloadOutcome
from planner.plan.schedule import Schedule
from planner.plan.transition import Transition
from planner.plan.verification import Verification

if TYPE_CHECKING:
    import pandas

__all__ = ["PLAN_SCHEMA", "Plan", "State"]

State = Literal["optimal", "feasible", "infeasible", "unknown", "cancelled"]
"""``optimal`` (every tier proven within 0.01 %), ``feasible`` (with a gap), ``infeasible`` (nothing can work:
see `diagnosis`), ``unknown`` (stopped before finding out), ``cancelled`` (stopped on request; holds the best
found, if any)."""

PLAN_SCHEMA: Literal["fulcrum.plan/1"] = "fulcrum.plan/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a fleet should run.

    The same fleet document, seed, version and thread count give the same bytes: a plan holds no clock time
    and no solver timings. A solve that its time limit cut short (state ``feasible``) may differ between
    runs.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    fulcrum_version: str
    """Version that made the plan."""
    fleet: str
    """Name of the fleet."""
    fleet_digest: str
    """SHA-256 of the fleet document with every referenced file inlined."""
    seed: int
    """Seed of every random choice."""
    state: State
    """What is known about the plan."""
    cost_per_hour: float
    """Price of all GPUs in use."""
    instances: tuple[Instance, ...]
    """What runs, by name."""
    workloads: tuple[WorkloadOutcome, ...]
    """What the workloads get, in document order."""
    pools: tuple[PoolUse, ...]
    """What the pools give, in document order."""
    objectives: tuple[Objective, ...]
    """Goal tiers with bound and gap, most important first."""
    moves: tuple[Move, ...]
    """What must change from the current plan, if one was given."""
    basis: tuple[Basis, ...]
    """What the numbers rest on."""
    diagnosis: Diagnosis | None = None
    """Why there is no plan; None when there is one."""
    schedule: Schedule | None = None
    """What runs in each period of the fleet; None without periods."""
    kv_transfers: tuple[KvTransfer, ...] = ()
    """What prefill instances hand to decode instances, by workload and zone."""
    notes: tuple[str, ...] = ()
    """What a reader should know before trusting the numbers."""
    transition: Transition | None = None
    """Steps from the current plan to this one; None when no current plan was given."""
    verification: Verification | None = None
    """What the simulator saw of the plan; None when it was not asked, or there is nothing to run."""
    schema: Literal["fulcrum.plan/1"] = PLAN_SCHEMA
    """Version of this document's shape."""

    def to_json(self) -> str:
        """Return the canonical JSON text; see `planner.plan.codec`."""
        from planner.plan.codec import plan_to_json

        return plan_to_json(self)

    def to_dataframe(self) -> pandas.DataFrame:
        """One row an instance; needs pandas (``fulcrum-planner[notebook]``), else raises `Unavailable`."""
        from planner.plan.notebook import plan_frame

        return plan_frame(self)

    def _repr_html_(self) -> str:
        from planner.plan.notebook import plan_html

        return plan_html(self)

    @classmethod
    def from_json(cls, text: str, *, source: str | None = None) -> Plan:
        """Read a plan back; raises `InvalidInput` for anything else."""
        from planner.plan.codec import plan_from_json

        return plan_from_json(text, source=source)
