"""Our part of timing on a GPU, with a stand-in for ``torch.cuda``: what is recorded, how often, in order."""

import contextlib
import types
from typing import Any

import numpy as np
import pytest

from models.errors import Unavailable
from profiler.devices.cuda import Cuda
from profiler.job import Job
from profiler.timing import Effort

EFFORT = Effort(samples=4, fewest=2, seconds=1.0, warmup_seconds=0.0, sample_seconds=1e-4)


class FakeCuda:
    """Streams, events and graphs as a log; a recorded call runs once, at capture."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.ran: list[int] = []
        self.lost = False
        outer = self

        class Event:
            def __init__(self, *, enable_timing: bool) -> None:
                assert enable_timing

            def record(self) -> None:
                outer.log.append("event")

            def synchronize(self) -> None:
                outer.log.append("wait")

            def elapsed_time(self, other: object) -> float:
                return 0.5

        class CUDAGraph:
            def replay(self) -> None:
                outer.log.append("replay")

        class Stream:
            def synchronize(self) -> None:
                pass

        self.Event, self.CUDAGraph, self.Stream = Event, CUDAGraph, Stream

    def synchronize(self, index: int | None = None) -> None:
        if self.lost:
            raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")

    def current_stream(self) -> Any:
        return self.Stream()

    def _sleep(self, cycles: int) -> None:
        self.log.append("sleep")

    @contextlib.contextmanager
    def stream(self, stream: object) -> Any:
        self.log.append("side")
        yield
        self.log.append("main")

    @contextlib.contextmanager
    def graph(self, graph: object) -> Any:
        self.log.append("capture")
        self.ran.clear()
        yield
        self.log.append("captured")


def device(fake: FakeCuda) -> Cuda:
    made = Cuda.__new__(Cuda)
    made.torch, made.index = types.SimpleNamespace(cuda=fake), 0
    return made


def test_a_sample_is_whole_turns_of_the_inputs_behind_a_head_start() -> None:
    fake = FakeCuda()
    calls = tuple(lambda i=i: fake.ran.append(i) for i in range(3))  # type: ignore[misc]
    found = device(fake).time(Job(calls=calls, kernel="x"), EFFORT)
    recorded = list(fake.ran)

    assert len(recorded) % 3 == 0
    assert recorded == [0, 1, 2] * (len(recorded) // 3)
    assert found == pytest.approx(np.full(4, 500.0 / len(recorded)))
    assert fake.log[:4] == ["side", "main", "capture", "captured"]
    samples = fake.log[5:]  # after one replay that is not timed
    assert samples == ["sleep", "event", "replay", "event", "wait"] * 4


def test_what_may_not_be_recorded_stays_on_the_current_stream() -> None:
    fake = FakeCuda()
    device(fake).time(Job(calls=(lambda: None,), kernel="x", graph=False), EFFORT)

    assert {"side", "capture", "replay"}.isdisjoint(fake.log)


def test_a_lost_context_is_told_from_a_kernel_that_fails() -> None:
    fake = FakeCuda()
    device(fake).require_usable()
    fake.lost = True
    with pytest.raises(Unavailable, match="context was lost: CUDA error: an illegal memory access was"):
        device(fake).require_usable()
