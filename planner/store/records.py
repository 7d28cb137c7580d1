"""What the store keeps, as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "EngineRecord",
    "EventRecord",
    "FleetRecord",
    "Lease",
    "NewPlan",
    "NewProfile",
    "NewRollout",
    "PlanOptionsRecord",
    "PlanRecord",
    "PlanState",
    "ProfileRecord",
    "PromotionRecord",
    "RolloutRecord",
    "RolloutState",
    "SampleRecord",
]


class PlanState(enum.StrEnum):
    """How far a plan is; see ``Plan.State`` in ``proto/fulcrum/v1/plan.proto``."""

    QUEUED = "queued"
    RUNNING = "running"
    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        """True when the plan will not change again."""
        return self not in (PlanState.QUEUED, PlanState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptionsRecord:
    """How a plan is to be made.

    Parameters
    ----------
    time_limit_s
        Seconds the worker may take; None is no limit of the caller's.
    deadline_us
        Time after which the answer is of no use, µs since the epoch.
    skip_verification
        Do not replay the plan in the simulator.
    confidence
        As in `planner.options.PlanOptions`.
    trace_parent
        W3C ``traceparent`` of the request that asked for the plan; says nothing about how it is made.
    """

    time_limit_s: float | None = None
    deadline_us: int | None = None
    seed: int = 0
    thread_count: int = 1
    skip_verification: bool = False
    confidence: float | None = None
    trace_parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan that was asked for, before it has an id.

    Parameters
    ----------
    request_digest
        Hash of everything in the request that matters; tells a retry from another request with the same id.
    profiles
        Uploaded profiles it rests on: name → digest of the content.
    """

    tenant: str
    fleet: str
    document: str
    options: PlanOptionsRecord = field(default_factory=PlanOptionsRecord)
    current_json: str | None = None
    request_id: str | None = None
    request_digest: str = ""
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRecord:
    """One row of ``plans``. `result_json` is the plan in canonical form, `error` a serialized
    google.rpc.Status.
    """

    id: str
    tenant: str
    fleet: str
    state: PlanState
    revision: int
    create_us: int
    start_us: int | None
    end_us: int | None
    document: str
    options: PlanOptionsRecord
    current_json: str | None
    request_id: str | None
    request_digest: str
    result_json: str | None
    error: bytes | None
    attempt_count: int
    cancel_requested: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One step of progress; `elapsed_s` counts from the worker's start, numbers are None where not known
    yet.
    """

    plan_id: str
    sequence: int
    create_us: int
    state: PlanState
    phase: str
    elapsed_s: float
    objective: float | None
    bound: float | None
    gap: float | None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who has a running plan; `expire_us` changes with every renewal."""

    plan_id: str
    owner: str
    expire_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRecord:
    """One row of ``fleets``; an expired lease reads as none."""

    tenant: str
    name: str
    document: str
    revision: int
    create_us: int
    update_us: int
    promoted_plan_id: str | None
    lease_holder: str | None
    lease_expire_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRecord:
    """One row of ``promotions``; `kind` is ``promote`` or ``roll_back``."""

    tenant: str
    fleet: str
    sequence: int
    kind: str
    plan_id: str
    previous_plan_id: str | None
    create_us: int
    caller: str
    reason: str
    request_id: str | None


class RolloutState(enum.StrEnum):
    """How far a rollout is; see ``Rollout.State`` in ``proto/fulcrum/v1/rollout.proto``."""

    ROLLING = "rolling"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRollout:
    """A rollout to be stored with its promotion.

    Parameters
    ----------
    generation
        Number the promotion must get.
    previous_sequence
        Sequence the rollout before it must still have, or what stands is not what `body_json` begins with;
        None: there must be none.
    step_count
        A rollout without steps is done at once.
    """

    generation: int
    body_json: str
    previous_sequence: int | None
    step_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRecord:
    """One row of ``rollouts``, without the body."""

    tenant: str
    fleet: str
    generation: int
    plan_id: str
    state: RolloutState
    reason: str
    sequence: int
    create_us: int
    update_us: int
    end_us: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRecord:
    """One row of ``engines``; `live` at the moment it was read."""

    tenant: str
    fleet: str
    id: str
    node: str
    facts_json: str
    instances_json: str
    lease_us: int
    create_us: int
    seen_us: int
    live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRecord:
    """One row of ``load_samples`` without its fleet."""

    end_us: int
    instance: str
    workload: str
    engine: str
    window_us: int
    request_count: int
    running: float | None
    queued: float | None
    kv_usage: float | None
    ttft_json: str | None
    tpot_json: str | None
    ttft_drift: float | None
    tpot_drift: float | None
    cold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProfile:
    """A checked upload, before it is kept.

    Parameters
    ----------
    digest
        Of the content, by `models.profiles.digest`.
    tables
        Operation → bytes of its Parquet file.
    replace_existing
        Whether it may take the name from other content.
    """

    tenant: str
    name: str
    digest: str
    manifest_json: str
    tables: Mapping[str, bytes] = field(repr=False)
    uploader: str
    replace_existing: bool = False
    request_id: str | None = None

    @property
    def size_bytes(self) -> int:
        """Of all tables."""
        return sum(map(len, self.tables.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRecord:
    """One row of ``profiles`` with its manifest."""

    tenant: str
    name: str
    digest: str
    upload_us: int
    uploader: str
    manifest_json: str
    size_bytes: int
