import datetime

from planner.service.gen.fulcrum.v1 import plan_pb2 as _plan_pb2
from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.longrunning import operations_pb2 as _operations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlanView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLAN_VIEW_UNSPECIFIED: _ClassVar[PlanView]
    PLAN_VIEW_BASIC: _ClassVar[PlanView]
    PLAN_VIEW_FULL: _ClassVar[PlanView]
PLAN_VIEW_UNSPECIFIED: PlanView
PLAN_VIEW_BASIC: PlanView
PLAN_VIEW_FULL: PlanView

class CreatePlanRequest(_message.Message):
    __slots__ = ("document", "options", "current_plan", "current_plan_json", "request_id", "validate_only")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PLAN_FIELD_NUMBER: _ClassVar[int]
    CURRENT_PLAN_JSON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    document: str
    options: _plan_pb2.PlanOptions
    current_plan: str
    current_plan_json: str
    request_id: str
    validate_only: bool
    def __init__(self, document: _Optional[str] = ..., options: _Optional[_Union[_plan_pb2.PlanOptions, _Mapping]] = ..., current_plan: _Optional[str] = ..., current_plan_json: _Optional[str] = ..., request_id: _Optional[str] = ..., validate_only: bool = ...) -> None: ...

class GetPlanRequest(_message.Message):
    __slots__ = ("name", "view")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    name: str
    view: PlanView
    def __init__(self, name: _Optional[str] = ..., view: _Optional[_Union[PlanView, str]] = ...) -> None: ...

class ListPlansRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "states", "fleet", "view")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    FLEET_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[_plan_pb2.Plan.State]
    fleet: str
    view: PlanView
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_plan_pb2.Plan.State, str]]] = ..., fleet: _Optional[str] = ..., view: _Optional[_Union[PlanView, str]] = ...) -> None: ...

