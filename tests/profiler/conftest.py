"""A tiny model, and a device whose times follow a formula, so that tests need not wait or depend on the
machine.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.profiles.manifest import DeviceInfo
from profiler.devices.device import Observation
from profiler.job import Job
from profiler.space import Request
from profiler.timing import Effort

TINY_CONFIG = {
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 512,
    "head_dim": 32,
    "max_position_embeddings": 4096,
}


@pytest.fixture
def tiny_model(tmp_path: Path) -> str:
    """Folder of a ``config.json`` whose layers a CPU computes in no time."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(TINY_CONFIG))
    return str(folder)


@pytest.fixture
def tiny_request(tiny_model: str) -> Request:
    """Small steps of the tiny model, uncut."""
    return Request(
        models=(tiny_model,),
        tensor_parallel_sizes=(1, 2),
        max_tokens=64,
        max_context_tokens=256,
        max_batch_size=8,
    )


class FormulaDevice:
    """A device that takes 2 µs and 1 µs per kilobyte of the arrays a job was made of, with 1 % of noise."""

    kind = "cpu"
    index = 0
    library = "formula-1"
    torch: Any = None
    place = "cpu"
    formats: tuple[str, ...] = ("fp32",)
    cache_bytes = 0

    def __init__(self, *, free: int = 2**30, others: str = "", broken: str = "") -> None:
        self.free = free
        self.others = others
        self.broken = broken
        self.drawn = 0
        self.timed = 0
        self._rng = np.random.default_rng(0)

    def info(self) -> DeviceInfo:
        return DeviceInfo(name="Formula 1", kind="cpu", memory_bytes=self.free)

    def libraries(self) -> dict[str, str]:
        return {"formula": "1"}

    def free_bytes(self) -> int:
        return self.free

    def random(self, shape: tuple[int, ...], dtype: str, seed: int) -> NDArray[np.float32]:
        size = int(np.prod(shape)) * 4
        if size > self.free:
            raise MemoryError(f"cannot allocate {size} bytes")
        self.drawn += size
        return np.ones(1, dtype=np.float32).repeat(1).reshape([1] * len(shape))

    def time(self, job: Job, effort: Effort) -> NDArray[np.float64]:
        if self.broken:
            raise RuntimeError(self.broken)
        size, self.drawn = self.drawn, 0
        self.timed += 1
        center = 2.0 + size / len(job.calls) / 1000
        return center * (1 + 0.01 * self._rng.standard_normal(effort.samples))

    def observe(self) -> Observation:
        return Observation(others=self.others, sm_clock_mhz=1000.0, temperature_c=50.0)

    def observe_idle(self) -> Observation:
        return self.observe()

    def release(self) -> None:
        pass

    def require_usable(self) -> None:
        pass


@pytest.fixture
def formula_device() -> FormulaDevice:
    """See `FormulaDevice`."""
    return FormulaDevice()


@pytest.fixture
def make_device() -> type[FormulaDevice]:
    """The class, for devices with a fault."""
    return FormulaDevice
