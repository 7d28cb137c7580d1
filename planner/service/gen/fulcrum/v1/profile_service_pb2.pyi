from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProfileBasis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_BASIS_UNSPECIFIED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_MEASURED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_IMPORTED: _ClassVar[ProfileBasis]
    PROFILE_BASIS_DATASHEET: _ClassVar[ProfileBasis]
PROFILE_BASIS_UNSPECIFIED: ProfileBasis
PROFILE_BASIS_MEASURED: ProfileBasis
PROFILE_BASIS_IMPORTED: ProfileBasis
PROFILE_BASIS_DATASHEET: ProfileBasis

class Profile(_message.Message):
    __slots__ = ("name", "gpu", "device", "driver", "basis", "source", "licence", "created", "libraries", "tables")
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
    def __init__(self, name: _Optional[str] = ..., gpu: _Optional[str] = ..., device: _Optional[str] = ..., driver: _Optional[str] = ..., basis: _Optional[_Union[ProfileBasis, str]] = ..., source: _Optional[str] = ..., licence: _Optional[str] = ..., created: _Optional[str] = ..., libraries: _Optional[_Mapping[str, str]] = ..., tables: _Optional[_Iterable[_Union[ProfileTable, _Mapping]]] = ...) -> None: ...

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
