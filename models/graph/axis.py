"""Named index spaces: what an array in the graph is indexed by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from models.errors import InvalidInput

__all__ = ["SCALAR", "AnyAxis", "Axis", "ProductAxis"]


@dataclass(frozen=True, slots=True)
class Axis:
    """A named index space of `size` elements; equal by name and size, labels are for people only."""

    name: str
    size: int
    labels: Sequence[str] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise InvalidInput(f"axis {self.name!r} has the negative size {self.size}")
        if self.labels is not None and len(self.labels) != self.size:
            raise InvalidInput(f"axis {self.name!r} has {len(self.labels)} labels for {self.size} elements")

    def label(self, index: int) -> str:
        """What to call element `index` in messages."""
        return f"{self.name}[{index}]" if self.labels is None else self.labels[index]


@dataclass(frozen=True, slots=True)
class ProductAxis:
    """All pairs (row, column), flat index ``row * columns.size + column``.

    `sparse`: values are held as :class:`models.graph.cells.Cells`, because most pairs share a background
    value (group × scope item); otherwise as flat arrays (scope item × hour).
    """

    rows: Axis
    columns: Axis
    sparse: bool = False

    @property
    def name(self) -> str:
        """``rows×columns``."""
        return f"{self.rows.name}×{self.columns.name}"

    @property
    def size(self) -> int:
        """Number of pairs."""
        return self.rows.size * self.columns.size

    def label(self, index: int) -> str:
        """What to call the pair with flat index `index` in messages."""
        row, column = divmod(index, self.columns.size)
        return f"{self.rows.label(row)}, {self.columns.label(column)}"


AnyAxis: TypeAlias = Axis | ProductAxis

SCALAR = Axis("scalar", 1)
