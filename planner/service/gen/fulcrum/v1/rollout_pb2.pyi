import datetime

from planner.service.gen.fulcrum.v1 import plan_pb2 as _plan_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Rollout(_message.Message):
    __slots__ = ("name", "generation", "plan", "state", "reason", "steps", "sequence", "create_time", "update_time", "end_time", "waiting_nodes", "assumptions")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Rollout.State]
        STATE_ROLLING: _ClassVar[Rollout.State]
        STATE_DONE: _ClassVar[Rollout.State]
        STATE_FAILED: _ClassVar[Rollout.State]
        STATE_STOPPED: _ClassVar[Rollout.State]
        STATE_SUPERSEDED: _ClassVar[Rollout.State]
    STATE_UNSPECIFIED: Rollout.State
    STATE_ROLLING: Rollout.State
    STATE_DONE: Rollout.State
    STATE_FAILED: Rollout.State
    STATE_STOPPED: Rollout.State
    STATE_SUPERSEDED: Rollout.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WAITING_NODES_FIELD_NUMBER: _ClassVar[int]
    ASSUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    generation: int
    plan: str
    state: Rollout.State
    reason: str
    steps: _containers.RepeatedCompositeFieldContainer[RolloutStep]
    sequence: int
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    waiting_nodes: _containers.RepeatedScalarFieldContainer[str]
    assumptions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., generation: _Optional[int] = ..., plan: _Optional[str] = ..., state: _Optional[_Union[Rollout.State, str]] = ..., reason: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[RolloutStep, _Mapping]]] = ..., sequence: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., waiting_nodes: _Optional[_Iterable[str]] = ..., assumptions: _Optional[_Iterable[str]] = ...) -> None: ...

class RolloutStep(_message.Message):
    __slots__ = ("step", "instance_id", "state", "start_time", "end_time", "reason")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[RolloutStep.State]
        STATE_WAITING: _ClassVar[RolloutStep.State]
        STATE_OPEN: _ClassVar[RolloutStep.State]
        STATE_STARTED: _ClassVar[RolloutStep.State]
        STATE_DONE: _ClassVar[RolloutStep.State]
        STATE_FAILED: _ClassVar[RolloutStep.State]
    STATE_UNSPECIFIED: RolloutStep.State
    STATE_WAITING: RolloutStep.State
    STATE_OPEN: RolloutStep.State
    STATE_STARTED: RolloutStep.State
    STATE_DONE: RolloutStep.State
    STATE_FAILED: RolloutStep.State
    STEP_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    step: _plan_pb2.TransitionStep
    instance_id: str
    state: RolloutStep.State
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, step: _Optional[_Union[_plan_pb2.TransitionStep, _Mapping]] = ..., instance_id: _Optional[str] = ..., state: _Optional[_Union[RolloutStep.State, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...
