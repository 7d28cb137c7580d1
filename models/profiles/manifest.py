"""The manifest of a profile: device, software, date, where the numbers come from, and a checksum for
each table.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, cast

from models.errors import InvalidInput, UnknownName, Unsupported
from models.profiles.schema import OPERATIONS, SCHEMA_VERSION

__all__ = ["BASES", "Basis", "DeviceInfo", "Manifest", "TableEntry"]

Basis = Literal["measured", "imported", "datasheet"]
BASES: tuple[Basis, ...] = ("measured", "imported", "datasheet")

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceInfo:
    """What was measured.

    Parameters
    ----------
    name
        As the driver calls it: "NVIDIA H200", "AMD EPYC 9B14".
    kind
        "cuda" or "cpu".
    driver, uuid
        Empty when unknown. Two profiles of one device and driver may be merged, others not.
    attributes
        Counts and limits worth keeping: ``sm_count``, ``max_sm_clock_mhz``, ``power_limit_watts``, …
    """

    name: str
    kind: Literal["cuda", "cpu"]
    memory_bytes: int = 0
    count: int = 1
    driver: str = ""
    uuid: str = ""
    attributes: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEntry:
    """One table of a profile.

    Parameters
    ----------
    basis, source
        Where these rows come from; a profile may mix measured and imported tables.
    """

    file: str
    rows: int
    sha256: str
    basis: Basis
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything about a profile but its numbers.

    Parameters
    ----------
    name
        Lower-case folder name: ``h200-sxm-141gb``.
    gpu
        Name in the GPU catalogue, empty when it is not there (a CPU).
    created
        ISO date, or UTC date and time: ``2026-11-20T08:15:00Z``.
    basis
        ``measured`` by our profiler, ``imported`` from other people's measurements, or derived from a
        ``datasheet``.
    source, licence
        Where the numbers come from, and under which licence they may be handed on.
    libraries
        Versions of the software that ran, by name.
    clocks
        Observed clocks in MHz by name (``sm_median``, ``memory_median``, ``sm_max``), empty when unknown.
    details
        How it was measured: seed, budget, tolerance, error per operation, what was refused and why. JSON
        values.
    """

    name: str
    gpu: str
    device: DeviceInfo
    created: str
    basis: Basis
    source: str
    licence: str
    libraries: dict[str, str] = field(default_factory=dict)
    clocks: dict[str, float] = field(default_factory=dict)
    tables: dict[str, TableEntry] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidInput(
                f"{self.name!r} is no profile name; use lower-case letters, digits, '.', '_' and '-'",
                path=("name",),
            )
        if self.basis not in BASES:
            raise UnknownName("basis", self.basis, BASES, path=("basis",))
        if not _DATE.fullmatch(self.created):
            raise InvalidInput(f"{self.created!r} is no date such as 2026-11-20", path=("created",))
        for text in ("source", "licence"):
            if not getattr(self, text):
                raise InvalidInput(f"a profile must state its {text}", path=(text,))

    def with_tables(self, tables: dict[str, TableEntry]) -> Manifest:
        """The same manifest over other tables."""
        return replace(self, tables=tables)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; tables in name order."""
        data = asdict(self)
        data["tables"] = dict(sorted(data["tables"].items()))
        return data

    @classmethod
    def from_json(cls, data: object, *, source: str) -> Manifest:
        """Read back what `to_json` wrote.

        Raises
        ------
        Unsupported
            For another schema version.
        InvalidInput
            For a missing or unknown key or a wrong type; `source` is the file named in it.
        """
        record = _mapping(data, (), source)
        version = record.get("schema_version")
        if version != SCHEMA_VERSION:
            raise Unsupported(
                f"profile schema version {version!r}; this Fulcrum reads version {SCHEMA_VERSION}. "
                "Measure or import the profile again.",
                source=source,
            )
        values = _fields(cls, record, (), source)
        values["device"] = _build(DeviceInfo, record["device"], ("device",), source)
        tables: dict[str, TableEntry] = {}
        for name, entry in _mapping(record.get("tables", {}), ("tables",), source).items():
            if name not in OPERATIONS:
                raise UnknownName("operation", name, OPERATIONS, path=("tables",), source=source)
            tables[name] = _build(TableEntry, entry, ("tables", name), source)
            if tables[name].basis not in BASES:
                raise UnknownName(
                    "basis", tables[name].basis, BASES, path=("tables", name, "basis"), source=source
                )
        values["tables"] = tables
        try:
            return cls(**values)
        except InvalidInput as error:
            error.source = source
            raise


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "Basis": (str,),
    "dict[str, str]": (dict,),
    "dict[str, float]": (dict,),
    "dict[str, Any]": (dict,),
    "dict[str, float | str]": (dict,),
    "Literal['cuda', 'cpu']": (str,),
}


def _mapping(data: object, path: tuple[str | int, ...], source: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidInput(f"expected an object, got {type(data).__name__}", path=path, source=source)
    return data


def _fields(cls: type, record: dict[str, Any], path: tuple[str | int, ...], source: str) -> dict[str, Any]:
    known = cls.__dataclass_fields__  # type: ignore[attr-defined]
    for key in record:
        if key not in known:
            raise UnknownName("key", key, known, path=path, source=source)
    for key, spec in known.items():
        required = spec.default.__class__.__name__ == "_MISSING_TYPE" and (
            spec.default_factory.__class__.__name__ == "_MISSING_TYPE"
        )
        if key not in record:
            if required:
                raise InvalidInput(f"key {key!r} is missing", path=path, source=source)
            continue
        allowed = _TYPES.get(str(spec.type))
        value = record[key]
        if allowed and (not isinstance(value, allowed) or isinstance(value, bool)):
            raise InvalidInput(
                f"expected {allowed[0].__name__}, got {type(value).__name__}",
                path=(*path, key),
                source=source,
            )
    return dict(record)


def _build(cls: type, data: object, path: tuple[str | int, ...], source: str) -> Any:
    return cast("Any", cls)(**_fields(cls, _mapping(data, path, source), path, source))
