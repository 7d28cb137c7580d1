"""Operator times from measured tables, for one GPU and one engine.

Each shape is looked up, in this order: the shape itself; the nearest measured shape, at the ratio of the two
shapes' roofline times (its utilisation is held, never its time); the datasheet roofline, and then the basis
of the whole price is ``datasheet`` and `notes` says which operator was to blame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.architecture import Architecture, LatentAttention
from models.hardware import Gpu
from models.serving.basis import Basis, weakest
from models.serving.grids import Curve, OperatorGrids, Surface
from models.serving.operators import AllReduce, Attention, Experts, Gemm, LinearAttention
from models.serving.roofline import RooflineTimes

__all__ = ["TableTimes", "attention_module"]

Floats = npt.NDArray[np.float64]

GEMM_FORMATS = {
    "bf16": ("bf16",),
    "fp8": ("fp8", "fp8_block"),
    "fp8_block": ("fp8_block", "fp8"),
    "int8": ("int8",),
    "nvfp4": ("nvfp4",),
    "mxfp4": ("mxfp4",),
    "int4": ("int4",),
}
EXPERT_FORMATS = {
    "bf16": ("bf16",),
    "fp8": ("fp8", "fp8_block"),
    "fp8_block": ("fp8_block", "fp8"),
    "nvfp4": ("nvfp4",),
    "mxfp4": ("w4a8_mxfp4_mxfp8", "w4a16_mxfp4"),
    "int4": ("int4_wo",),
}
"""Our precision → formats in tables, best first."""
PEERS = 1.15
"""Engines run much the same kernels for products and sums: a time above the engines' median by more than this
factor is taken for a fault of the timing (some tables hold the launch from the host, five times the kernel).
"""
EXPERTS = 2.0
"""Kernels for experts do differ; one that takes so many times the fastest engine's is not what is run."""
ATTENTION_KEYS = (
    "library", "dtype", "kv_dtype", "num_heads", "num_kv_heads", "head_dim", "window_size",
)  # fmt: skip
EXPERT_KEYS = (
    "library", "dtype", "hidden_size", "inter_size", "top_k", "num_experts", "moe_tp_size", "moe_ep_size",
)  # fmt: skip
MODULE_KEYS = ("library", "module", "kv_dtype", "gemm_dtype", "num_heads")
ELEMENTWISE_SHARE = 0.3
"""Share of the memory bandwidth that norms, activations and conversions reach, each a kernel of its own."""
FUSED_SHARE = 0.6
"""What an all-reduce adds to a step, as a share of its time alone: engines fuse it with the next norm."""
WIDEST = 8
"""Largest degree of expert parallelism at which the busiest rank is as measured.

Tables route by a power law, whose busiest rank of 32 has several times the mean; deployments that wide
balance their experts (redundant copies), so that the imbalance is taken to grow no further.
"""


