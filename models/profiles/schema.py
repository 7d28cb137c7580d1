"""Which operations a profile can hold, and the columns that identify a point of each.

Every table has its key columns, then the value (median), ``p10_``/``p90_`` of the value, ``samples`` (0 =
unknown), ``contended`` (another process used the device), ``sm_clock_mhz`` and ``temperature_c`` (NaN =
unknown) and ``kernel`` (the implementation that ran, free text). Sizes are per GPU (per rank), after
sharding. Latency is in microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.errors import UnknownName
from models.profiles import work
from models.profiles.columns import DTYPES, Axis, Category, Columns, KeyColumn
from models.profiles.work import Work

__all__ = ["OPERATIONS", "SCHEMA_VERSION", "OperationSchema", "operation"]

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class OperationSchema:
    """One table of a profile.

    Parameters
    ----------
    keys
        Columns that identify a point; together unique within a table.
    work
        Points → (FLOP, bytes): the speed-of-light model behind interpolation. None where there is no such
        thing; then the value itself is interpolated and never extrapolated.
    value
        Name of the measured column, with its unit.
    """

    name: str
    doc: str
    keys: tuple[KeyColumn, ...]
    work: Callable[[Columns], Work] | None
    value: str = "latency_us"

    @property
    def categories(self) -> tuple[Category, ...]:
        """Key columns matched exactly."""
        return tuple(k for k in self.keys if isinstance(k, Category))

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Key columns interpolated over."""
        return tuple(k for k in self.keys if isinstance(k, Axis))

    def key(self, name: str) -> KeyColumn:
        """The key column of that name; raises `UnknownName`."""
        for column in self.keys:
            if column.name == name:
                return column
        raise UnknownName(f"key column of {self.name}", name, [k.name for k in self.keys])


_FORMATS = tuple(DTYPES)
_LIBRARY = Category("library", "software the point belongs to: torch-2.13.0, vllm-0.24.0, nccl-2.29.2")
_DTYPE = Category("dtype", "number format of the operands", _FORMATS)
_KV_DTYPE = Category("kv_dtype", "number format of the KV cache", _FORMATS)
_BATCH = Axis("batch_size", "sequences")
_QUERY = Axis("query_len", "new tokens of each sequence")
_PREFIX = Axis("prefix_len", "tokens of each sequence already in the KV cache", minimum=0, offset=256)
_KV_LEN = Axis("kv_len", "keys each sequence attends to, the new ones included")
_HEADS = Axis("num_heads", "query heads on this rank")
_KV_HEADS = Axis("num_kv_heads", "key-value heads on this rank")
_TOKENS = Axis("num_tokens", "tokens in the step, of all sequences")
_SIZE = Axis("size_bytes", "bytes")
_GPUS = Axis("num_gpus", "GPUs taking part", minimum=2)
_HEAD_SHAPE: tuple[Axis, ...] = (
    Axis("head_dim", "elements of a key"),
    Axis("value_dim", "elements of a value"),
    Axis("window_size", "sliding window in tokens, 0 = full attention", minimum=0, zero_octaves=20),
)
_COLLECTIVE = (
    _LIBRARY,
    _DTYPE,
    Category("mode", "how it was launched", ("eager", "graph")),
    Category("link", "what joins the GPUs: nvlink, pcie, network, shared_memory"),
    _GPUS,
    _SIZE,
)


def _attention(
    name: str, doc: str, lengths: tuple[Axis, ...], model: Callable[[Columns], Work]
) -> OperationSchema:
    keys: tuple[KeyColumn, ...] = (
        _LIBRARY,
        _DTYPE,
        _KV_DTYPE,
        _BATCH,
        *lengths,
        _HEADS,
        _KV_HEADS,
        *_HEAD_SHAPE,
    )
    return OperationSchema(name, doc, keys, model)


def _module(
    name: str, doc: str, lengths: tuple[Axis, ...], model: Callable[[Columns], Work]
) -> OperationSchema:
    gemm_dtype = Category("gemm_dtype", "number format of the projections", _FORMATS)
    kind = Category("module", "which module: mla:deepseek-v3, dsa:glm-5, …")
    return OperationSchema(
        name, doc, (_LIBRARY, kind, _DTYPE, _KV_DTYPE, gemm_dtype, _BATCH, *lengths, _HEADS), model
    )


def _collective(name: str, size: str) -> OperationSchema:
    return OperationSchema(
        name, f"NCCL {name} (or an engine's own); size_bytes = {size}", _COLLECTIVE, work.message
    )


