"""One GPU type: what its datasheet promises, or what a measured device reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from models.errors import InvalidInput, Unsupported

__all__ = ["Compute", "Gpu"]

Compute = Literal["bf16", "fp8", "int8", "fp4"]
"""Number formats the tensor cores multiply in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """A GPU type with datasheet numbers: upper limits that no program reaches.

    Parameters
    ----------
    name
        Catalogue name, ``maker's model - form factor - memory``: ``h100-sxm-80gb``.
    generation
        ``ampere``, ``ada``, ``hopper``, ``blackwell``; the kind (``cpu``, ``cuda``) of a measured
        device of no catalogued type.
    memory_bytes
        Device memory that a CUDA program sees (a little less than the marketed figure).
    memory_bandwidth_bytes_per_s
        Peak HBM or GDDR bandwidth.
    peak_flops
        Dense tensor-core operations per second for each number format the GPU multiplies in.
    nvlink_bandwidth_bytes_per_s
        Per GPU and direction; 0 where the GPU has no NVLink and talks over PCIe.
    nvlink_domain_gpus
        Largest number of GPUs that reach each other over NVLink; 1 where there is none.
    pcie_bandwidth_bytes_per_s
        To the host, per direction.
    tdp_watts
        Board power limit; 0 where unknown.
    source
        Where the numbers come from.
    basis
        ``"datasheet"``, or what the rates of a measured device rest on: whatever rests on
        these numbers says so.
    """

    name: str
    generation: str
    memory_bytes: int
    memory_bandwidth_bytes_per_s: float
    peak_flops: Mapping[str, float] = field(hash=False)
    nvlink_bandwidth_bytes_per_s: float
    nvlink_domain_gpus: int
    pcie_bandwidth_bytes_per_s: float
    tdp_watts: float
    source: str
    basis: Literal["measured", "imported", "datasheet"] = "datasheet"

    def __post_init__(self) -> None:
        for name in (
            "memory_bytes",
            "memory_bandwidth_bytes_per_s",
            "pcie_bandwidth_bytes_per_s",
        ):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise InvalidInput(f"GPU {self.name!r}: {name} must be positive and finite, got {value!r}")
        if not 0 <= self.tdp_watts < float("inf"):
            raise InvalidInput(f"GPU {self.name!r}: tdp_watts must be ≥ 0, got {self.tdp_watts!r}")
        if self.nvlink_bandwidth_bytes_per_s < 0 or self.nvlink_domain_gpus < 1:
            raise InvalidInput(f"GPU {self.name!r}: NVLink bandwidth must be ≥ 0 and its domain ≥ 1 GPU")
        if "bf16" not in self.peak_flops or not all(v > 0 for v in self.peak_flops.values()):
            raise InvalidInput(f"GPU {self.name!r}: peak_flops must be positive and name bf16")
        object.__setattr__(self, "peak_flops", MappingProxyType(dict(self.peak_flops)))

    @property
    def link_bandwidth_bytes_per_s(self) -> float:
        """Bandwidth to the other GPUs of the node, per direction: NVLink, or PCIe without it."""
        return self.nvlink_bandwidth_bytes_per_s or self.pcie_bandwidth_bytes_per_s

    def flops(self, compute: str) -> float:
        """Peak dense operations per second in a number format.

        Raises
        ------
        Unsupported
            The tensor cores of this GPU do not multiply in that format.
        """
        try:
            return self.peak_flops[compute]
        except KeyError:
            known = ", ".join(sorted(self.peak_flops))
            raise Unsupported(f"{self.name} does not multiply in {compute}; it does in {known}") from None
