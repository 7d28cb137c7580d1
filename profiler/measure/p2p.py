"""One buffer from one GPU to another: pipeline stages, and KV cache handed over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.links import gpu_count, gpu_link
from profiler.measurement import Measurement, number
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]


class PeerToPeer(Measurement):
    """Direct copies between the first two GPUs."""

    operation = "p2p"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """4 KiB to 1 GiB, one way and both ways."""
        del request
        if gpu_count(device) < 2:
            yield Unmeasurable(operation="p2p", what="all", reason="this machine does not show two GPUs")
            return
        rows = [{"size_bytes": 2**e} for e in range(12, 31)]
        for direction in ("one_way", "both_ways"):
            labels = {"library": device.library, "link": gpu_link(device), "direction": direction}
            yield Space.of("p2p", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """Copies on the current stream, the way back on another."""
        torch: Any = device.torch
        (size,) = number(point, "size_bytes")
        here = device.random((size // 2,), "fp16", seed)
        there = here.to(f"cuda:{1 if device.place == 'cuda:0' else 0}")
        if point["direction"] == "one_way":
            return Job(calls=(lambda: there.copy_(here, non_blocking=True),), kernel="copy", graph=False)
        back, target = there.clone(), here.clone()
        side = torch.cuda.Stream()

        def both() -> None:
            main = torch.cuda.current_stream()
            side.wait_stream(main)
            there.copy_(here, non_blocking=True)
            with torch.cuda.stream(side):
                target.copy_(back, non_blocking=True)
            main.wait_stream(side)

        return Job(calls=(both,), kernel="copy", graph=False)


MEASUREMENTS = (PeerToPeer(),)
