"""An NVIDIA GPU through PyTorch: CUDA events around replayed graphs."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import Unavailable
from models.profiles.manifest import DeviceInfo
from profiler.devices.device import Observation
from profiler.devices.nvml import Nvml
from profiler.devices.torch_tensors import import_torch, random_tensor
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["Cuda"]

_FALLBACK_CACHE_BYTES = 64 * 1024**2
_HEAD_START_CYCLES = 200_000
"""About a tenth of a millisecond, and half a microsecond a kernel beside: longer than a graph's launch."""


class Cuda:
    """See `profiler.devices.device.Device`.

    Parameters
    ----------
    index
        CUDA device index.

    Raises
    ------
    Unavailable
        No PyTorch, a PyTorch without CUDA, no driver, a driver too old, or no device of that index.
    """

    kind = "cuda"

    def __init__(self, index: int) -> None:
        torch: Any = import_torch()
        _require_cuda(torch, index)
        torch.set_grad_enabled(False)
        torch.cuda.set_device(index)
        self.torch = torch
        self.index = index
        self.place = f"cuda:{index}"
        self.library = f"torch-{torch.__version__}"
        self._properties = torch.cuda.get_device_properties(index)
        self.nvml = Nvml(str(getattr(self._properties, "uuid", "")))
        self.cache_bytes = int(getattr(self._properties, "L2_cache_size", 0)) or _FALLBACK_CACHE_BYTES
        major, minor = self._properties.major, self._properties.minor
        # From Ampere on fp16 runs the kernels of bf16; measuring both would halve what is known of each.
        formats = ["bf16" if major >= 8 else "fp16", "int8"]
        if (major, minor) >= (8, 9):
            formats.append("fp8")
        self.formats: tuple[str, ...] = tuple(formats)

    def info(self) -> DeviceInfo:
        """Name, memory, driver, multiprocessors and limits."""
        p = self._properties
        attributes: dict[str, float | str] = {
            "sm_count": float(p.multi_processor_count),
            "compute_capability": f"{p.major}.{p.minor}",
            "l2_cache_bytes": float(self.cache_bytes),
        }
        return DeviceInfo(
            name=p.name,
            kind="cuda",
            memory_bytes=int(p.total_memory),
            count=self.torch.cuda.device_count(),
            driver=self.nvml.driver,
            uuid=str(getattr(p, "uuid", "")),
            attributes=attributes | self.nvml.limits(),
        )

    def libraries(self) -> dict[str, str]:
        """Python, PyTorch, CUDA, cuDNN, NCCL."""
        torch = self.torch
        found = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": str(torch.version.cuda),
        }
        if torch.backends.cudnn.is_available():
            found["cudnn"] = str(torch.backends.cudnn.version())
        if torch.distributed.is_available() and torch.distributed.is_nccl_available():
            found["nccl"] = ".".join(str(part) for part in torch.cuda.nccl.version())
        return found

    def free_bytes(self) -> int:
        """Free device memory, counting what PyTorch has cached."""
        free, _ = self.torch.cuda.mem_get_info(self.index)
        cached = self.torch.cuda.memory_reserved(self.index) - self.torch.cuda.memory_allocated(self.index)
        return int(free + cached)

    def random(self, shape: tuple[int, ...], dtype: str, seed: int) -> Any:
        """A tensor on this GPU."""
        return random_tensor(self.torch, shape, dtype, self.place, seed)

    def time(self, job: Job, effort: Effort) -> NDArray[np.float64]:
        """Microseconds per call by CUDA events, of graph replays where the job allows it.

        A sample is at least one whole turn of the inputs, so that every sample meets the same caches. The
        GPU is kept busy for a moment before each: by the time it reaches the first event, the host has
        queued the work and the second one, so no launch is timed that the host was late with.
        """
        torch, calls = self.torch, job.calls
        torch.cuda.synchronize()  # the inputs were made on the stream of now
        with torch.cuda.stream(torch.cuda.Stream()) if job.graph else nullcontext():
            # what is recorded must have run on another stream than the default one before
            per_call = self._warm_up(calls, effort.warmup_seconds)
        repeats = max(1, min(1024, round(effort.sample_seconds / max(per_call, 1e-9))))
        repeats = -(-repeats // len(calls)) * len(calls)

        def plain() -> None:
            for turn in range(repeats):
                calls[turn % len(calls)]()

        run = self._recorded(plain) if job.graph else plain
        run()
        samples: list[float] = []
        begin = time.perf_counter()
        before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        while not effort.enough(len(samples), time.perf_counter() - begin):
            torch.cuda.synchronize()
            torch.cuda._sleep(_HEAD_START_CYCLES + 1_000 * repeats)
            before.record()
            run()
            after.record()
            after.synchronize()
            samples.append(before.elapsed_time(after) * 1e3 / repeats)
        return np.asarray(samples, dtype=np.float64)

    def _warm_up(self, calls: tuple[Callable[[], object], ...], seconds: float) -> float:
        """Run every call, and go on for so long; seconds per call, of a whole turn after the first."""
        torch = self.torch
        for call in calls:  # the first ones load kernels and choose algorithms
            call()
        torch.cuda.current_stream().synchronize()
        begin, turns = time.perf_counter(), 0
        while turns < 1 or time.perf_counter() - begin < seconds:
            for call in calls:
                call()
            torch.cuda.current_stream().synchronize()
            turns += 1
        return (time.perf_counter() - begin) / (turns * len(calls))

    def _recorded(self, run: Callable[[], object]) -> Callable[[], object]:
        torch = self.torch
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
        return graph.replay  # type: ignore[no-any-return]

    def require_usable(self) -> None:
        """See `Device`: an illegal access or a failed assertion in a kernel ends the context for good."""
        try:
            self.torch.cuda.synchronize(self.index)
        except RuntimeError as error:
            raise Unavailable(
                f"the GPU's context was lost: {str(error).splitlines()[0]}. What was measured is kept; give "
                "the same command again to go on without this point"
            ) from error

    def throttling(self) -> dict[str, int]:
        """Why clocks were held down, and at how many of the looks; power, temperature or a fault."""
        return dict(self.nvml.throttled)

    def observe(self) -> Observation:
        """Clocks, temperature, power, other users."""
        return self.nvml.observe(int(self.torch.cuda.memory_reserved(self.index)))

    def observe_idle(self) -> Observation:
        """The same before anything runs, when all utilisation is somebody else's."""
        return self.nvml.observe(int(self.torch.cuda.memory_reserved(self.index)), idle=True)

    def release(self) -> None:
        """Empty PyTorch's cache."""
        self.torch.cuda.empty_cache()


def _require_cuda(torch: Any, index: int) -> None:
    if torch.version.cuda is None:
        raise Unavailable(
            f"PyTorch {torch.__version__} was built without CUDA; install a CUDA build, or measure the CPU "
            "with `--device cpu`"
        )
    if not torch.cuda.is_available():
        try:
            torch.cuda.init()
            reason = "no NVIDIA GPU was found"
        except (RuntimeError, AssertionError) as error:
            reason = str(error).split("\n", 1)[0]
        raise Unavailable(
            f"CUDA cannot be used: {reason}. PyTorch {torch.__version__} needs a driver for CUDA "
            f"{torch.version.cuda}; `nvidia-smi` shows the one installed"
        )
    count = torch.cuda.device_count()
    if not 0 <= index < count:
        raise Unavailable(
            f"there is no device cuda:{index}; this machine shows {count} (cuda:0 to cuda:{count - 1})"
        )
