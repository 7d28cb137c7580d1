"""Collectives between the GPUs of this machine; between processes on a CPU."""

from __future__ import annotations

from collections.abc import Iterable

from models.profiles.columns import DTYPES
from profiler.devices.device import Device
from profiler.job import Point
from profiler.links import gpu_count, gpu_link
from profiler.measurement import Measurement, Sampled, number
from profiler.ranks import Collective, Ranks
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["MEASUREMENTS"]


class CollectiveOperation(Measurement):
    """One collective; all four share the worker processes."""

    by_name_only_on_cpu = True
    _shared: dict[tuple[str, int], Ranks] = {}  # noqa: RUF012 - one group for all collectives of a run

    def __init__(self, operation: str) -> None:
        self.operation = operation  # type: ignore[misc]

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """256 B to 512 MiB between 2, 4, 8 GPUs, launched one by one and as a graph."""
        if device.torch is None:
            reason = "NumPy has no collectives; install PyTorch"
            yield Unmeasurable(operation=self.operation, what="all", reason=reason)
            return
        count = gpu_count(device) if device.kind == "cuda" else 2
        if count < 2:
            yield Unmeasurable(operation=self.operation, what="all", reason="this machine shows one GPU")
            return
        largest = 29 if device.kind == "cuda" else 24
        groups = [n for n in (2, 4, 8, 16) if n <= count]
        rows = [{"num_gpus": n, "size_bytes": 2**e} for n in groups for e in range(8, largest + 1)]
        formats = ("bf16",) if device.kind == "cuda" else ("fp32",)
        link = gpu_link(device) if device.kind == "cuda" else "shared_memory"
        for dtype in request.wants(formats):
            for mode in ("eager", "graph") if device.kind == "cuda" else ("eager",):
                labels = {"library": device.library, "dtype": dtype, "mode": mode, "link": link}
                yield Space.of(self.operation, labels, rows)

    def start(self, device: Device, point: Point) -> None:
        """Start the worker processes."""
        key = (device.kind, *number(point, "num_gpus"))
        if key not in self._shared:
            self.close()  # one group at a time: each holds a context on every GPU
            self._shared[key] = Ranks(*key)

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """The time rank 0 sees once all ranks have met."""
        del seed
        self.start(device, point)
        ranks, size = number(point, "num_gpus", "size_bytes")
        dtype = str(point["dtype"])
        asked = Collective(
            operation=self.operation,
            dtype=dtype,
            count=max(1, int(size / DTYPES[dtype])),
            graph=point["mode"] == "graph",
            effort=effort,
        )
        try:
            samples = self._shared[device.kind, ranks].time(asked)
        except BaseException:
            self.close()
            raise
        return Sampled(samples, "nccl" if device.kind == "cuda" else "gloo")

    def close(self) -> None:
        """End the worker processes."""
        while self._shared:
            self._shared.popitem()[1].close()


MEASUREMENTS = tuple(
    CollectiveOperation(name) for name in ("all_gather", "all_reduce", "all_to_all", "reduce_scatter")
)
