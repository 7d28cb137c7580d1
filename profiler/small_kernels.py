"""The small kernels between the products, one function each, for NumPy and for PyTorch.

Measurements time these very functions, and `profiler.check.stack` builds layers of them, so that a step and
the sum of its parts differ in the flow of data only.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from profiler.devices.device import Device

__all__ = ["SmallKernels", "small_kernels"]


class SmallKernels(Protocol):
    """Rows of `x` are tokens."""

    name: str

    def linear(self, x: Any, weight: Any) -> Any:
        """Rows times the transposed weight."""
        ...

    def norm(self, x: Any, weight: Any) -> Any:
        """Root-mean-square norm."""
        ...

    def silu_mul(self, x: Any) -> Any:
        """silu(first half of each row) times the second half."""
        ...

    def rotary(self, x: Any, table: Any) -> Any:
        """Rows turned by a table ``[cosines | sines]`` as wide as they are."""
        ...

    def sample(self, logits: Any, noise: Any) -> Any:
        """One index a row, drawn by the Gumbel trick; `noise` is any tensor like `logits`."""
        ...


def small_kernels(device: Device) -> SmallKernels:
    """Those of the device's library."""
    return _Numpy() if device.torch is None else _Torch(device.torch)


class _Numpy:
    name = "numpy"

    def linear(self, x: Any, weight: Any) -> Any:
        return x @ weight.T

    def norm(self, x: Any, weight: Any) -> Any:
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * weight

    def silu_mul(self, x: Any) -> Any:
        half = x.shape[1] // 2
        gate, up = x[:, :half], x[:, half:]
        return gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up

    def rotary(self, x: Any, table: Any) -> Any:
        half = x.shape[1] // 2
        left, right, cos, sin = x[:, :half], x[:, half:], table[:, :half], table[:, half:]
        return np.concatenate((left * cos - right * sin, right * cos + left * sin), axis=1)

    def sample(self, logits: Any, noise: Any) -> Any:
        # Uniform numbers out of normal ones: drawing fresh ones takes NumPy far longer than a GPU.
        uniform = np.clip(np.abs(noise) / 8, 1e-9, 0.999)
        return (logits - np.log(-np.log(uniform))).argmax(axis=-1)


class _Torch:
    name = "torch, not fused"

    def __init__(self, torch: Any) -> None:
        self.torch, self.functional = torch, torch.nn.functional

    def linear(self, x: Any, weight: Any) -> Any:
        return self.functional.linear(x, weight)

    def norm(self, x: Any, weight: Any) -> Any:
        return self.functional.rms_norm(x, (x.shape[-1],), weight, 1e-6)

    def silu_mul(self, x: Any) -> Any:
        gate, up = x.chunk(2, dim=-1)
        return self.functional.silu(gate) * up

    def rotary(self, x: Any, table: Any) -> Any:
        left, right = x.chunk(2, dim=-1)
        cos, sin = table.chunk(2, dim=-1)
        return self.torch.cat((left * cos - right * sin, right * cos + left * sin), dim=1)

    def sample(self, logits: Any, noise: Any) -> Any:
        # No host synchronisation, unlike torch.multinomial.
        fresh = self.torch.empty_like(noise, dtype=self.torch.float32).exponential_().log_().neg_()
        return (logits.float() + fresh).argmax(dim=-1)
