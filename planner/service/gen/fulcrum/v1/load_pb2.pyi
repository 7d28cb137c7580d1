import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LoadSample(_message.Message):
    __slots__ = ("instance_id", "end_time", "window", "request_count", "running_count", "queued_count", "kv_usage_ratio", "ttft", "tpot", "cold_start")
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    REQUEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUEUED_COUNT_FIELD_NUMBER: _ClassVar[int]
    KV_USAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    TTFT_FIELD_NUMBER: _ClassVar[int]
    TPOT_FIELD_NUMBER: _ClassVar[int]
    COLD_START_FIELD_NUMBER: _ClassVar[int]
    instance_id: str
    end_time: _timestamp_pb2.Timestamp
    window: _duration_pb2.Duration
    request_count: int
    running_count: float
    queued_count: float
    kv_usage_ratio: float
    ttft: LatencyHistogram
    tpot: LatencyHistogram
    cold_start: bool
    def __init__(self, instance_id: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_count: _Optional[int] = ..., running_count: _Optional[float] = ..., queued_count: _Optional[float] = ..., kv_usage_ratio: _Optional[float] = ..., ttft: _Optional[_Union[LatencyHistogram, _Mapping]] = ..., tpot: _Optional[_Union[LatencyHistogram, _Mapping]] = ..., cold_start: bool = ...) -> None: ...

class WorkloadLoad(_message.Message):
    __slots__ = ("workload", "end_time", "rate_per_second", "running_count", "queued_count", "kv_usage_ratio", "instance_count", "ttft", "tpot", "cold_sample_count")
    WORKLOAD_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    RUNNING_COUNT_FIELD_NUMBER: _ClassVar[int]
    QUEUED_COUNT_FIELD_NUMBER: _ClassVar[int]
    KV_USAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TTFT_FIELD_NUMBER: _ClassVar[int]
    TPOT_FIELD_NUMBER: _ClassVar[int]
    COLD_SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    workload: str
    end_time: _timestamp_pb2.Timestamp
    rate_per_second: float
    running_count: float
    queued_count: float
    kv_usage_ratio: float
    instance_count: int
    ttft: LatencyHistogram
    tpot: LatencyHistogram
    cold_sample_count: int
    def __init__(self, workload: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rate_per_second: _Optional[float] = ..., running_count: _Optional[float] = ..., queued_count: _Optional[float] = ..., kv_usage_ratio: _Optional[float] = ..., instance_count: _Optional[int] = ..., ttft: _Optional[_Union[LatencyHistogram, _Mapping]] = ..., tpot: _Optional[_Union[LatencyHistogram, _Mapping]] = ..., cold_sample_count: _Optional[int] = ...) -> None: ...

class LatencyHistogram(_message.Message):
    __slots__ = ("upper_bounds_ms", "counts")
    UPPER_BOUNDS_MS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    upper_bounds_ms: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, upper_bounds_ms: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...
