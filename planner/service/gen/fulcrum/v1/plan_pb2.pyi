import datetime

from planner.service.gen.fulcrum.v1 import plan_outcome_pb2 as _plan_outcome_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Plan(_message.Message):
    __slots__ = ("name", "state", "etag", "create_time", "start_time", "end_time", "fleet", "price_per_hour", "objectives", "instances", "moves", "diagnosis", "error", "canonical_json", "document", "options", "transition", "verification", "fulcrum_version", "fleet_digest", "workloads", "pools", "basis", "schedule", "kv_transfers", "notes")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Plan.State]
        STATE_QUEUED: _ClassVar[Plan.State]
        STATE_RUNNING: _ClassVar[Plan.State]
        STATE_OPTIMAL: _ClassVar[Plan.State]
        STATE_FEASIBLE: _ClassVar[Plan.State]
        STATE_INFEASIBLE: _ClassVar[Plan.State]
        STATE_UNKNOWN: _ClassVar[Plan.State]
        STATE_CANCELLED: _ClassVar[Plan.State]
        STATE_FAILED: _ClassVar[Plan.State]
    STATE_UNSPECIFIED: Plan.State
    STATE_QUEUED: Plan.State
    STATE_RUNNING: Plan.State
    STATE_OPTIMAL: Plan.State
    STATE_FEASIBLE: Plan.State
    STATE_INFEASIBLE: Plan.State
    STATE_UNKNOWN: Plan.State
    STATE_CANCELLED: Plan.State
    STATE_FAILED: Plan.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    FLEET_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSIS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CANONICAL_JSON_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TRANSITION_FIELD_NUMBER: _ClassVar[int]
    VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    FULCRUM_VERSION_FIELD_NUMBER: _ClassVar[int]
    FLEET_DIGEST_FIELD_NUMBER: _ClassVar[int]
    WORKLOADS_FIELD_NUMBER: _ClassVar[int]
    POOLS_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    KV_TRANSFERS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: Plan.State
    etag: str
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    fleet: str
    price_per_hour: float
    objectives: _containers.RepeatedCompositeFieldContainer[Objective]
    instances: _containers.RepeatedCompositeFieldContainer[Instance]
    moves: _containers.RepeatedCompositeFieldContainer[Move]
    diagnosis: Diagnosis
    error: _status_pb2.Status
    canonical_json: str
    document: str
    options: PlanOptions
    transition: Transition
    verification: Verification
    fulcrum_version: str
    fleet_digest: str
    workloads: _containers.RepeatedCompositeFieldContainer[_plan_outcome_pb2.WorkloadOutcome]
    pools: _containers.RepeatedCompositeFieldContainer[_plan_outcome_pb2.PoolUse]
    basis: _containers.RepeatedCompositeFieldContainer[_plan_outcome_pb2.Basis]
    schedule: Schedule
    kv_transfers: _containers.RepeatedCompositeFieldContainer[_plan_outcome_pb2.KvTransfer]
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Plan.State, str]] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., fleet: _Optional[str] = ..., price_per_hour: _Optional[float] = ..., objectives: _Optional[_Iterable[_Union[Objective, _Mapping]]] = ..., instances: _Optional[_Iterable[_Union[Instance, _Mapping]]] = ..., moves: _Optional[_Iterable[_Union[Move, _Mapping]]] = ..., diagnosis: _Optional[_Union[Diagnosis, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., canonical_json: _Optional[str] = ..., document: _Optional[str] = ..., options: _Optional[_Union[PlanOptions, _Mapping]] = ..., transition: _Optional[_Union[Transition, _Mapping]] = ..., verification: _Optional[_Union[Verification, _Mapping]] = ..., fulcrum_version: _Optional[str] = ..., fleet_digest: _Optional[str] = ..., workloads: _Optional[_Iterable[_Union[_plan_outcome_pb2.WorkloadOutcome, _Mapping]]] = ..., pools: _Optional[_Iterable[_Union[_plan_outcome_pb2.PoolUse, _Mapping]]] = ..., basis: _Optional[_Iterable[_Union[_plan_outcome_pb2.Basis, _Mapping]]] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., kv_transfers: _Optional[_Iterable[_Union[_plan_outcome_pb2.KvTransfer, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class PlanOptions(_message.Message):
    __slots__ = ("time_limit", "deadline", "seed", "thread_count", "skip_verification", "confidence")
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    THREAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    SKIP_VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    time_limit: _duration_pb2.Duration
    deadline: _timestamp_pb2.Timestamp
    seed: int
    thread_count: int
    skip_verification: bool
    confidence: float
    def __init__(self, time_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., seed: _Optional[int] = ..., thread_count: _Optional[int] = ..., skip_verification: bool = ..., confidence: _Optional[float] = ...) -> None: ...

class Objective(_message.Message):
    __slots__ = ("stage", "name", "value", "bound", "relative_gap")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_GAP_FIELD_NUMBER: _ClassVar[int]
    stage: str
    name: str
    value: float
    bound: float
    relative_gap: float
    def __init__(self, stage: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[float] = ..., bound: _Optional[float] = ..., relative_gap: _Optional[float] = ...) -> None: ...

class Diagnosis(_message.Message):
    __slots__ = ("limit", "subject", "message", "closest")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CLOSEST_FIELD_NUMBER: _ClassVar[int]
    limit: str
    subject: str
    message: str
    closest: str
    def __init__(self, limit: _Optional[str] = ..., subject: _Optional[str] = ..., message: _Optional[str] = ..., closest: _Optional[str] = ...) -> None: ...

class Instance(_message.Message):
    __slots__ = ("name", "workload", "model", "role", "pool", "gpu", "engine", "parallelism", "stages", "expectation", "price_per_hour", "launches", "repository", "weights", "checkpoint", "kv_cache", "max_num_seqs", "max_num_batched_tokens", "max_model_len", "gpu_memory_utilization", "gpu_parts", "adapters", "adapter_slot_count", "adapter_rank", "drafting")
    class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ROLE_UNSPECIFIED: _ClassVar[Instance.Role]
        ROLE_MIXED: _ClassVar[Instance.Role]
        ROLE_PREFILL: _ClassVar[Instance.Role]
        ROLE_DECODE: _ClassVar[Instance.Role]
    ROLE_UNSPECIFIED: Instance.Role
    ROLE_MIXED: Instance.Role
    ROLE_PREFILL: Instance.Role
    ROLE_DECODE: Instance.Role
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PARALLELISM_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    EXPECTATION_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    LAUNCHES_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    KV_CACHE_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_SEQS_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_BATCHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_MODEL_LEN_FIELD_NUMBER: _ClassVar[int]
    GPU_MEMORY_UTILIZATION_FIELD_NUMBER: _ClassVar[int]
    GPU_PARTS_FIELD_NUMBER: _ClassVar[int]
    ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_SLOT_COUNT_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_RANK_FIELD_NUMBER: _ClassVar[int]
    DRAFTING_FIELD_NUMBER: _ClassVar[int]
    name: str
    workload: str
    model: str
    role: Instance.Role
    pool: str
    gpu: str
    engine: str
    parallelism: Parallelism
    stages: _containers.RepeatedCompositeFieldContainer[Stage]
    expectation: Expectation
    price_per_hour: float
    launches: _containers.RepeatedCompositeFieldContainer[Launch]
    repository: str
    weights: str
    checkpoint: str
    kv_cache: str
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    gpu_memory_utilization: float
    gpu_parts: int
    adapters: _containers.RepeatedCompositeFieldContainer[AdapterSlot]
    adapter_slot_count: int
    adapter_rank: int
    drafting: Drafting
    def __init__(self, name: _Optional[str] = ..., workload: _Optional[str] = ..., model: _Optional[str] = ..., role: _Optional[_Union[Instance.Role, str]] = ..., pool: _Optional[str] = ..., gpu: _Optional[str] = ..., engine: _Optional[str] = ..., parallelism: _Optional[_Union[Parallelism, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ..., expectation: _Optional[_Union[Expectation, _Mapping]] = ..., price_per_hour: _Optional[float] = ..., launches: _Optional[_Iterable[_Union[Launch, _Mapping]]] = ..., repository: _Optional[str] = ..., weights: _Optional[str] = ..., checkpoint: _Optional[str] = ..., kv_cache: _Optional[str] = ..., max_num_seqs: _Optional[int] = ..., max_num_batched_tokens: _Optional[int] = ..., max_model_len: _Optional[int] = ..., gpu_memory_utilization: _Optional[float] = ..., gpu_parts: _Optional[int] = ..., adapters: _Optional[_Iterable[_Union[AdapterSlot, _Mapping]]] = ..., adapter_slot_count: _Optional[int] = ..., adapter_rank: _Optional[int] = ..., drafting: _Optional[_Union[Drafting, _Mapping]] = ...) -> None: ...

class Drafting(_message.Message):
    __slots__ = ("method", "token_count", "tokens_per_step", "repository")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_STEP_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    method: str
    token_count: int
    tokens_per_step: float
    repository: str
    def __init__(self, method: _Optional[str] = ..., token_count: _Optional[int] = ..., tokens_per_step: _Optional[float] = ..., repository: _Optional[str] = ...) -> None: ...

class AdapterSlot(_message.Message):
    __slots__ = ("name", "repository", "rate_per_second")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPOSITORY_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    name: str
    repository: str
    rate_per_second: float
    def __init__(self, name: _Optional[str] = ..., repository: _Optional[str] = ..., rate_per_second: _Optional[float] = ...) -> None: ...

class Parallelism(_message.Message):
    __slots__ = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size", "expert_parallel_size")
    TENSOR_PARALLEL_SIZE_FIELD_NUMBER: _ClassVar[int]
    PIPELINE_PARALLEL_SIZE_FIELD_NUMBER: _ClassVar[int]
    DATA_PARALLEL_SIZE_FIELD_NUMBER: _ClassVar[int]
    EXPERT_PARALLEL_SIZE_FIELD_NUMBER: _ClassVar[int]
    tensor_parallel_size: int
    pipeline_parallel_size: int
    data_parallel_size: int
    expert_parallel_size: int
    def __init__(self, tensor_parallel_size: _Optional[int] = ..., pipeline_parallel_size: _Optional[int] = ..., data_parallel_size: _Optional[int] = ..., expert_parallel_size: _Optional[int] = ...) -> None: ...

class Stage(_message.Message):
    __slots__ = ("node", "gpu_indices")
    NODE_FIELD_NUMBER: _ClassVar[int]
    GPU_INDICES_FIELD_NUMBER: _ClassVar[int]
    node: str
    gpu_indices: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, node: _Optional[str] = ..., gpu_indices: _Optional[_Iterable[int]] = ...) -> None: ...

class Expectation(_message.Message):
    __slots__ = ("rate_per_second", "capacity_per_second", "ttft_ms", "tpot_ms", "concurrency", "basis")
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    TPOT_MS_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    rate_per_second: float
    capacity_per_second: float
    ttft_ms: float
    tpot_ms: float
    concurrency: float
    basis: str
    def __init__(self, rate_per_second: _Optional[float] = ..., capacity_per_second: _Optional[float] = ..., ttft_ms: _Optional[float] = ..., tpot_ms: _Optional[float] = ..., concurrency: _Optional[float] = ..., basis: _Optional[str] = ...) -> None: ...

class Launch(_message.Message):
    __slots__ = ("node", "command", "environment")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NODE_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    node: str
    command: _containers.RepeatedScalarFieldContainer[str]
    environment: _containers.ScalarMap[str, str]
    def __init__(self, node: _Optional[str] = ..., command: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Move(_message.Message):
    __slots__ = ("action", "instance", "from_stages", "to_stages")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ACTION_UNSPECIFIED: _ClassVar[Move.Action]
        ACTION_START: _ClassVar[Move.Action]
        ACTION_STOP: _ClassVar[Move.Action]
        ACTION_MOVE: _ClassVar[Move.Action]
    ACTION_UNSPECIFIED: Move.Action
    ACTION_START: Move.Action
    ACTION_STOP: Move.Action
    ACTION_MOVE: Move.Action
    ACTION_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    FROM_STAGES_FIELD_NUMBER: _ClassVar[int]
    TO_STAGES_FIELD_NUMBER: _ClassVar[int]
    action: Move.Action
    instance: str
    from_stages: _containers.RepeatedCompositeFieldContainer[Stage]
    to_stages: _containers.RepeatedCompositeFieldContainer[Stage]
    def __init__(self, action: _Optional[_Union[Move.Action, str]] = ..., instance: _Optional[str] = ..., from_stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ..., to_stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ...) -> None: ...

class Transition(_message.Message):
    __slots__ = ("steps", "duration", "floors", "rollback_points", "blocked_reason", "assumptions", "blocked_workload", "blocked_proven")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    FLOORS_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_POINTS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_REASON_FIELD_NUMBER: _ClassVar[int]
    ASSUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_PROVEN_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[TransitionStep]
    duration: _duration_pb2.Duration
    floors: _containers.RepeatedCompositeFieldContainer[CapacityFloor]
    rollback_points: _containers.RepeatedCompositeFieldContainer[RollbackPoint]
    blocked_reason: str
    assumptions: _containers.RepeatedScalarFieldContainer[str]
    blocked_workload: str
    blocked_proven: bool
    def __init__(self, steps: _Optional[_Iterable[_Union[TransitionStep, _Mapping]]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., floors: _Optional[_Iterable[_Union[CapacityFloor, _Mapping]]] = ..., rollback_points: _Optional[_Iterable[_Union[RollbackPoint, _Mapping]]] = ..., blocked_reason: _Optional[str] = ..., assumptions: _Optional[_Iterable[str]] = ..., blocked_workload: _Optional[str] = ..., blocked_proven: bool = ...) -> None: ...

class TransitionStep(_message.Message):
    __slots__ = ("index", "kind", "instance", "workload", "stages", "start_offset", "end_offset", "after", "surge", "temporary", "side")
    class Side(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SIDE_UNSPECIFIED: _ClassVar[TransitionStep.Side]
        SIDE_CURRENT: _ClassVar[TransitionStep.Side]
        SIDE_NEW: _ClassVar[TransitionStep.Side]
        SIDE_TEMPORARY: _ClassVar[TransitionStep.Side]
    SIDE_UNSPECIFIED: TransitionStep.Side
    SIDE_CURRENT: TransitionStep.Side
    SIDE_NEW: TransitionStep.Side
    SIDE_TEMPORARY: TransitionStep.Side
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[TransitionStep.Kind]
        KIND_LOAD: _ClassVar[TransitionStep.Kind]
        KIND_SWITCH: _ClassVar[TransitionStep.Kind]
        KIND_CHECK: _ClassVar[TransitionStep.Kind]
        KIND_DRAIN: _ClassVar[TransitionStep.Kind]
        KIND_MIGRATE: _ClassVar[TransitionStep.Kind]
        KIND_RETIRE: _ClassVar[TransitionStep.Kind]
    KIND_UNSPECIFIED: TransitionStep.Kind
    KIND_LOAD: TransitionStep.Kind
    KIND_SWITCH: TransitionStep.Kind
    KIND_CHECK: TransitionStep.Kind
    KIND_DRAIN: TransitionStep.Kind
    KIND_MIGRATE: TransitionStep.Kind
    KIND_RETIRE: TransitionStep.Kind
    INDEX_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    START_OFFSET_FIELD_NUMBER: _ClassVar[int]
    END_OFFSET_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    SURGE_FIELD_NUMBER: _ClassVar[int]
    TEMPORARY_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    index: int
    kind: TransitionStep.Kind
    instance: str
    workload: str
    stages: _containers.RepeatedCompositeFieldContainer[Stage]
    start_offset: _duration_pb2.Duration
    end_offset: _duration_pb2.Duration
    after: _containers.RepeatedScalarFieldContainer[int]
    surge: bool
    temporary: bool
    side: TransitionStep.Side
    def __init__(self, index: _Optional[int] = ..., kind: _Optional[_Union[TransitionStep.Kind, str]] = ..., instance: _Optional[str] = ..., workload: _Optional[str] = ..., stages: _Optional[_Iterable[_Union[Stage, _Mapping]]] = ..., start_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_offset: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., after: _Optional[_Iterable[int]] = ..., surge: bool = ..., temporary: bool = ..., side: _Optional[_Union[TransitionStep.Side, str]] = ...) -> None: ...

class CapacityFloor(_message.Message):
    __slots__ = ("workload", "floor_per_second", "lowest_per_second")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    FLOOR_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    LOWEST_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    workload: str
    floor_per_second: float
    lowest_per_second: float
    def __init__(self, workload: _Optional[str] = ..., floor_per_second: _Optional[float] = ..., lowest_per_second: _Optional[float] = ...) -> None: ...

class RollbackPoint(_message.Message):
    __slots__ = ("after_step", "restart_count", "reload_duration")
    AFTER_STEP_FIELD_NUMBER: _ClassVar[int]
    RESTART_COUNT_FIELD_NUMBER: _ClassVar[int]
    RELOAD_DURATION_FIELD_NUMBER: _ClassVar[int]
    after_step: int
    restart_count: int
    reload_duration: _duration_pb2.Duration
    def __init__(self, after_step: _Optional[int] = ..., restart_count: _Optional[int] = ..., reload_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Verification(_message.Message):
    __slots__ = ("seed", "arrivals", "corrections", "replays", "met")
    SEED_FIELD_NUMBER: _ClassVar[int]
    ARRIVALS_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    REPLAYS_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    seed: int
    arrivals: str
    corrections: _containers.RepeatedScalarFieldContainer[str]
    replays: _containers.RepeatedCompositeFieldContainer[Replay]
    met: bool
    def __init__(self, seed: _Optional[int] = ..., arrivals: _Optional[str] = ..., corrections: _Optional[_Iterable[str]] = ..., replays: _Optional[_Iterable[_Union[Replay, _Mapping]]] = ..., met: bool = ...) -> None: ...

class Replay(_message.Message):
    __slots__ = ("workload", "load", "rate_per_second", "request_count", "ttft", "tpot", "attainment", "met")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    REQUEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    TTFT_FIELD_NUMBER: _ClassVar[int]
    TPOT_FIELD_NUMBER: _ClassVar[int]
    ATTAINMENT_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    workload: str
    load: str
    rate_per_second: float
    request_count: int
    ttft: LatencySpread
    tpot: LatencySpread
    attainment: float
    met: bool
    def __init__(self, workload: _Optional[str] = ..., load: _Optional[str] = ..., rate_per_second: _Optional[float] = ..., request_count: _Optional[int] = ..., ttft: _Optional[_Union[LatencySpread, _Mapping]] = ..., tpot: _Optional[_Union[LatencySpread, _Mapping]] = ..., attainment: _Optional[float] = ..., met: bool = ...) -> None: ...

class LatencySpread(_message.Message):
    __slots__ = ("p50_ms", "p95_ms", "p99_ms", "percentile", "at_percentile_ms", "target_ms", "met")
    P50_MS_FIELD_NUMBER: _ClassVar[int]
    P95_MS_FIELD_NUMBER: _ClassVar[int]
    P99_MS_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    AT_PERCENTILE_MS_FIELD_NUMBER: _ClassVar[int]
    TARGET_MS_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    percentile: float
    at_percentile_ms: float
    target_ms: float
    met: bool
    def __init__(self, p50_ms: _Optional[float] = ..., p95_ms: _Optional[float] = ..., p99_ms: _Optional[float] = ..., percentile: _Optional[float] = ..., at_percentile_ms: _Optional[float] = ..., target_ms: _Optional[float] = ..., met: bool = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("period_duration", "price", "bound", "relative_gap", "periods")
    PERIOD_DURATION_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_GAP_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    period_duration: _duration_pb2.Duration
    price: float
    bound: float
    relative_gap: float
    periods: _containers.RepeatedCompositeFieldContainer[PeriodPlan]
    def __init__(self, period_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., price: _Optional[float] = ..., bound: _Optional[float] = ..., relative_gap: _Optional[float] = ..., periods: _Optional[_Iterable[_Union[PeriodPlan, _Mapping]]] = ...) -> None: ...

class PeriodPlan(_message.Message):
    __slots__ = ("period", "placed", "price_per_hour", "used_gpu_count", "unserved_share", "instance_counts", "role_ratios", "changes")
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    PLACED_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    USED_GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNSERVED_SHARE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    ROLE_RATIOS_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    period: int
    placed: bool
    price_per_hour: float
    used_gpu_count: int
    unserved_share: float
    instance_counts: _containers.RepeatedCompositeFieldContainer[InstanceCount]
    role_ratios: _containers.RepeatedCompositeFieldContainer[RoleRatio]
    changes: _containers.RepeatedCompositeFieldContainer[PeriodChange]
    def __init__(self, period: _Optional[int] = ..., placed: bool = ..., price_per_hour: _Optional[float] = ..., used_gpu_count: _Optional[int] = ..., unserved_share: _Optional[float] = ..., instance_counts: _Optional[_Iterable[_Union[InstanceCount, _Mapping]]] = ..., role_ratios: _Optional[_Iterable[_Union[RoleRatio, _Mapping]]] = ..., changes: _Optional[_Iterable[_Union[PeriodChange, _Mapping]]] = ...) -> None: ...

class InstanceCount(_message.Message):
    __slots__ = ("workload", "role", "pool", "parallelism", "instance_count", "change")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    PARALLELISM_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    workload: str
    role: Instance.Role
    pool: str
    parallelism: Parallelism
    instance_count: int
    change: int
    def __init__(self, workload: _Optional[str] = ..., role: _Optional[_Union[Instance.Role, str]] = ..., pool: _Optional[str] = ..., parallelism: _Optional[_Union[Parallelism, _Mapping]] = ..., instance_count: _Optional[int] = ..., change: _Optional[int] = ...) -> None: ...

class RoleRatio(_message.Message):
    __slots__ = ("workload", "prefill_count", "decode_count", "prefill_gpu_count", "decode_gpu_count")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    PREFILL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DECODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PREFILL_GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    DECODE_GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    workload: str
    prefill_count: int
    decode_count: int
    prefill_gpu_count: int
    decode_gpu_count: int
    def __init__(self, workload: _Optional[str] = ..., prefill_count: _Optional[int] = ..., decode_count: _Optional[int] = ..., prefill_gpu_count: _Optional[int] = ..., decode_gpu_count: _Optional[int] = ...) -> None: ...

class PeriodChange(_message.Message):
    __slots__ = ("kind", "model", "pool", "before", "after", "price", "saves_per_hour", "payback_duration")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[PeriodChange.Kind]
        KIND_ROLE_SWITCH: _ClassVar[PeriodChange.Kind]
        KIND_RESHARD: _ClassVar[PeriodChange.Kind]
        KIND_START: _ClassVar[PeriodChange.Kind]
        KIND_STOP: _ClassVar[PeriodChange.Kind]
    KIND_UNSPECIFIED: PeriodChange.Kind
    KIND_ROLE_SWITCH: PeriodChange.Kind
    KIND_RESHARD: PeriodChange.Kind
    KIND_START: PeriodChange.Kind
    KIND_STOP: PeriodChange.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SAVES_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    PAYBACK_DURATION_FIELD_NUMBER: _ClassVar[int]
    kind: PeriodChange.Kind
    model: str
    pool: str
    before: _containers.RepeatedScalarFieldContainer[str]
    after: _containers.RepeatedScalarFieldContainer[str]
    price: float
    saves_per_hour: float
    payback_duration: _duration_pb2.Duration
    def __init__(self, kind: _Optional[_Union[PeriodChange.Kind, str]] = ..., model: _Optional[str] = ..., pool: _Optional[str] = ..., before: _Optional[_Iterable[str]] = ..., after: _Optional[_Iterable[str]] = ..., price: _Optional[float] = ..., saves_per_hour: _Optional[float] = ..., payback_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PlanProgress(_message.Message):
    __slots__ = ("plan", "state", "phase", "elapsed", "objective", "bound", "relative_gap", "sequence", "update_time")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_GAP_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    plan: str
    state: Plan.State
    phase: str
    elapsed: _duration_pb2.Duration
    objective: float
    bound: float
    relative_gap: float
    sequence: int
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, plan: _Optional[str] = ..., state: _Optional[_Union[Plan.State, str]] = ..., phase: _Optional[str] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., objective: _Optional[float] = ..., bound: _Optional[float] = ..., relative_gap: _Optional[float] = ..., sequence: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