class TableTimes:
    """Operator times of one engine on one GPU; implements `OperatorTimes`.

    Parameters
    ----------
    grids
        Tables of the GPU.
    gpu
        For roofline ratios and what tables lack.
    engine
        Name of the engine whose kernels are wanted.
    module
        Attention module of the model in the tables (``mla:deepseek-v3``), empty when there is none.
    """

    def __init__(self, grids: OperatorGrids, gpu: Gpu, engine: str, *, module: str = "") -> None:
        self.grids = grids
        self.gpu = gpu
        self.engine = engine
        self.module = module
        self.roofline = RooflineTimes(gpu)
        self.notes: dict[str, str] = {}
        self.name = f"profile {grids.profile.manifest.name} ({engine})"

    def basis(self) -> Basis:
        """The tables' basis, or ``datasheet`` when an operator was not in them."""
        own: Basis = self.grids.profile.manifest.basis
        return weakest([own, "datasheet"]) if self.notes else own

    def remarks(self) -> tuple[str, ...]:
        """See `OperatorTimes`."""
        return tuple(
            f"{self.name}: {what}: {why}; the datasheet was used" for what, why in sorted(self.notes.items())
        )

    def _miss(self, operator: str, why: str) -> None:
        self.notes[operator] = why

    def _mine(self, library: str) -> bool:
        return library.rpartition("-")[0] == self.engine

    def gemm(self, op: Gemm, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        every = self.grids.products()
        grids = {dtype: (library, dtype) for library, dtype in every if self._mine(library)}
        for dtype in GEMM_FORMATS[op.precision]:
            if dtype in grids:
                found = every[grids[dtype]].at(tokens, op.n, op.k)
                peers = [every[key].at(tokens, op.n, op.k) for key in every if key[1] == dtype]
                return op.count * _plausible(found, peers)
        model = self.roofline.gemm(op, tokens)
        if "bf16" not in grids:
            self._miss("gemm", f"no products measured for {self.engine}")
            return model
        # another format: the utilisation of bf16 is held
        plain = replace(op, precision="bf16")
        held = every[grids["bf16"]].at(tokens, op.n, op.k) / self.roofline.gemm(plain, tokens)
        return model * op.count * held

    def experts(self, op: Experts, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        if op.expert_parallel_size > WIDEST:
            narrow = replace(op, expert_parallel_size=WIDEST)
            ratio = self.roofline.experts(op, tokens) / self.roofline.experts(narrow, tokens)
            return self.experts(narrow, tokens) * ratio
        curves = self.grids.curves("moe", "num_tokens", EXPERT_KEYS, distribution="power_law_1.01")
        mine = {key[1:]: c for key, c in curves.items() if self._mine(key[0])}
        model = self.roofline.experts(op, tokens)
        shape = (op.hidden_size, op.expert_size, op.top_k, op.num_experts)
        cut = (op.tensor_parallel_size, op.expert_parallel_size)
        for dtype in EXPERT_FORMATS.get(op.precision, ()):
            same = (dtype, *shape, *cut)
            peers = [curve.at(tokens) for key, curve in curves.items() if key[1:] == same]
            if same in mine:
                own, fastest = mine[same].at(tokens), np.minimum.reduce(peers)
                return np.asarray(op.count * np.where(own > EXPERTS * fastest, PEERS * fastest, own))
            formats = {key[:5] for key in mine if key[0] == dtype}
            if peers and formats and (dtype, *shape) not in formats:
                # it has kernels for the format, timed with other models only: they are much alike
                return np.asarray(op.count * np.median(peers, axis=0))
        # the same model cut another way, nearest first: its utilisation is held
        others = [k for k in mine if k[1:5] == shape and k[0] in EXPERT_FORMATS.get(op.precision, ())]
        if not others:
            others = [k for k in mine if k[1:5] == shape]
        if not others:
            self._miss("experts", f"experts {shape} not measured for {self.engine}")
            return model
        gpus = cut[0] * cut[1]

        wanted = EXPERT_FORMATS.get(op.precision, ())

        def distance(key: tuple[Any, ...]) -> tuple[float, float, float]:
            form = wanted.index(key[0]) if key[0] in wanted else len(wanted)
            return form, abs(np.log(key[5] * key[6] / gpus)), abs(np.log(key[6] / cut[1]))

        best = min(sorted(others), key=distance)
        near = replace(op, tensor_parallel_size=best[5], expert_parallel_size=best[6])
        if best[0] not in EXPERT_FORMATS.get(op.precision, ()):
            near = replace(near, precision=_named(best[0]))
        ratio = model / self.roofline.experts(near, tokens)
        return op.count * mine[best].at(tokens) * ratio

    def separate_projections(self, op: Attention) -> tuple[Gemm, ...]:
        """None where whole attention modules were measured."""
        return () if op.latent and self._module_curves("attention_module_prefill", op) else op.projections

    def _module_curves(self, operation: str, op: Attention) -> dict[int, Any]:
        """Curve or surface of the module for each number of heads, and those of all engines."""
        if not self.module:
            return {}
        if operation.endswith("prefill"):
            found: dict[tuple[Any, ...], Any] = dict(self.grids.curves(operation, "query_len", MODULE_KEYS))
        else:
            found = dict(self.grids.surfaces(operation, MODULE_KEYS))
        mine = {k: v for k, v in found.items() if self._mine(k[0]) and k[1] == self.module}
        wanted = (
            ("fp8_block", "bf16") if op.projections[0].precision.startswith("fp8") else ("bf16", "fp8_block")
        )
        for kv in (op.kv_precision, "bf16", "fp8"):
            for gemm in wanted:
                heads = {k[4]: v for k, v in mine.items() if k[2] == kv and k[3] == gemm}
                if heads:
                    # sparse attention is done differently by each engine: no other tells what it takes
                    peers = {} if op.top_k else found
                    shape = (self.module, kv, gemm)
                    every = {n: [v for k, v in peers.items() if k[1:] == (*shape, n)] for n in heads}
                    return {n: (curve, every[n]) for n, curve in heads.items()}
        return {}

    def prefill_attention(self, op: Attention, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        model = self.roofline.prefill_attention(op, tokens)
        growth = 1.0 if op.window or op.top_k else 2.0
        if op.latent:
            modules: dict[int, tuple[Curve, list[Curve]]] = self._module_curves(
                "attention_module_prefill", op
            )
            if modules:
                heads = min(sorted(modules), key=lambda h: abs(np.log(h / op.heads)))
                mine, every = modules[heads]
                times = [curve.at(tokens, growth=growth) for curve in every]
                return op.count * _near_fastest(mine.at(tokens, growth=growth), times) * (op.heads / heads)
        shaped = op
        if op.latent:
            shaped = replace(op, kv_heads=op.heads, key_dim=op.prefill_key_dim, latent=False)
        curves = self.grids.curves("attention_prefill", "query_len", ATTENTION_KEYS)
        near = self._nearest(curves, shaped)
        if near is None:
            self._miss("prefill attention", f"no attention of this shape measured for {self.engine}")
            return model
        key, curve = near
        same = replace(op, heads=key[3], kv_heads=key[4])
        value: Floats = (
            curve.at(tokens, growth=growth) * model / self.roofline.prefill_attention(same, tokens)
        )
        return op.count * value

    def decode_attention(self, op: Attention, batch: Floats, context: Floats) -> Floats:
        """See `OperatorTimes`."""
        model = self.roofline.decode_attention(op, batch, context)
        if op.latent:
            return self._latent_decode(op, batch, context, model)
        surfaces = self.grids.surfaces("attention_decode", ATTENTION_KEYS)
        near = self._nearest(surfaces, op)
        if near is None:
            self._miss("decode attention", f"no attention of this shape measured for {self.engine}")
            return model
        key, surface = near
        same = replace(op, heads=key[3], kv_heads=key[4])
        ratio = model / self.roofline.decode_attention(same, batch, context)
        value: Floats = surface.at(batch, context) * ratio
        return op.count * value

    def _latent_decode(self, op: Attention, batch: Floats, context: Floats, model: Floats) -> Floats:
        modules: dict[int, tuple[Surface, list[Surface]]]
        modules = self._module_curves("attention_module_decode", op)
        if modules:
            heads = min(sorted(modules), key=lambda h: abs(np.log(h / op.heads)))
            own, every = modules[heads]
            times = [surface.at(batch, context) for surface in every]
            return op.count * _near_fastest(own.at(batch, context), times) * (op.heads / heads)
        keys = ("library", "kv_dtype", "num_heads")
        found = {k: v for k, v in self.grids.surfaces("mla_decode", keys).items() if self._mine(k[0])}
        for kv in (op.kv_precision, "bf16"):
            mine = {k[2]: v for k, v in found.items() if k[1] == kv}
            if mine and not op.top_k:
                heads = min(sorted(mine), key=lambda h: abs(np.log(h / op.heads)))
                return op.count * mine[heads].at(batch, context)
        self._miss("latent attention", f"latent attention not measured for {self.engine}")
        return model

    def _nearest(
        self, found: Mapping[tuple[Any, ...], Any], op: Attention
    ) -> tuple[tuple[Any, ...], Any] | None:
        """The measured shape nearest in heads, of this engine, head size, window and cache format."""
        best: tuple[tuple[float, ...], tuple[Any, ...]] | None = None
        for key in found:
            library, dtype, kv, heads, kv_heads, head_dim, window = key
            if not self._mine(library) or head_dim != op.key_dim or bool(window) != bool(op.window):
                continue
            rank = (
                float(kv != op.kv_precision),
                # an fp8 cache is read by fp8 attention where the engine has it
                float((dtype == "fp8") != (kv == "fp8" and self.engine == "tensorrt-llm")),
                abs(float(np.log(kv_heads / op.kv_heads))),
                abs(float(np.log(heads / op.heads))),
                abs(float(np.log(max(window, 1) / max(op.window, 1)))),
            )
            if best is None or (rank, key) < best:
                best = (rank, key)
        return None if best is None else (best[1], found[best[1]])

    def linear_attention(self, op: LinearAttention, tokens: Floats, *, decode: bool) -> Floats:
        """See `OperatorTimes`."""
        keys = ("library", "num_key_heads", "num_value_heads")
        size = "batch_size" if decode else "seq_len"
        curves = self.grids.curves(
            "linear_attention", size, keys, module="gdn", phase="decode" if decode else "prefill"
        )
        mine = {k[1:]: c for k, c in curves.items() if self._mine(k[0])}
        if not mine:
            self._miss("linear attention", f"gated delta net not measured for {self.engine}")
            return self.roofline.linear_attention(op, tokens, decode=decode)
        best = min(sorted(mine), key=lambda k: abs(np.log(k[1] / op.value_heads)))
        value: Floats = mine[best].at(tokens) * max(op.value_heads / best[1], 1.0)
        return op.count * value

    def all_reduce(self, op: AllReduce, tokens: Floats) -> Floats:
        """The engine's own kernel inside a CUDA graph or NCCL, whichever is faster at the size."""
        if op.ranks < 2:
            return np.zeros_like(tokens)
        curves = self.grids.curves("all_reduce", "size_bytes", ("library", "mode", "num_gpus"))
        size = tokens * op.bytes_per_token
        mine = [c for k, c in sorted(curves.items()) if self._mine(k[0]) and k[1:] == ("graph", op.ranks)]
        nccl = [c for k, c in sorted(curves.items()) if k[0].startswith("nccl") and k[2] == op.ranks]
        if mine or nccl:
            own = [k for k in curves if k[1:] == ("graph", op.ranks) and not k[0].startswith("nccl")]
            peers = [curves[k].at(size) for k in sorted(own)]
            times = [_plausible(c.at(size), peers) for c in mine[:1]] + [c.at(size) for c in nccl[:1]]
            fastest: Floats = np.minimum.reduce(times)
            return op.count * fastest * FUSED_SHARE
        self._miss("all-reduce", f"all-reduce of {op.ranks} GPUs not measured")
        return self.roofline.all_reduce(op, tokens)

    def exchange(self, op: AllReduce, tokens: Floats) -> Floats:
        """A gather before the experts and a reduce-scatter after, or an all-to-all where that is faster."""
        if op.ranks < 2:
            return np.zeros_like(tokens)
        size, total = tokens * op.bytes_per_token, np.zeros_like(tokens)
        for operation in ("all_gather", "reduce_scatter"):
            curves = self.grids.curves(operation, "size_bytes", ("library", "num_gpus"))
            found = [c for k, c in sorted(curves.items()) if k[1] == op.ranks]
            if not found:
                self._miss("exchange", f"{operation} of {op.ranks} GPUs not measured")
                return self.roofline.exchange(op, tokens)
            total = total + found[0].at(size)
        direct = self.roofline.all_to_all(op, tokens) if op.copies else op.count * total
        return np.minimum(op.count * total, direct)

    def send(self, size_bytes: Floats) -> Floats:
        """No table holds it: link bandwidth and a fixed latency, small beside the rest."""
        return self.roofline.send(size_bytes)

    def elementwise(self, size_bytes: Floats) -> Floats:
        """Memory bandwidth at the share that streaming kernels reach."""
        return size_bytes / (self.gpu.memory_bandwidth_bytes_per_s * ELEMENTWISE_SHARE) * 1e3


def _plausible(own: Floats, peers: list[Floats]) -> Floats:
    """A time no longer than what engines need in the middle, with some room."""
    return np.asarray(np.minimum(own, PEERS * np.median(np.stack(peers), axis=0))) if peers else own


def _near_fastest(own: Floats, every: list[Floats]) -> Floats:
    """A time no longer than the fastest engine's, with some room: of the two or three that have one."""
    return np.asarray(np.minimum(own, PEERS * np.minimum.reduce(every))) if every else own


def attention_module(architecture: Architecture) -> str:
    """The measured attention module of a model with latent attention, by its shapes; empty for others."""
    for block in architecture.blocks:
        mixer = block.mixer
        if isinstance(mixer, LatentAttention):
            if mixer.indexer is None:
                same = (architecture.hidden_size, mixer.q_lora_rank) == (7168, 1536)
                return "mla:deepseek-v3" if same else ""
            return "dsa:glm-5" if architecture.hidden_size == 6144 else "dsa:deepseek-v3.2"
    return ""


def _named(table_format: str) -> str:
    """Our precision of a format in the tables."""
    for ours, theirs in EXPERT_FORMATS.items():
        if table_format in theirs:
            return ours
    return "bf16"
