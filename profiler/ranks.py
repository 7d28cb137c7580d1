"""Worker processes, one a GPU, that run collectives together; the counterpart of `torchrun` inside one
command.
"""

from __future__ import annotations

import importlib
import secrets
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import Unavailable, Unsupported
from profiler.own_processes import OWN_PROCESSES
from profiler.timing import Effort

__all__ = ["Collective", "Ranks"]

_START_SECONDS = 120.0
_POINT_SECONDS = 60.0
_HEAD_START_CYCLES = 400_000
"""A fifth of a millisecond, in which the host launches what is to be timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collective:
    """One thing to time: `count` elements of the whole buffer, the operation, and how it is launched."""

    operation: str
    dtype: str
    count: int
    graph: bool
    effort: Effort


class Ranks:
    """A group of `size` processes with a process group between them; started on first use, closed by `close`.

    Parameters
    ----------
    kind
        ``cuda`` (one GPU a rank, NCCL) or ``cpu`` (Gloo).
    """

    def __init__(self, kind: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self._pipes: list[Connection] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self._folder = tempfile.TemporaryDirectory(prefix="fulcrum-ranks-")
        folder = Path(self._folder.name)
        key = secrets.token_bytes(16)
        try:
            with Listener(str(folder / "socket"), authkey=key) as listener:
                for rank in range(size):
                    # A fresh interpreter, not multiprocessing: that would run the caller's script again.
                    command = [
                        sys.executable,
                        "-m",
                        "profiler.ranks",
                        kind,
                        str(rank),
                        str(size),
                        str(folder),
                    ]
                    worker = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module
                    assert worker.stdin is not None
                    worker.stdin.write(key)
                    worker.stdin.close()
                    self._workers.append(worker)
                    OWN_PROCESSES.add(worker.pid)
                self._accept(listener)
            for rank in range(size):
                ready = self._receive(rank, _START_SECONDS)
                if ready != "ready":
                    raise Unavailable(f"rank {rank} of {size} did not start: {ready}")
        except BaseException:
            self.close()
            raise

    def _accept(self, listener: Listener) -> None:
        """Connect every worker, in order of rank; a worker that ends before it connects is noticed."""
        found: dict[int, Connection] = {}
        waiting: Any = listener._listener._socket  # type: ignore[attr-defined]  # the only way to time out
        waiting.settimeout(1.0)
        begin = time.monotonic()
        while len(found) < self.size:
            try:
                pipe = listener.accept()
            except TimeoutError:
                ended = [w.returncode for w in self._workers if w.poll() is not None]
                if ended or time.monotonic() - begin > _START_SECONDS:
                    raise Unavailable(f"the {self.size} ranks did not start (exit codes {ended})") from None
                continue
            found[pipe.recv()] = pipe
        self._pipes = [found[rank] for rank in range(self.size)]

    def _receive(self, rank: int, seconds: float) -> Any:
        pipe = self._pipes[rank]
        if not pipe.poll(seconds):
            return f"no answer for {seconds:g} s"
        try:
            return pipe.recv()
        except EOFError:
            return "the process ended"

    def time(self, collective: Collective) -> NDArray[np.float64]:
        """Microseconds a call on rank 0, float64[timings].

        Raises
        ------
        Unsupported
            A rank reported an error: the back-end cannot do it, or memory ran out.
        Unavailable
            A rank died or hangs; the group is closed.
        """
        for pipe in self._pipes:
            pipe.send(collective)
        answers = [self._receive(rank, _POINT_SECONDS) for rank in range(self.size)]
        lost = [a for a in answers if isinstance(a, str) and not a.startswith("error: ")]
        if lost:
            self.close()
            raise Unavailable(f"collective of {self.size} ranks failed: {lost[0]}")
        errors = [a for a in answers if isinstance(a, str)]
        if errors:
            raise Unsupported(errors[0].removeprefix("error: "))
        return np.asarray(answers[0], dtype=np.float64)

    def close(self) -> None:
        """End the processes."""
        for pipe in self._pipes:
            try:
                pipe.send(None)
            except OSError:
                continue
        for worker in self._workers:
            try:
                worker.wait(5)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            OWN_PROCESSES.discard(worker.pid)
        for pipe in self._pipes:
            pipe.close()
        self._pipes, self._workers = [], []
        self._folder.cleanup()


def _main(arguments: list[str]) -> None:
    """What each worker runs: connect, join the group, then answer until told to stop."""
    kind, rank, size, folder = arguments[0], int(arguments[1]), int(arguments[2]), Path(arguments[3])
    pipe = Client(str(folder / "socket"), authkey=sys.stdin.buffer.read())
    pipe.send(rank)
    warnings.simplefilter("ignore", FutureWarning)  # names of collectives change between versions
    try:
        torch: Any = importlib.import_module("torch")
        distributed: Any = importlib.import_module("torch.distributed")
        if kind == "cuda":
            torch.cuda.set_device(rank)
        else:
            torch.set_num_threads(1)
        distributed.init_process_group(
            "nccl" if kind == "cuda" else "gloo",
            init_method=f"file://{folder / 'store'}",
            rank=rank,
            world_size=size,
        )
    except (ImportError, RuntimeError, ValueError) as error:
        pipe.send(f"error: {error}")
        return
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        try:
            pipe.send(_time(torch, distributed, kind, rank, size, asked).tolist())
        except (RuntimeError, ValueError, NotImplementedError) as error:
            pipe.send(f"error: {str(error).splitlines()[0]}")
    distributed.destroy_process_group()


def _time(
    torch: Any, distributed: Any, kind: str, rank: int, size: int, asked: Collective
) -> NDArray[np.float64]:
    place = f"cuda:{rank}" if kind == "cuda" else "cpu"
    call = _call(torch, distributed, asked, size, place)
    effort = asked.effort
    repeats = 1 if asked.count > 2**22 else 10
    run: Callable[[], object] = lambda: [call() for _ in range(repeats)]  # noqa: E731
    for _ in range(3):
        run()
    if asked.graph:
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        # NCCL's watchdog thread asks after events meanwhile, which only a thread's own capture forgives.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            run()
        run = graph.replay
        run()
    # Every rank makes the same number of calls: the time limit is turned into a count by rank 0.
    samples = torch.tensor([effort.samples], device=place)
    if rank == 0:
        before = time.perf_counter()
        run()
        _synchronize(torch, kind)
        affordable = effort.seconds / max(time.perf_counter() - before, 1e-9)
        samples.fill_(int(min(effort.samples, max(effort.fewest, affordable))))
    else:
        run()
        _synchronize(torch, kind)
    distributed.broadcast(samples, 0)
    once = _on_gpu if kind == "cuda" else _on_host
    out = [once(torch, distributed, run, place) for _ in range(int(samples.item()))]
    return np.asarray(out, dtype=np.float64) / repeats


def _on_gpu(torch: Any, distributed: Any, run: Callable[[], object], place: str) -> float:
    """Microseconds between two events behind a small all-reduce, which all ranks leave together: no launch
    and no host is timed.
    """
    flag = torch.ones(1, device=place)
    before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    torch.cuda._sleep(_HEAD_START_CYCLES)
    distributed.all_reduce(flag)
    before.record()
    run()
    after.record()
    after.synchronize()
    return float(before.elapsed_time(after)) * 1e3


def _on_host(torch: Any, distributed: Any, run: Callable[[], object], place: str) -> float:
    """Microseconds this rank sees after a barrier."""
    del torch, place
    distributed.barrier()
    begin = time.perf_counter_ns()
    run()
    return (time.perf_counter_ns() - begin) * 1e-3


def _synchronize(torch: Any, kind: str) -> None:
    if kind == "cuda":
        torch.cuda.synchronize()


def _call(torch: Any, distributed: Any, asked: Collective, size: int, place: str) -> Callable[[], object]:
    dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[asked.dtype]
    count = -(-asked.count // size) * size
    whole = torch.randn(count, device=place).to(dtype)
    part = torch.randn(count // size, device=place).to(dtype)
    match asked.operation:
        case "all_reduce":
            return lambda: distributed.all_reduce(whole)
        case "all_gather":
            return lambda: distributed.all_gather_into_tensor(whole, part)
        case "reduce_scatter":
            return lambda: distributed.reduce_scatter_tensor(part, whole)
        case "all_to_all":
            other = torch.empty_like(whole)
            return lambda: distributed.all_to_all_single(other, whole)
    raise ValueError(f"unknown collective {asked.operation}")


if __name__ == "__main__":
    _main(sys.argv[1:])
