"""How long an all-reduce takes, from measurements: it decides where tensor parallelism stops paying."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["AllReduceBandwidth", "AllReduceTable", "AllReduceTime"]


class AllReduceTime(Protocol):
    """Time to all-reduce a buffer among the GPUs of one tensor-parallel group."""

    def seconds(self, tensor_parallel_size: int, buffer_bytes: float) -> float:
        """Seconds; 0 for a group of one. Raises InvalidInput for a group size nobody measured."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AllReduceBandwidth:
    """``buffer bytes / B_ar(TP)``, plus a start-up time.

    Parameters
    ----------
    bytes_per_s
        B_ar by group size: bytes of the buffer over the time of the whole operation (not the bus bandwidth of
        the benchmark tools, which is larger by 2(n − 1)/n).
    latency_s
        Of a small buffer.
    """

    bytes_per_s: Mapping[int, float]
    latency_s: float = 0.0

    def __post_init__(self) -> None:
        if not all(b > 0 for b in self.bytes_per_s.values()) or self.latency_s < 0:
            raise InvalidInput("all-reduce bandwidths must be positive, the latency at least 0")
        object.__setattr__(self, "bytes_per_s", MappingProxyType(dict(self.bytes_per_s)))

    def seconds(self, tensor_parallel_size: int, buffer_bytes: float) -> float:
        """See `AllReduceTime`."""
        if tensor_parallel_size == 1:
            return 0.0
        if tensor_parallel_size not in self.bytes_per_s:
            known = ", ".join(str(n) for n in sorted(self.bytes_per_s))
            raise InvalidInput(
                f"no all-reduce bandwidth among {tensor_parallel_size} GPUs, only among {known}"
            )
        return self.latency_s + buffer_bytes / self.bytes_per_s[tensor_parallel_size]

    def scaled(self, factor: float) -> AllReduceBandwidth:
        """The same with every bandwidth multiplied."""
        scaled = {n: b * factor for n, b in self.bytes_per_s.items()}
        return AllReduceBandwidth(bytes_per_s=scaled, latency_s=self.latency_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllReduceTable:
    """Measured times, linear in between; beyond the largest buffer at its bandwidth.

    ``points``: by group size, (buffer bytes ascending, seconds), both float64[n].
    """

    points: Mapping[int, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = field(repr=False)

    def seconds(self, tensor_parallel_size: int, buffer_bytes: float) -> float:
        """See `AllReduceTime`."""
        if tensor_parallel_size == 1:
            return 0.0
        if tensor_parallel_size not in self.points:
            known = ", ".join(str(n) for n in sorted(self.points))
            raise InvalidInput(f"all-reduce among {tensor_parallel_size} GPUs was not measured, only {known}")
        sizes, times = self.points[tensor_parallel_size]
        if buffer_bytes > sizes[-1]:
            return float(times[-1] * buffer_bytes / sizes[-1])
        return float(np.interp(buffer_bytes, sizes, times))

    def bandwidth(self, tensor_parallel_size: int, buffer_bytes: float) -> float:
        """Buffer bytes per second of the whole operation."""
        return buffer_bytes / self.seconds(tensor_parallel_size, buffer_bytes)

    @classmethod
    def read(cls, path: Path, *, devices_per_node: int | None = None) -> AllReduceTable:
        """Read Vidur's ``all_reduce.csv``: the slowest rank's median of each buffer size.

        Parameters
        ----------
        path
            The file; its times are in milliseconds.
        devices_per_node
            How many GPUs of a node take part; default: all ranks in one node where that was measured.

        Raises
        ------
        InvalidInput
            Not such a file.
        """
        found: dict[int, dict[int, float]] = {}
        try:
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    ranks, per_node = int(row["num_workers"]), int(row["devices_per_node"])
                    if per_node != (devices_per_node or ranks):
                        continue
                    time_s = float(row["time_stats.all_reduce.median"]) / 1e3
                    times = found.setdefault(ranks, {})
                    size = int(row["size"])
                    times[size] = max(times.get(size, 0.0), time_s)
        except (KeyError, ValueError) as error:
            raise InvalidInput(f"not a table of all-reduce times: {error}", source=str(path)) from None
        if not found:
            raise InvalidInput("no measurement within one node", source=str(path))
        points = {}
        for ranks, times in sorted(found.items()):
            sizes = np.array(sorted(times), np.float64)
            points[ranks] = (sizes, np.array([times[int(s)] for s in sizes]))
        return cls(points=MappingProxyType(points))
