"""What hardware allows at most, whatever the engine: NanoFlow's optimal throughput and what bounds a batch.

Formulas of Zhu et al., NanoFlow (OSDI 2025), section 2: a step over a dense batch of B tokens (one for each
decoding sequence, as many as there are for prompts) reads all memory once, computes 2 B P, and sends the
activations of every layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.architecture import Architecture
from models.errors import InvalidInput
from models.hardware import Gpu

__all__ = ["EFFECTIVE_A100_FLOPS", "BatchBound", "classify", "optimal_tokens_per_s"]

EFFECTIVE_A100_FLOPS = 260e12
"""Dense bf16 products an A100 reaches, per second; with it the formula gives the paper's 1857 tokens/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchBound:
    """Times of one step by resource, and the longest."""

    compute_ms: float
    memory_ms: float
    network_ms: float

    @property
    def bound(self) -> Literal["compute", "memory", "network"]:
        """What takes longest."""
        times = {"compute": self.compute_ms, "memory": self.memory_ms, "network": self.network_ms}
        longest = max(times.values())
        if longest == self.compute_ms:
            return "compute"
        return "memory" if longest == self.memory_ms else "network"


def optimal_tokens_per_s(active_parameters: float, flops: float) -> float:
    """``Compute / (2 P)``: tokens per second of one GPU that only computes.

    Parameters
    ----------
    active_parameters
        That a token passes through; of experts those chosen.
    flops
        Per second, of one GPU.
    """
    if not (active_parameters > 0 and flops > 0):
        raise InvalidInput(f"parameters and FLOPS must be positive, got {active_parameters}, {flops}")
    return flops / (2.0 * active_parameters)


def classify(
    architecture: Architecture, gpu: Gpu, *, gpus: int, batch_tokens: int, flops: float | None = None
) -> BatchBound:
    """Times of a step of `batch_tokens` on `gpus` GPUs under tensor parallelism, memory full.

    ``T_mem = memory / bandwidth``, ``T_compute = 2 B P / (N · Compute)``,
    ``T_net = 4 (N - 1) B D L s / (N · bandwidth of one GPU's links)`` for the two all-reduces of a layer (the
    paper's 4 N B D L s over the bandwidth of all N, whose own share needs no link).

    Parameters
    ----------
    flops
        Per second and GPU; default: the bf16 peak.
    """
    if gpus < 1 or batch_tokens < 1:
        raise InvalidInput(f"at least one GPU and one token, got {gpus} and {batch_tokens}")
    work = 2.0 * batch_tokens * architecture.active_parameters
    links = 4.0 * (gpus - 1) * batch_tokens * architecture.hidden_size * architecture.num_layers * 2.0
    return BatchBound(
        compute_ms=work / (gpus * (flops or gpu.flops("bf16"))) * 1e3,
        memory_ms=gpu.memory_bytes / gpu.memory_bandwidth_bytes_per_s * 1e3,
        network_ms=links / gpus / gpu.link_bandwidth_bytes_per_s * 1e3,
    )