class ListPlansResponse(_message.Message):
    __slots__ = ("plans", "next_page_token")
    PLANS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    plans: _containers.RepeatedCompositeFieldContainer[_plan_pb2.Plan]
    next_page_token: str
    def __init__(self, plans: _Optional[_Iterable[_Union[_plan_pb2.Plan, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DiffPlansRequest(_message.Message):
    __slots__ = ("base", "target")
    BASE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    base: str
    target: str
    def __init__(self, base: _Optional[str] = ..., target: _Optional[str] = ...) -> None: ...

class DiffPlansResponse(_message.Message):
    __slots__ = ("moves", "unchanged_count", "price_per_hour_change")
    MOVES_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_CHANGE_FIELD_NUMBER: _ClassVar[int]
    moves: _containers.RepeatedCompositeFieldContainer[_plan_pb2.Move]
    unchanged_count: int
    price_per_hour_change: float
    def __init__(self, moves: _Optional[_Iterable[_Union[_plan_pb2.Move, _Mapping]]] = ..., unchanged_count: _Optional[int] = ..., price_per_hour_change: _Optional[float] = ...) -> None: ...

class ExplainPlanRequest(_message.Message):
    __slots__ = ("name", "time_limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    time_limit: _duration_pb2.Duration
    def __init__(self, name: _Optional[str] = ..., time_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ExplainPlanResponse(_message.Message):
    __slots__ = ("progress", "explanation")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    EXPLANATION_FIELD_NUMBER: _ClassVar[int]
    progress: _plan_pb2.PlanProgress
    explanation: PlanExplanation
    def __init__(self, progress: _Optional[_Union[_plan_pb2.PlanProgress, _Mapping]] = ..., explanation: _Optional[_Union[PlanExplanation, _Mapping]] = ...) -> None: ...

class PlanExplanation(_message.Message):
    __slots__ = ("workloads", "alternatives", "resharding", "node_worths", "ruled_out", "incomplete")
    WORKLOADS_FIELD_NUMBER: _ClassVar[int]
    ALTERNATIVES_FIELD_NUMBER: _ClassVar[int]
    RESHARDING_FIELD_NUMBER: _ClassVar[int]
    NODE_WORTHS_FIELD_NUMBER: _ClassVar[int]
    RULED_OUT_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    workloads: _containers.RepeatedCompositeFieldContainer[WorkloadExplanation]
    alternatives: _containers.RepeatedScalarFieldContainer[str]
    resharding: _containers.RepeatedScalarFieldContainer[str]
    node_worths: _containers.RepeatedCompositeFieldContainer[NodeWorth]
    ruled_out: str
    incomplete: bool
    def __init__(self, workloads: _Optional[_Iterable[_Union[WorkloadExplanation, _Mapping]]] = ..., alternatives: _Optional[_Iterable[str]] = ..., resharding: _Optional[_Iterable[str]] = ..., node_worths: _Optional[_Iterable[_Union[NodeWorth, _Mapping]]] = ..., ruled_out: _Optional[str] = ..., incomplete: bool = ...) -> None: ...

class WorkloadExplanation(_message.Message):
    __slots__ = ("workload", "sentences", "shapes")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    SHAPES_FIELD_NUMBER: _ClassVar[int]
    workload: str
    sentences: _containers.RepeatedScalarFieldContainer[str]
    shapes: _containers.RepeatedCompositeFieldContainer[ShapeExplanation]
    def __init__(self, workload: _Optional[str] = ..., sentences: _Optional[_Iterable[str]] = ..., shapes: _Optional[_Iterable[_Union[ShapeExplanation, _Mapping]]] = ...) -> None: ...

class ShapeExplanation(_message.Message):
    __slots__ = ("chosen_count", "role", "cut", "pool", "gpu_count", "max_num_batched_tokens", "capacity_per_second", "price_per_thousand", "ttft_ms", "tpot_ms", "limit", "dominated")
    CHOSEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    POOL_FIELD_NUMBER: _ClassVar[int]
    GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_BATCHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_THOUSAND_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    TPOT_MS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    DOMINATED_FIELD_NUMBER: _ClassVar[int]
    chosen_count: int
    role: _plan_pb2.Instance.Role
    cut: str
    pool: str
    gpu_count: int
    max_num_batched_tokens: int
    capacity_per_second: float
    price_per_thousand: float
    ttft_ms: float
    tpot_ms: float
    limit: str
    dominated: bool
    def __init__(self, chosen_count: _Optional[int] = ..., role: _Optional[_Union[_plan_pb2.Instance.Role, str]] = ..., cut: _Optional[str] = ..., pool: _Optional[str] = ..., gpu_count: _Optional[int] = ..., max_num_batched_tokens: _Optional[int] = ..., capacity_per_second: _Optional[float] = ..., price_per_thousand: _Optional[float] = ..., ttft_ms: _Optional[float] = ..., tpot_ms: _Optional[float] = ..., limit: _Optional[str] = ..., dominated: bool = ...) -> None: ...

class NodeWorth(_message.Message):
    __slots__ = ("pool", "description")
    POOL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    pool: str
    description: str
    def __init__(self, pool: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class WhatIfRequest(_message.Message):
    __slots__ = ("document", "plan", "changes", "options")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    document: str
    plan: str
    changes: FleetChanges
    options: _plan_pb2.PlanOptions
    def __init__(self, document: _Optional[str] = ..., plan: _Optional[str] = ..., changes: _Optional[_Union[FleetChanges, _Mapping]] = ..., options: _Optional[_Union[_plan_pb2.PlanOptions, _Mapping]] = ...) -> None: ...

class FleetChanges(_message.Message):
    __slots__ = ("demand", "removed_pools", "swaps", "nodes", "prices")
    DEMAND_FIELD_NUMBER: _ClassVar[int]
    REMOVED_POOLS_FIELD_NUMBER: _ClassVar[int]
    SWAPS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    demand: _containers.RepeatedScalarFieldContainer[str]
    removed_pools: _containers.RepeatedScalarFieldContainer[str]
    swaps: _containers.RepeatedScalarFieldContainer[str]
    nodes: _containers.RepeatedScalarFieldContainer[str]
    prices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, demand: _Optional[_Iterable[str]] = ..., removed_pools: _Optional[_Iterable[str]] = ..., swaps: _Optional[_Iterable[str]] = ..., nodes: _Optional[_Iterable[str]] = ..., prices: _Optional[_Iterable[str]] = ...) -> None: ...

class WhatIfResponse(_message.Message):
    __slots__ = ("progress", "comparison")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    progress: _plan_pb2.PlanProgress
    comparison: FleetComparison
    def __init__(self, progress: _Optional[_Union[_plan_pb2.PlanProgress, _Mapping]] = ..., comparison: _Optional[_Union[FleetComparison, _Mapping]] = ...) -> None: ...

class FleetComparison(_message.Message):
    __slots__ = ("before_state", "after_state", "json", "before_plan_json", "after_plan_json")
    BEFORE_STATE_FIELD_NUMBER: _ClassVar[int]
    AFTER_STATE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    BEFORE_PLAN_JSON_FIELD_NUMBER: _ClassVar[int]
    AFTER_PLAN_JSON_FIELD_NUMBER: _ClassVar[int]
    before_state: _plan_pb2.Plan.State
    after_state: _plan_pb2.Plan.State
    json: str
    before_plan_json: str
    after_plan_json: str
    def __init__(self, before_state: _Optional[_Union[_plan_pb2.Plan.State, str]] = ..., after_state: _Optional[_Union[_plan_pb2.Plan.State, str]] = ..., json: _Optional[str] = ..., before_plan_json: _Optional[str] = ..., after_plan_json: _Optional[str] = ...) -> None: ...

class WatchPlanRequest(_message.Message):
    __slots__ = ("name", "after_sequence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_sequence: int
    def __init__(self, name: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class WatchPlanResponse(_message.Message):
    __slots__ = ("plan", "progress", "heartbeat")
    class Heartbeat(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    PLAN_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    progress: _plan_pb2.PlanProgress
    heartbeat: WatchPlanResponse.Heartbeat
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., progress: _Optional[_Union[_plan_pb2.PlanProgress, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchPlanResponse.Heartbeat, _Mapping]] = ...) -> None: ...
