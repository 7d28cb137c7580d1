from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorkloadOutcome(_message.Message):
    __slots__ = ("workload", "demand_per_second", "capacity_per_second", "surviving_capacity_per_second", "unserved_per_second", "ttft_percentile", "ttft_target_ms", "ttft_ms", "tpot_percentile", "tpot_target_ms", "tpot_ms")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    DEMAND_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CAPACITY_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SURVIVING_CAPACITY_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    UNSERVED_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TTFT_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    TTFT_TARGET_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    TPOT_PERCENTILE_FIELD_NUMBER: _ClassVar[int]
    TPOT_TARGET_MS_FIELD_NUMBER: _ClassVar[int]
    TPOT_MS_FIELD_NUMBER: _ClassVar[int]
    workload: str
    demand_per_second: float
    capacity_per_second: float
    surviving_capacity_per_second: float
    unserved_per_second: float
    ttft_percentile: float
    ttft_target_ms: float
    ttft_ms: float
    tpot_percentile: float
    tpot_target_ms: float
    tpot_ms: float
    def __init__(self, workload: _Optional[str] = ..., demand_per_second: _Optional[float] = ..., capacity_per_second: _Optional[float] = ..., surviving_capacity_per_second: _Optional[float] = ..., unserved_per_second: _Optional[float] = ..., ttft_percentile: _Optional[float] = ..., ttft_target_ms: _Optional[float] = ..., ttft_ms: _Optional[float] = ..., tpot_percentile: _Optional[float] = ..., tpot_target_ms: _Optional[float] = ..., tpot_ms: _Optional[float] = ...) -> None: ...

class PoolUse(_message.Message):
    __slots__ = ("pool", "gpu", "node_count", "gpus_per_node", "used_gpu_count", "gpu_parts", "price_per_hour")
    POOL_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    NODE_COUNT_FIELD_NUMBER: _ClassVar[int]
    GPUS_PER_NODE_FIELD_NUMBER: _ClassVar[int]
    USED_GPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    GPU_PARTS_FIELD_NUMBER: _ClassVar[int]
    PRICE_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    pool: str
    gpu: str
    node_count: int
    gpus_per_node: int
    used_gpu_count: int
    gpu_parts: int
    price_per_hour: float
    def __init__(self, pool: _Optional[str] = ..., gpu: _Optional[str] = ..., node_count: _Optional[int] = ..., gpus_per_node: _Optional[int] = ..., used_gpu_count: _Optional[int] = ..., gpu_parts: _Optional[int] = ..., price_per_hour: _Optional[float] = ...) -> None: ...

class Basis(_message.Message):
    __slots__ = ("what", "basis", "source")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    what: str
    basis: str
    source: str
    def __init__(self, what: _Optional[str] = ..., basis: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class KvTransfer(_message.Message):
    __slots__ = ("workload", "zone", "bytes_per_second", "within_nodes_share", "within_racks_share", "farthest", "fullest_link", "fullest_share")
    class Distance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DISTANCE_UNSPECIFIED: _ClassVar[KvTransfer.Distance]
        DISTANCE_NODE: _ClassVar[KvTransfer.Distance]
        DISTANCE_RACK: _ClassVar[KvTransfer.Distance]
        DISTANCE_ZONE: _ClassVar[KvTransfer.Distance]
    DISTANCE_UNSPECIFIED: KvTransfer.Distance
    DISTANCE_NODE: KvTransfer.Distance
    DISTANCE_RACK: KvTransfer.Distance
    DISTANCE_ZONE: KvTransfer.Distance
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    WITHIN_NODES_SHARE_FIELD_NUMBER: _ClassVar[int]
    WITHIN_RACKS_SHARE_FIELD_NUMBER: _ClassVar[int]
    FARTHEST_FIELD_NUMBER: _ClassVar[int]
    FULLEST_LINK_FIELD_NUMBER: _ClassVar[int]
    FULLEST_SHARE_FIELD_NUMBER: _ClassVar[int]
    workload: str
    zone: str
    bytes_per_second: float
    within_nodes_share: float
    within_racks_share: float
    farthest: KvTransfer.Distance
    fullest_link: str
    fullest_share: float
    def __init__(self, workload: _Optional[str] = ..., zone: _Optional[str] = ..., bytes_per_second: _Optional[float] = ..., within_nodes_share: _Optional[float] = ..., within_racks_share: _Optional[float] = ..., farthest: _Optional[_Union[KvTransfer.Distance, str]] = ..., fullest_link: _Optional[str] = ..., fullest_share: _Optional[float] = ...) -> None: ...
