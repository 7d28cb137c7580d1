"""How a phase slows down on a part of the processors: what splitting a GPU between prefill and decode
costs.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from models.architecture import DenseFeedForward, GroupedQueryAttention, resolve
from models.errors import Unsupported
from profiler.attention_kernels import AttentionShape, KernelChoice
from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.measurement import Measurement, Sampled, number
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort

__all__ = ["MEASUREMENTS"]

_DEFAULT_MODEL = "llama-3.1-8b"
_MOST_CPU_BYTES = 128 * 1024**2
_GROUP = 8
_SHARES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)


class SmShare(Measurement):
    """One dense layer on a share of the multiprocessors (CUDA green contexts), or of the threads on a CPU."""

    operation = "sm_share"

    def __init__(self) -> None:
        self._kernels = KernelChoice()

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Eighths of the processors for both phases, for the first dense model asked for."""
        try:
            mechanism, shares = _mechanism(device)
            model = _dense_model(request, device)
        except Unsupported as error:
            yield Unmeasurable(operation="sm_share", what="all", reason=error.message)
            return
        rows: dict[str, list[dict[str, float]]] = {"prefill": [], "decode": []}
        for share in shares:
            for tokens in (2**e for e in range(5, 14) if 2**e <= request.max_tokens):
                rows["prefill"].append({"share": share, "num_tokens": tokens, "context_len": tokens})
            for batch in (1, 8, 32, 64, 128, 256):
                for context in (128, 512, 2048, 8192):
                    if batch <= request.max_batch_size and context <= request.max_context_tokens:
                        rows["decode"].append({"share": share, "num_tokens": batch, "context_len": context})
        for phase, points in rows.items():
            labels = {
                "library": device.library,
                "phase": phase,
                "layer": f"{model}/tp1",
                "mechanism": mechanism,
            }
            yield Space.of("sm_share", labels, points)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The four products of the layer and its attention."""
        model = resolve(str(point["layer"]).rsplit("/", 1)[0])
        block = next(b for b in model.blocks if _is_dense(b))
        mixer, ff, h = block.mixer, block.feed_forward, model.hidden_size
        if not isinstance(mixer, GroupedQueryAttention) or not isinstance(ff, DenseFeedForward):
            raise Unsupported(f"{model.name} has no dense layer with grouped-query attention")
        tokens, context = number(point, "num_tokens", "context_len")
        dtype = device.formats[0]
        decode = point["phase"] == "decode"
        q = mixer.num_heads * mixer.head_dim
        kv = mixer.num_key_value_heads * mixer.head_dim
        sizes = [(q + 2 * kv, h), (h, q), (2 * ff.intermediate_size, h), (h, ff.intermediate_size)]
        products: list[Callable[[], object]] = []
        for number_, (n, k) in enumerate(sizes):
            a = device.random((tokens, k), dtype, seed + number_)
            b = device.random((n, k), dtype, seed + 100 + number_)
            products.append(lambda a=a, b=b: a @ b.T)  # type: ignore[misc]
        shape = AttentionShape(
            batch_size=tokens if decode else 1,
            query_len=1 if decode else tokens,
            kv_len=context,
            heads=mixer.num_heads,
            kv_heads=mixer.num_key_value_heads,
            head_dim=mixer.head_dim,
            dtype=dtype,
        )
        kernel = self._kernels.best(device, shape)
        products += kernel.calls(shape, device, seed + 200, 1)
        # No graph: its kernels would belong to the context of the stream they were recorded on.
        return Job(
            calls=(lambda: [run() for run in products],), kernel=f"4 products, {kernel.name}", graph=False
        )

    def measure(self, device: Device, point: Point, effort: Effort, seed: int) -> Sampled:
        """Time inside the share; the whole device is restored whatever happens."""
        job = self.job(device, point, seed)
        torch: Any = device.torch
        share = float(point["share"])
        if device.kind == "cpu":
            threads = torch.get_num_threads()
            torch.set_num_threads(max(1, round(share * threads)))
            try:
                return Sampled(device.time(job, effort), job.kernel)
            finally:
                torch.set_num_threads(threads)
        if share >= 1:
            return Sampled(device.time(job, effort), job.kernel)
        with _green(torch, device, round(share * _multiprocessors(device))):
            return Sampled(device.time(job, effort), job.kernel)


def _multiprocessors(device: Device) -> int:
    return int(device.torch.cuda.get_device_properties(device.place).multi_processor_count)


@contextmanager
def _green(torch: Any, device: Device, multiprocessors: int) -> Iterator[None]:
    """Whatever is launched inside runs on so many multiprocessors.

    PyTorch 2.9 to 2.11 make the context current; from 2.12 on work goes to a stream of the context. Both
    leave the current stream inside the context, so nothing may switch streams there.
    """
    green: Any = importlib.import_module("torch.cuda.green_contexts")
    torch.cuda.synchronize()
    context = green.GreenContext.create(num_sms=multiprocessors, device_id=device.index)
    if hasattr(context, "Stream"):
        with torch.cuda.stream(context.Stream()):
            yield
            torch.cuda.synchronize()
        return
    context.set_context()
    try:
        yield
    finally:
        torch.cuda.synchronize()
        context.pop_context()


def _mechanism(device: Device) -> tuple[str, tuple[float, ...]]:
    """How processors are split here, and the shares that are distinct."""
    torch: Any = device.torch
    if torch is None:
        raise Unsupported("NumPy's threads cannot be limited while it runs; install PyTorch")
    if device.kind == "cpu":
        threads = int(torch.get_num_threads())
        if threads < 2:
            raise Unsupported("there is only one thread to share")
        return "threads", tuple(sorted({max(1, round(s * threads)) / threads for s in _SHARES}))
    try:
        supported = bool(importlib.import_module("torch.cuda.green_contexts").SUPPORTED)
    except (ImportError, AttributeError):
        supported = False
    if not supported:
        raise Unsupported(f"PyTorch {torch.__version__} has no green contexts (2.9 or newer has, on Linux)")
    count = _multiprocessors(device)
    # Hopper hands multiprocessors out in groups of eight, at least eight: the shares that can be had.
    groups = {max(1, round(share * count / _GROUP)) * _GROUP for share in _SHARES if share < 1}
    return "green_context", (*sorted(n / count for n in groups if n < count), 1.0)


def _is_dense(block: Any) -> bool:
    return isinstance(block.mixer, GroupedQueryAttention) and isinstance(block.feed_forward, DenseFeedForward)


def _dense_model(request: Request, device: Device) -> str:
    for name in request.models or (_DEFAULT_MODEL,):
        model = resolve(name)
        for block in model.blocks:
            if not _is_dense(block):
                continue
            layer_bytes = 4 * (
                block.mixer.parameters(model.hidden_size) + block.feed_forward.parameters(model.hidden_size)
            )
            if device.kind == "cpu" and layer_bytes > _MOST_CPU_BYTES:
                raise Unsupported(f"a layer of {name} takes {layer_bytes / 1e6:.0f} MB: too slow on a CPU")
            return name
    raise Unsupported("none of the models has dense layers with grouped-query attention")


MEASUREMENTS = (SmShare(),)
