import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SolveAssignmentRequest(_message.Message):
    __slots__ = ("document", "options", "validate_only")
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    document: str
    options: AssignmentOptions
    validate_only: bool
    def __init__(self, document: _Optional[str] = ..., options: _Optional[_Union[AssignmentOptions, _Mapping]] = ..., validate_only: bool = ...) -> None: ...

class AssignmentOptions(_message.Message):
    __slots__ = ("time_limit", "seed", "thread_count", "solver", "relative_gap", "prices")
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    THREAD_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOLVER_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_GAP_FIELD_NUMBER: _ClassVar[int]
    PRICES_FIELD_NUMBER: _ClassVar[int]
    time_limit: _duration_pb2.Duration
    seed: int
    thread_count: int
    solver: str
    relative_gap: float
    prices: bool
    def __init__(self, time_limit: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., seed: _Optional[int] = ..., thread_count: _Optional[int] = ..., solver: _Optional[str] = ..., relative_gap: _Optional[float] = ..., prices: bool = ...) -> None: ...

class SolveAssignmentResponse(_message.Message):
    __slots__ = ("progress", "answer")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    progress: AssignmentProgress
    answer: AssignmentAnswer
    def __init__(self, progress: _Optional[_Union[AssignmentProgress, _Mapping]] = ..., answer: _Optional[_Union[AssignmentAnswer, _Mapping]] = ...) -> None: ...

class AssignmentProgress(_message.Message):
    __slots__ = ("phase", "elapsed", "tier", "objective", "bound", "relative_gap")
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    BOUND_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_GAP_FIELD_NUMBER: _ClassVar[int]
    phase: str
    elapsed: _duration_pb2.Duration
    tier: int
    objective: float
    bound: float
    relative_gap: float
    def __init__(self, phase: _Optional[str] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., tier: _Optional[int] = ..., objective: _Optional[float] = ..., bound: _Optional[float] = ..., relative_gap: _Optional[float] = ...) -> None: ...

class AssignmentAnswer(_message.Message):
    __slots__ = ("state", "json")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[AssignmentAnswer.State]
        STATE_OPTIMAL: _ClassVar[AssignmentAnswer.State]
        STATE_FEASIBLE: _ClassVar[AssignmentAnswer.State]
        STATE_INFEASIBLE: _ClassVar[AssignmentAnswer.State]
        STATE_UNKNOWN: _ClassVar[AssignmentAnswer.State]
        STATE_CANCELLED: _ClassVar[AssignmentAnswer.State]
    STATE_UNSPECIFIED: AssignmentAnswer.State
    STATE_OPTIMAL: AssignmentAnswer.State
    STATE_FEASIBLE: AssignmentAnswer.State
    STATE_INFEASIBLE: AssignmentAnswer.State
    STATE_UNKNOWN: AssignmentAnswer.State
    STATE_CANCELLED: AssignmentAnswer.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    state: AssignmentAnswer.State
    json: str
    def __init__(self, state: _Optional[_Union[AssignmentAnswer.State, str]] = ..., json: _Optional[str] = ...) -> None: ...
