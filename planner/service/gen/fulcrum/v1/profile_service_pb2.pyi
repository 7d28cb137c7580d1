import datetime

from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProfileOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_ORIGIN_UNSPECIFIED: _ClassVar[ProfileOrigin]
    PROFILE_ORIGIN_SERVER: _ClassVar[ProfileOrigin]
    PROFILE_ORIGIN_UPLOADED: _ClassVar[ProfileOrigin]

class ProfileBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_BASIS_UNSPECIFIED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_MEASURED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_IMPORTED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_DATASHEET: _ClassVar[ProfileBasis]
PROFILE_ORIGIN_UNSPECIFIED: ProfileOrigin
PROFILE_ORIGIN_SERVER: ProfileOrigin
PROFILE_ORIGIN_UPLOADED: ProfileOrigin
PROFILE_BASIS_UNSPECIFIED: ProfileBasis
PROFILE_BASIS_MEASURED: ProfileBasis
PROFILE_BASIS_IMPORTED: ProfileBasis
PROFILE_BASIS_DATASHEET: ProfileBasis

class Profile(_message.Message):
    __slots__ = ("name", "gpu", "device", "driver", "basis", "source", "licence", "created", "libraries", "tables", "origin", "sha256", "size_bytes", "upload_time", "uploader")
    class LibrariesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    GPU_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    DRIVER_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    LIBRARIES_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_TIME_FIELD_NUMBER: _ClassVar[int]
    UPLOADER_FIELD_NUMBER: _ClassVar[int]
    name: str
    gpu: str
    device: str
    driver: str
    basis: ProfileBasis
    source: str
    licence: str
    created: str
    libraries: _containers.ScalarMap[str, str]
    tables: _containers.RepeatedCompositeFieldContainer[ProfileTable]
    origin: ProfileOrigin
    sha256: str
    size_bytes: int
    upload_time: _timestamp_pb2.Timestamp
    uploader: str
    def __init__(self, name: _Optional[str] = ..., gpu: _Optional[str] = ..., device: _Optional[str] = ..., driver: _Optional[str] = ..., basis: _Optional[_Union[ProfileBasis, str]] = ..., source: _Optional[str] = ..., licence: _Optional[str] = ..., created: _Optional[str] = ..., libraries: _Optional[_Mapping[str, str]] = ..., tables: _Optional[_Iterable[_Union[ProfileTable, _Mapping]]] = ..., origin: _Optional[_Union[ProfileOrigin, str]] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., upload_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., uploader: _Optional[str] = ...) -> None: ...

class ProfileTable(_message.Message):
    __slots__ = ("operation", "row_count", "basis", "source", "sha256")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    operation: str
    row_count: int
    basis: ProfileBasis
    source: str
    sha256: str
    def __init__(self, operation: _Optional[str] = ..., row_count: _Optional[int] = ..., basis: _Optional[_Union[ProfileBasis, str]] = ..., source: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListProfilesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListProfilesResponse(_message.Message):
    __slots__ = ("profiles", "next_page_token")
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[Profile]
    next_page_token: str
    def __init__(self, profiles: _Optional[_Iterable[_Union[Profile, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ProfileUpload(_message.Message):
    __slots__ = ("name", "manifest_json", "tables", "size_bytes", "sha256", "replace_existing", "validate_only", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_JSON_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    REPLACE_EXISTING_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    manifest_json: str
    tables: _containers.RepeatedCompositeFieldContainer[ProfileUploadTable]
    size_bytes: int
    sha256: str
    replace_existing: bool
    validate_only: bool
    request_id: str
    def __init__(self, name: _Optional[str] = ..., manifest_json: _Optional[str] = ..., tables: _Optional[_Iterable[_Union[ProfileUploadTable, _Mapping]]] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[str] = ..., replace_existing: bool = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class ProfileUploadTable(_message.Message):
    __slots__ = ("operation", "size_bytes")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    operation: str
    size_bytes: int
    def __init__(self, operation: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class UploadProfileRequest(_message.Message):
    __slots__ = ("upload", "chunk")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    upload: ProfileUpload
    chunk: bytes
    def __init__(self, upload: _Optional[_Union[ProfileUpload, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class DownloadProfileRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DownloadProfileResponse(_message.Message):
    __slots__ = ("upload", "chunk")
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    upload: ProfileUpload
    chunk: bytes
    def __init__(self, upload: _Optional[_Union[ProfileUpload, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ValidateProfileRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ProfileValidation(_message.Message):
    __slots__ = ("name", "tables", "warnings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TABLES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    tables: _containers.RepeatedCompositeFieldContainer[ProfileTableAccuracy]
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., tables: _Optional[_Iterable[_Union[ProfileTableAccuracy, _Mapping]]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class ProfileTableAccuracy(_message.Message):
    __slots__ = ("operation", "row_count", "tested_count", "median_error_ratio", "p90_error_ratio", "max_error_ratio")
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    TESTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    P90_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_ERROR_RATIO_FIELD_NUMBER: _ClassVar[int]
    operation: str
    row_count: int
    tested_count: int
    median_error_ratio: float
    p90_error_ratio: float
    max_error_ratio: float
    def __init__(self, operation: _Optional[str] = ..., row_count: _Optional[int] = ..., tested_count: _Optional[int] = ..., median_error_ratio: _Optional[float] = ..., p90_error_ratio: _Optional[float] = ..., max_error_ratio: _Optional[float] = ...) -> None: ...

class DeleteProfileRequest(_message.Message):
    __slots__ = ("name", "allow_missing")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    name: str
    allow_missing: bool
    def __init__(self, name: _Optional[str] = ..., allow_missing: bool = ...) -> None: ...
