import datetime

from planner.service.gen.fulcrum.v1 import load_pb2 as _load_pb2
from planner.service.gen.fulcrum.v1 import plan_pb2 as _plan_pb2
from planner.service.gen.fulcrum.v1 import rollout_pb2 as _rollout_pb2
from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Engine(_message.Message):
    __slots__ = ("name", "node", "gpu_indices", "address", "kind", "version", "capabilities", "labels", "state", "create_time", "update_time", "lease_expire_time", "instances")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Engine.State]
        STATE_LIVE: _ClassVar[Engine.State]
        STATE_LOST: _ClassVar[Engine.State]
    STATE_UNSPECIFIED: Engine.State
    STATE_LIVE: Engine.State
    STATE_LOST: Engine.State
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    GPU_INDICES_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    name: str
    node: str
    gpu_indices: _containers.RepeatedScalarFieldContainer[int]
    address: str
    kind: str
    version: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.ScalarMap[str, str]
    state: Engine.State
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    lease_expire_time: _timestamp_pb2.Timestamp
    instances: _containers.RepeatedCompositeFieldContainer[InstanceStatus]
    def __init__(self, name: _Optional[str] = ..., node: _Optional[str] = ..., gpu_indices: _Optional[_Iterable[int]] = ..., address: _Optional[str] = ..., kind: _Optional[str] = ..., version: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., state: _Optional[_Union[Engine.State, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., instances: _Optional[_Iterable[_Union[InstanceStatus, _Mapping]]] = ...) -> None: ...

class InstanceStatus(_message.Message):
    __slots__ = ("instance_id", "state", "restart_count", "message")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[InstanceStatus.State]
        STATE_STARTING: _ClassVar[InstanceStatus.State]
        STATE_READY: _ClassVar[InstanceStatus.State]
        STATE_DRAINING: _ClassVar[InstanceStatus.State]
        STATE_CRASHED: _ClassVar[InstanceStatus.State]
        STATE_STOPPED: _ClassVar[InstanceStatus.State]
    STATE_UNSPECIFIED: InstanceStatus.State
    STATE_STARTING: InstanceStatus.State
    STATE_READY: InstanceStatus.State
    STATE_DRAINING: InstanceStatus.State
    STATE_CRASHED: InstanceStatus.State
    STATE_STOPPED: InstanceStatus.State
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RESTART_COUNT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    state: InstanceStatus.State
    restart_count: int
    message: str
    def __init__(self, instance_id: _Optional[str] = ..., state: _Optional[_Union[InstanceStatus.State, str]] = ..., restart_count: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("engine", "plan", "generation", "rollout_state", "instances", "steps", "resume_token")
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ROLLOUT_STATE_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    engine: str
    plan: str
    generation: int
    rollout_state: _rollout_pb2.Rollout.State
    instances: _containers.RepeatedCompositeFieldContainer[AssignedInstance]
    steps: _containers.RepeatedCompositeFieldContainer[OpenStep]
    resume_token: str
    def __init__(self, engine: _Optional[str] = ..., plan: _Optional[str] = ..., generation: _Optional[int] = ..., rollout_state: _Optional[_Union[_rollout_pb2.Rollout.State, str]] = ..., instances: _Optional[_Iterable[_Union[AssignedInstance, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[OpenStep, _Mapping]]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class AssignedInstance(_message.Message):
    __slots__ = ("instance_id", "desired", "instance", "node", "gpu_indices", "launch", "node_addresses")
    class Desired(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DESIRED_UNSPECIFIED: _ClassVar[AssignedInstance.Desired]
        DESIRED_LOADED: _ClassVar[AssignedInstance.Desired]
        DESIRED_SERVING: _ClassVar[AssignedInstance.Desired]
        DESIRED_DRAINING: _ClassVar[AssignedInstance.Desired]
    DESIRED_UNSPECIFIED: AssignedInstance.Desired
    DESIRED_LOADED: AssignedInstance.Desired
    DESIRED_SERVING: AssignedInstance.Desired
    DESIRED_DRAINING: AssignedInstance.Desired
    class NodeAddressesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    DESIRED_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    GPU_INDICES_FIELD_NUMBER: _ClassVar[int]
    LAUNCH_FIELD_NUMBER: _ClassVar[int]
    NODE_ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    desired: AssignedInstance.Desired
    instance: _plan_pb2.Instance
    node: str
    gpu_indices: _containers.RepeatedScalarFieldContainer[int]
    launch: _plan_pb2.Launch
    node_addresses: _containers.ScalarMap[str, str]
    def __init__(self, instance_id: _Optional[str] = ..., desired: _Optional[_Union[AssignedInstance.Desired, str]] = ..., instance: _Optional[_Union[_plan_pb2.Instance, _Mapping]] = ..., node: _Optional[str] = ..., gpu_indices: _Optional[_Iterable[int]] = ..., launch: _Optional[_Union[_plan_pb2.Launch, _Mapping]] = ..., node_addresses: _Optional[_Mapping[str, str]] = ...) -> None: ...

class OpenStep(_message.Message):
    __slots__ = ("step", "instance_id", "started")
    STEP_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    step: _plan_pb2.TransitionStep
    instance_id: str
    started: bool
    def __init__(self, step: _Optional[_Union[_plan_pb2.TransitionStep, _Mapping]] = ..., instance_id: _Optional[str] = ..., started: bool = ...) -> None: ...

class RegisterEngineRequest(_message.Message):
    __slots__ = ("parent", "engine_id", "engine", "lease_duration")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    ENGINE_ID_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    parent: str
    engine_id: str
    engine: Engine
    lease_duration: _duration_pb2.Duration
    def __init__(self, parent: _Optional[str] = ..., engine_id: _Optional[str] = ..., engine: _Optional[_Union[Engine, _Mapping]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetEngineRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListEnginesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEnginesResponse(_message.Message):
    __slots__ = ("engines", "next_page_token")
    ENGINES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    engines: _containers.RepeatedCompositeFieldContainer[Engine]
    next_page_token: str
    def __init__(self, engines: _Optional[_Iterable[_Union[Engine, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteEngineRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class WatchAssignmentRequest(_message.Message):
    __slots__ = ("name", "resume_token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    resume_token: str
    def __init__(self, name: _Optional[str] = ..., resume_token: _Optional[str] = ...) -> None: ...

class WatchAssignmentResponse(_message.Message):
    __slots__ = ("assignment", "heartbeat")
    class Heartbeat(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    assignment: Assignment
    heartbeat: WatchAssignmentResponse.Heartbeat
    def __init__(self, assignment: _Optional[_Union[Assignment, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchAssignmentResponse.Heartbeat, _Mapping]] = ...) -> None: ...

class AcknowledgeStepRequest(_message.Message):
    __slots__ = ("name", "generation", "step_index", "outcome", "reason")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[AcknowledgeStepRequest.Outcome]
        OUTCOME_STARTED: _ClassVar[AcknowledgeStepRequest.Outcome]
        OUTCOME_DONE: _ClassVar[AcknowledgeStepRequest.Outcome]
        OUTCOME_FAILED: _ClassVar[AcknowledgeStepRequest.Outcome]
    OUTCOME_UNSPECIFIED: AcknowledgeStepRequest.Outcome
    OUTCOME_STARTED: AcknowledgeStepRequest.Outcome
    OUTCOME_DONE: AcknowledgeStepRequest.Outcome
    OUTCOME_FAILED: AcknowledgeStepRequest.Outcome
    NAME_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STEP_INDEX_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    generation: int
    step_index: int
    outcome: AcknowledgeStepRequest.Outcome
    reason: str
    def __init__(self, name: _Optional[str] = ..., generation: _Optional[int] = ..., step_index: _Optional[int] = ..., outcome: _Optional[_Union[AcknowledgeStepRequest.Outcome, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class AcknowledgeStepResponse(_message.Message):
    __slots__ = ("rollout_state",)
    ROLLOUT_STATE_FIELD_NUMBER: _ClassVar[int]
    rollout_state: _rollout_pb2.Rollout.State
    def __init__(self, rollout_state: _Optional[_Union[_rollout_pb2.Rollout.State, str]] = ...) -> None: ...

class ReportLoadRequest(_message.Message):
    __slots__ = ("name", "samples", "instances", "instances_reported")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_FIELD_NUMBER: _ClassVar[int]
    INSTANCES_REPORTED_FIELD_NUMBER: _ClassVar[int]
    name: str
    samples: _containers.RepeatedCompositeFieldContainer[_load_pb2.LoadSample]
    instances: _containers.RepeatedCompositeFieldContainer[InstanceStatus]
    instances_reported: bool
    def __init__(self, name: _Optional[str] = ..., samples: _Optional[_Iterable[_Union[_load_pb2.LoadSample, _Mapping]]] = ..., instances: _Optional[_Iterable[_Union[InstanceStatus, _Mapping]]] = ..., instances_reported: bool = ...) -> None: ...

class ReportLoadResponse(_message.Message):
    __slots__ = ("lease_expire_time", "discarded")
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    DISCARDED_FIELD_NUMBER: _ClassVar[int]
    lease_expire_time: _timestamp_pb2.Timestamp
    discarded: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., discarded: _Optional[_Iterable[str]] = ...) -> None: ...
