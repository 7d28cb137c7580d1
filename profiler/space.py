"""The points a measurement could measure, before anyone decides which it will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import InvalidInput
from models.profiles.columns import Columns, FloatArray
from models.profiles.groups import coordinates_of
from models.profiles.schema import OperationSchema, operation
from profiler.job import Point

__all__ = ["Request", "Space", "Unmeasurable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user wants measured.

    Parameters
    ----------
    models
        Architecture names or paths whose shards give the shapes; () = the whole catalogue.
    tensor_parallel_sizes
        Shards to cover.
    max_tokens, max_context_tokens, max_batch_size
        Largest step, sequence and batch to look at.
    formats
        Number formats wanted; () = all the device has.
    """

    models: tuple[str, ...] = ()
    tensor_parallel_sizes: tuple[int, ...] = (1, 2, 4, 8)
    max_tokens: int = 32_768
    max_context_tokens: int = 131_072
    max_batch_size: int = 512
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_tokens", "max_context_tokens", "max_batch_size"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.tensor_parallel_sizes or min(self.tensor_parallel_sizes) < 1:
            raise InvalidInput("tensor_parallel_sizes must be whole numbers ≥ 1")

    def wants(self, formats: Iterable[str]) -> tuple[str, ...]:
        """Those of `formats` that are wanted."""
        return tuple(f for f in formats if not self.formats or f in self.formats)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmeasurable:
    """A part of a measurement that this device cannot do, and why; kept in the profile's details."""

    operation: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Space:
    """Candidate points that agree in every category: what becomes one group of the table.

    Parameters
    ----------
    operation
        Operation name.
    labels
        Every category column → value.
    candidates
        float64[n, axes], distinct rows in the schema's order of axes.
    """

    operation: str
    labels: dict[str, str]
    candidates: FloatArray

    @classmethod
    def of(cls, name: str, labels: Mapping[str, str], candidates: Iterable[Mapping[str, float]]) -> Space:
        """From points as dictionaries of axes; repeats are dropped, order is by size of the axes."""
        axes = [a.name for a in operation(name).axes]
        rows = [[float(point[a]) for a in axes] for point in candidates]
        array = np.unique(np.asarray(rows, dtype=np.float64).reshape(len(rows), len(axes)), axis=0)
        return cls(name, dict(labels), array)

    @property
    def schema(self) -> OperationSchema:
        """The operation's schema."""
        return operation(self.operation)

    @property
    def name(self) -> str:
        """For people: operation and what distinguishes it, the library left out."""
        rest = [v for k, v in self.labels.items() if k != "library"]
        return " ".join([self.operation, *rest])

    def __len__(self) -> int:
        return len(self.candidates)

    def point(self, row: int) -> Point:
        """One candidate with its categories."""
        axes = (a.name for a in self.schema.axes)
        values = dict(zip(axes, (float(v) for v in self.candidates[row]), strict=True))
        return {**self.labels, **values}

    def columns(self, rows: NDArray[np.int64] | None = None) -> Columns:
        """Candidates as key columns."""
        chosen = self.candidates if rows is None else self.candidates[rows]
        columns: Columns = {k: np.full(len(chosen), v) for k, v in self.labels.items()}
        for number, axis in enumerate(self.schema.axes):
            columns[axis.name] = chosen[:, number]
        return columns

    def coordinates(self) -> FloatArray:
        """Candidates in octaves, float64[n, axes]."""
        return coordinates_of(self.schema, self.columns())

    def work(self) -> tuple[FloatArray, FloatArray]:
        """(FLOP, bytes) of every candidate; zeros where the operation has no work model."""
        if self.schema.work is None:
            return np.zeros(len(self)), np.zeros(len(self))
        return self.schema.work(self.columns())