_ALL = (
    OperationSchema(
        "gemm",
        "C[m, n] = A[m, k] · B[k, n]; m = tokens, n and k = the shard's weight shape",
        (
            _LIBRARY,
            _DTYPE,
            Axis("m", "rows: tokens"),
            Axis("n", "output features"),
            Axis("k", "input features"),
        ),
        work.gemm,
    ),
    OperationSchema(
        "bmm",
        "batched products, such as the absorbed projections of latent attention",
        (
            _LIBRARY,
            _DTYPE,
            Axis("batch", "products"),
            Axis("m", "rows"),
            Axis("n", "columns"),
            Axis("k", "depth"),
        ),
        work.bmm,
    ),
    _attention(
        "attention_prefill", "causal attention over new tokens", (_QUERY, _PREFIX), work.attention_prefill
    ),
    _attention(
        "attention_decode",
        "attention of new tokens over a paged cache",
        (_QUERY, _KV_LEN),
        work.attention_decode,
    ),
    OperationSchema(
        "mla_decode",
        "absorbed multi-head latent attention over a shared latent cache, projections left out",
        (_LIBRARY, _DTYPE, _KV_DTYPE, _BATCH, _KV_LEN, _HEADS, *_HEAD_SHAPE[:2]),
        work.mla_decode,
    ),
    _module(
        "attention_module_prefill",
        "a whole attention module, projections included",
        (_QUERY, _PREFIX),
        work.module_prefill,
    ),
    _module(
        "attention_module_decode",
        "a whole attention module, projections included",
        (_KV_LEN,),
        work.module_decode,
    ),
    OperationSchema(
        "linear_attention",
        "recurrent layers: gated delta net, Mamba 2, Kimi delta attention",
        (
            _LIBRARY,
            Category("module", "gdn, mamba2, kda"),
            Category("phase", "which of the two", ("prefill", "decode")),
            _BATCH,
            Axis("seq_len", "new tokens of each sequence"),
            Axis("num_key_heads", "key heads on this rank"),
            Axis("num_value_heads", "value heads on this rank"),
            Axis("key_dim", "elements of a key head"),
            Axis("value_dim", "elements of a value head"),
        ),
        work.linear_attention,
    ),
    OperationSchema(
        "moe",
        "routed experts of one layer on one rank: gate, up, activation, down, combine",
        (
            _LIBRARY,
            _DTYPE,
            Category("distribution", "routing: balanced, power_law_1.01, power_law_1.2"),
            _TOKENS,
            Axis("hidden_size", "model width"),
            Axis("inter_size", "expert width before sharding"),
            Axis("top_k", "experts a token goes to"),
            Axis("num_experts", "experts before sharding"),
            Axis("moe_tp_size", "tensor parallelism within an expert"),
            Axis("moe_ep_size", "expert parallelism"),
        ),
        work.moe,
    ),
    _collective("all_reduce", "the buffer on each rank"),
    _collective("all_gather", "the gathered buffer"),
    _collective("reduce_scatter", "the buffer before it is scattered"),
    _collective("all_to_all", "the buffer on each rank"),
    OperationSchema(
        "p2p",
        "one buffer from one GPU to another",
        (
            _LIBRARY,
            Category("link", "nvlink, pcie, network, shared_memory"),
            Category("direction", "one way, or both at once", ("one_way", "both_ways")),
            _SIZE,
        ),
        work.message,
    ),
    OperationSchema(
        "elementwise",
        "small kernels between the products",
        (
            _LIBRARY,
            Category("kernel_kind", "rms_norm, add_rms_norm, silu_mul, rotary, sample, quantize, …"),
            _DTYPE,
            _TOKENS,
            Axis("width", "elements of a row"),
        ),
        work.elementwise,
    ),
    OperationSchema(
        "launch",
        "empty kernels in a row: what the host and the launch cost",
        (
            _LIBRARY,
            Category("mode", "one by one, or replayed as a graph", ("eager", "graph")),
            Axis("num_kernels", "kernels"),
        ),
        work.launch,
    ),
    OperationSchema(
        "hbm",
        "device memory streams",
        (_LIBRARY, Category("access", "what the stream does", ("read", "write", "copy")), _SIZE),
        work.message,
    ),
    OperationSchema(
        "host_copy",
        "host to device and back",
        (
            _LIBRARY,
            Category("direction", "host to device, device to host", ("h2d", "d2h")),
            Category("memory", "kind of host memory", ("pinned", "pageable", "shared")),
            _SIZE,
        ),
        work.message,
    ),
    OperationSchema(
        "weight_load",
        "a weights file to the device",
        (
            _LIBRARY,
            Category("tier", "where the file is", ("page_cache", "disk", "network", "object_store")),
            _SIZE,
        ),
        work.message,
    ),
    OperationSchema(
        "kv_relayout",
        "the KV cache of some tokens cut from one tensor parallelism to another, on the host or the device",
        (
            _LIBRARY,
            _DTYPE,
            Category("place", "where it happens", ("device", "host")),
            _TOKENS,
            Axis("num_layers", "layers on this rank"),
            Axis("num_kv_heads", "key-value heads before the change"),
            Axis("head_dim", "elements of a key"),
            Axis("from_tp", "tensor parallelism before"),
            Axis("to_tp", "tensor parallelism after"),
        ),
        work.kv_relayout,
    ),
    OperationSchema(
        "sm_share",
        "one transformer layer of a phase on a part of the processors",
        (
            _LIBRARY,
            Category("phase", "which of the two", ("prefill", "decode")),
            Category("layer", "whose layer, and its shard: llama-3.1-8b/tp1"),
            Category("mechanism", "how the processors are split", ("green_context", "mps", "threads")),
            Axis("share", "part of the processors, 0 to 1", minimum=0.001, integer=False),
            _TOKENS,
            Axis("context_len", "keys each sequence attends to"),
        ),
        work.sm_share,
    ),
    OperationSchema(
        "power",
        "power drawn under a steady load",
        (_LIBRARY, Category("load", "idle, gemm, hbm, prefill, decode")),
        None,
        value="power_watts",
    ),
)

OPERATIONS: dict[str, OperationSchema] = {o.name: o for o in _ALL}
"""Every operation a profile may hold, by name."""


def operation(name: str) -> OperationSchema:
    """The schema of an operation; raises `UnknownName` with the nearest valid one."""
    if name not in OPERATIONS:
        raise UnknownName("operation", name, OPERATIONS)
    return OPERATIONS[name]
