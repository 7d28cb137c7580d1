"""Operator times from the points our own profiler measured, for whatever engine runs there.

Tables of engines are complete grids (`models.serving.tables`); the profiler measures scattered points where
they tell most, and `models.profiles.interpolate` answers between them. Its kernels are those of the library
it ran with, not an engine's, and every plan that rests on them says so.

What was not measured is never replaced in silence. Where tables of an engine on the same GPU are at hand (the
profile that ships for its type), they stand in, operator by operator and format by format; each is named, and
the basis of the whole price is then no better than theirs. Without such tables:

- sizes (tokens, sequences, context) beyond the largest measured: the utilisation at the edge is held; noted;
- a number format that was not measured: refused, but that on a CPU fp32 rows stand for bf16 and fp16, because
  a library that has no rows in 16 bit computes in 32; unscaled, and noted;
- operators without points, or whose shape is more than a factor of 16 away from every measured one: priced
  from the device's figures; then the basis of the whole price is ``datasheet``, and the note says why.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.errors import Unsupported
from models.hardware import Gpu
from models.profiles.device import stream_bytes_per_s
from models.profiles.groups import Group
from models.profiles.interpolate import MAX_OCTAVES_OUTSIDE, Interpolator
from models.profiles.store import Profile
from models.serving.basis import Basis, weakest
from models.serving.engine import engine_names
from models.serving.operators import AllReduce, Attention, Experts, Gemm, LinearAttention, OperatorTimes
from models.serving.roofline import RooflineTimes
from models.serving.tables import TableTimes

__all__ = ["PointTimes", "own_library"]

Floats = npt.NDArray[np.float64]
Sizes = dict[str, float | Floats]
"""Axis → its value in every query, or its values."""

FORMATS = {
    "bf16": ("bf16", "fp16"),
    "fp8": ("fp8", "fp8_block"),
    "fp8_block": ("fp8_block", "fp8"),
}
"""Our precision → formats of points, best first; others by their own name."""
SIZES = frozenset({"m", "num_tokens", "query_len", "batch_size", "kv_len", "size_bytes"})
"""Axes that grow with the load; the others are shapes of the model."""
ROUTING = ("power_law_1.2", "power_law_1.01", "balanced")
"""Routing of experts, the most cautious first."""


def own_library(profile: Profile, engine: str) -> str | None:
    """The library whose points price `engine`; None where the profile has tables of the engine itself.

    Only products that were ``measured`` count: imported tables hold engines and nothing else. Of several
    libraries the one with most points is taken, the first by name among equals.
    """
    entry = profile.manifest.tables.get("gemm")
    if entry is None or entry.basis != "measured":
        return None
    names, counts = np.unique(profile.table("gemm")["library"], return_counts=True)
    found = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    if any(name.rpartition("-")[0] == engine for name in found):
        return None
    others = {n: c for n, c in found.items() if n.rpartition("-")[0] not in engine_names()}
    return min(others, key=lambda n: (-others[n], n)) if others else None


class PointTimes:
    """Operator times of one library on one device; implements `OperatorTimes`.

    Parameters
    ----------
    profile
        Points of the device.
    gpu
        For what has no points.
    library
        Rows of which software count.
    engine
        The engine that will run there, for the notes.
    tables
        Tables of that engine on the same type of GPU, of attention alone rather than of whole modules; for
        what has no points. None = the device's figures.
    """

    def __init__(
        self, profile: Profile, gpu: Gpu, library: str, engine: str, *, tables: TableTimes | None = None
    ) -> None:
        self.profile, self.gpu, self.library, self.engine = profile, gpu, library, engine
        self.roofline = RooflineTimes(gpu)
        self.tables = tables
        self.other: OperatorTimes = tables or self.roofline
        self.name = f"profile {profile.manifest.name} ({library})"
        self.notes: dict[str, str] = {}
        self.missing: set[tuple[str, str]] = set()
        self._bases: set[Basis] = set()
        self._interpolators: dict[str, Interpolator | None] = {}

    def basis(self) -> Basis:
        """The weakest basis of the tables asked; of an operator without points, that of what stood in."""
        lacking: list[Basis] = [self.other.basis()] if self.missing else []
        return weakest([*self._bases, *lacking])

    def remarks(self) -> tuple[str, ...]:
        """See `OperatorTimes`."""
        said = [f"{self.name}: kernels of {self.library} stand for those of {self.engine}"]
        if self.gpu.generation == "cpu":
            said.append(f"{self.name}: what {self.engine} costs beside its kernels is as fitted on GPUs")
        said += [f"{self.name}: {why}" for _, why in sorted(self.notes.items())]
        used = "the device's figures were used"
        if self.tables is not None:
            used = f"{self.tables.name} was used, which is {self.tables.grids.profile.manifest.basis}"
        said += [f"{self.name}: {what}: {why}; {used}" for what, why in sorted(self.missing)]
        if self.missing and self.tables is not None:
            said += self.tables.remarks()
        return tuple(said)

    def gemm(self, op: Gemm, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        group = self._in_format("gemm", "products", {"dtype": op.precision})
        found = self._time("gemm", "products", group, {"m": tokens, "n": op.n, "k": op.k})
        return self.other.gemm(op, tokens) if found is None else op.count * found

    def experts(self, op: Experts, tokens: Floats) -> Floats:
        """Under the most skewed routing that was measured."""
        sizes: Sizes = {
            "num_tokens": tokens,
            "hidden_size": op.hidden_size,
            "inter_size": op.expert_size,
            "top_k": op.top_k,
            "num_experts": op.num_experts,
            "moe_tp_size": op.tensor_parallel_size,
            "moe_ep_size": op.expert_parallel_size,
        }
        groups = [
            self._in_format("moe", "experts", {"dtype": op.precision}, distribution=routing)
            for routing in ROUTING
            if self._has("moe", distribution=routing)
        ]
        found = self._time("moe", "experts", groups[0] if groups else None, sizes)
        return self.other.experts(op, tokens) if found is None else op.count * found

    def separate_projections(self, op: Attention) -> tuple[Gemm, ...]:
        """All: attention was measured alone."""
        return op.projections

    def prefill_attention(self, op: Attention, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        sizes: Sizes = {
            "batch_size": 1,
            "query_len": tokens,
            "prefix_len": 0,
            "num_heads": op.heads,
            "num_kv_heads": op.heads if op.latent else op.kv_heads,
            "head_dim": op.prefill_key_dim or op.key_dim,
            "value_dim": op.prefill_value_dim or op.value_dim,
            "window_size": op.window,
        }
        # the prompt's own keys are attended to as they are computed, whatever the cache stores
        wanted = {"dtype": "bf16", "kv_dtype": "bf16"}
        group = self._in_format("attention_prefill", "prefill attention", wanted)
        found = self._time("attention_prefill", "prefill attention", group, sizes)
        return self.other.prefill_attention(op, tokens) if found is None else op.count * found

    def decode_attention(self, op: Attention, batch: Floats, context: Floats) -> Floats:
        """See `OperatorTimes`."""
        operation = "mla_decode" if op.latent else "attention_decode"
        b, c = (grid.ravel() for grid in np.meshgrid(batch, context, indexing="ij"))
        sizes: Sizes = {
            "batch_size": b,
            "kv_len": c,
            "num_heads": op.heads,
            "head_dim": op.key_dim,
            "value_dim": op.value_dim,
        }
        if not op.latent:
            sizes |= {"query_len": 1, "num_kv_heads": op.kv_heads, "window_size": op.window}
        wanted = {"dtype": "bf16", "kv_dtype": op.kv_precision}
        group = None if op.top_k else self._in_format(operation, "decode attention", wanted)
        found = self._time(operation, "decode attention", group, sizes, monotone=False)
        if found is None:
            return self.other.decode_attention(op, batch, context)
        grid = found.reshape(batch.size, context.size)
        for axis in (0, 1):
            grid = np.flip(np.minimum.accumulate(np.flip(grid, axis), axis=axis), axis)
        return np.asarray(op.count * grid)

    def linear_attention(self, op: LinearAttention, tokens: Floats, *, decode: bool) -> Floats:
        """The profiler does not measure recurrent layers."""
        self.missing.add(("linear attention", "not measured"))
        return self.other.linear_attention(op, tokens, decode=decode)

    def all_reduce(self, op: AllReduce, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        if op.ranks < 2:
            return np.zeros_like(tokens)
        found = self._collective("all_reduce", op, tokens)
        return self.other.all_reduce(op, tokens) if found is None else op.count * found

    def exchange(self, op: AllReduce, tokens: Floats) -> Floats:
        """A gather before the experts and a reduce-scatter after them."""
        if op.ranks < 2:
            return np.zeros_like(tokens)
        parts = [self._collective(operation, op, tokens) for operation in ("all_gather", "reduce_scatter")]
        if parts[0] is None or parts[1] is None:
            return self.other.exchange(op, tokens)
        return op.count * (parts[0] + parts[1])

    def send(self, size_bytes: Floats) -> Floats:
        """Link bandwidth and a fixed latency, as in `TableTimes.send`."""
        return self.roofline.send(size_bytes)

    def elementwise(self, size_bytes: Floats) -> Floats:
        """Traffic at the rate that memory streams reached."""
        rate = stream_bytes_per_s(self.profile)
        if rate is None:
            self.missing.add(("small kernels", "no memory streams measured (--ops hbm)"))
            return self.other.elementwise(size_bytes)
        self._bases.add(self.profile.manifest.tables["hbm"].basis)
        return size_bytes / rate * 1e3

    # -- points --------------------------------------------------------------------------------------------

    def _points(self, operation: str, *, any_library: bool = False) -> Interpolator | None:
        """Points of an operation, of this library; None when there are none."""
        if operation not in self._interpolators:
            table = self.profile.table(operation) if operation in self.profile else None
            if table is not None and not any_library:
                table = table.where(library=self.library)
            usable = table is not None and len(table) > 0
            self._interpolators[operation] = (
                Interpolator(table, max_octaves_outside=np.inf) if usable and table is not None else None
            )
        return self._interpolators[operation]

    def _has(self, operation: str, **labels: str) -> bool:
        points = self._points(operation)
        return points is not None and any(
            labels.items() <= group.labels.items() for group in points.groups.values()
        )

    def _in_format(self, operation: str, what: str, wanted: dict[str, str], **labels: str) -> Group | None:
        """The points in the formats wanted; None when the operation was not measured at all.

        Raises
        ------
        Unsupported
            It was measured, but in other formats, and there are no tables to stand in.
        """
        points = self._points(operation)
        if points is None:
            return None
        groups = [g for g in points.groups.values() if labels.items() <= g.labels.items()]
        for formats in _choices(wanted):
            for group in groups:
                if formats.items() <= group.labels.items():
                    return group
        asked = "/".join(dict.fromkeys(wanted.values()))
        if self.profile.manifest.device.kind == "cpu" and set(wanted.values()) <= {"bf16", "fp16"}:
            for group in groups:
                if all(group.labels[column] == "fp32" for column in wanted):
                    self.notes[operation] = (
                        f"{what} asked in {asked} are those measured in fp32, unscaled; memory is counted "
                        f"in {asked}"
                    )
                    return group
        known = ", ".join(sorted({"/".join(dict.fromkeys(g.labels[c] for c in wanted)) for g in groups}))
        if self.tables is not None:
            self.missing.add((what, f"measured in {known}, not in {asked}"))
            return None
        raise Unsupported(
            f"{self.name} has {what} in {known}, none in {asked}: measure them, or choose another precision"
        )

    def _time(
        self,
        operation: str,
        what: str,
        group: Group | None,
        sizes: Sizes,
        *,
        monotone: bool = True,
    ) -> Floats | None:
        """Milliseconds at every size; None, with the reason kept, where the points cannot say."""
        points = self._interpolators.get(operation)
        if points is None or group is None:
            if all(known != what for known, _ in self.missing):
                self.missing.add((what, "not measured"))
            return None
        if group.log_ratio is None:
            self.missing.add((what, f"only {len(group.table)} points in {'/'.join(group.labels.values())}"))
            return None
        for axis in points.schema.axes:
            known = group.table.numbers(axis.name)
            asked = np.atleast_1d(np.asarray(sizes[axis.name], dtype=np.float64))
            if axis.name in SIZES:
                if asked.max() > known.max():
                    self.notes[f"{operation} {axis.name}"] = (
                        f"{what} beyond {axis.name} = {known.max():,.0f}, the largest measured, hold its "
                        "utilisation"
                    )
                continue
            here = axis.coordinate(asked)
            there = axis.coordinate(known)
            outside = float(np.max(np.maximum(here - there.max(), there.min() - here)))
            if outside > MAX_OCTAVES_OUTSIDE:
                far = f"{axis.name} {asked[0]:g} is far outside the measured"
                self.missing.add((what, f"{far} {known.min():g} to {known.max():g}"))
                return None
        self._bases.add(self.profile.manifest.tables[operation].basis)
        value = points.estimate({**sizes, **group.labels}).require() / 1e3
        # more work never takes less time: a slow spot is a fault of the timing, for padding would be faster
        return np.asarray(np.minimum.accumulate(value[::-1])[::-1] if monotone else value)

    def _collective(self, operation: str, op: AllReduce, tokens: Floats) -> Floats | None:
        """Graph launches before eager ones; any library, for collectives have their own."""
        points = self._points(operation, any_library=True)
        groups = [] if points is None else [
            g for g in points.groups.values() if (g.table.numbers("num_gpus") == op.ranks).any()
        ]  # fmt: skip
        best = min(
            groups, key=lambda g: (g.labels["mode"] != "graph", sorted(g.labels.items())), default=None
        )
        sizes: Sizes = {"num_gpus": op.ranks, "size_bytes": np.maximum(tokens * op.bytes_per_token, 1.0)}
        return self._time(operation, f"{operation} of {op.ranks} GPUs", best, sizes)


def _choices(wanted: dict[str, str]) -> list[dict[str, str]]:
    """The formats wanted and what is as good, best first: one choice for all columns at a time."""
    lists = [FORMATS.get(precision, (precision,)) for precision in wanted.values()]
    longest = max(len(options) for options in lists)
    return [
        dict(zip(wanted, (options[min(i, len(options) - 1)] for options in lists), strict=True))
        for i in range(longest)
    ]
