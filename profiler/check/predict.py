"""A step's time from a profile: the sum of its operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import Unavailable
from models.profiles.interpolate import Basis, Interpolator
from models.profiles.store import Profile
from profiler.check.shard import Shard, Step

__all__ = ["Part", "Predictor", "operators"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One operator of a step: its time for all layers, and what that rests on."""

    operation: str
    what: str
    latency_us: float
    basis: Basis


class Predictor:
    """Answers for one profile, library and number format.

    Parameters
    ----------
    library
        Rows of which software count; "" = the only one there is.
    """

    def __init__(self, profile: Profile, dtype: str, library: str = "") -> None:
        self.profile, self.dtype, self.library = profile, dtype, library
        self._interpolators: dict[str, Interpolator] = {}

    def step(self, shard: Shard, step: Step) -> list[Part]:
        """Every operator of the step.

        Raises
        ------
        Unavailable
            The profile cannot answer for one of them; the message says which and why.
        """
        parts = []
        for operation, what, count, point in operators(shard, step, self.dtype):
            asked = {**point, **({"library": self.library} if self.library else {})}
            if operation not in self._interpolators:
                self._interpolators[operation] = Interpolator(self.profile.table(operation))
            found = self._interpolators[operation].estimate(asked)
            if found.reasons:
                raise Unavailable(found.reasons[0])
            parts.append(
                Part(
                    operation=operation,
                    what=what,
                    latency_us=count * float(found.value[0]),
                    basis=Basis(int(np.max(found.basis))),
                )
            )
        return parts


def operators(s: Shard, step: Step, dtype: str) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """(operation, name, how often, key columns) of one step; collectives are not part of a one-rank stack."""
    m, layers = step.tokens, s.layers

    def gemm(name: str, n: int, k: int, count: int, rows: int = m) -> tuple[str, str, int, dict[str, Any]]:
        return "gemm", name, count, {"dtype": dtype, "m": rows, "n": n, "k": k}

    def small(kind: str, width: int, count: int) -> tuple[str, str, int, dict[str, Any]]:
        point = {"kernel_kind": kind, "dtype": dtype, "num_tokens": m, "width": width}
        return "elementwise", kind, count, point

    heads = {
        "dtype": dtype,
        "kv_dtype": dtype,
        "num_heads": s.heads,
        "num_kv_heads": s.kv_heads,
        "head_dim": s.head_dim,
        "value_dim": s.head_dim,
        "window_size": 0,
    }
    yield small("add_rms_norm", s.hidden, 2 * layers)
    yield small("rotary", (s.heads + s.kv_heads) * s.head_dim, layers)
    yield gemm("qkv", s.qkv, s.hidden, layers)
    yield gemm("output", s.hidden, s.heads * s.head_dim, layers)
    if step.prompt_tokens:
        lengths = {"batch_size": 1, "query_len": step.prompt_tokens, "prefix_len": 0}
        yield "attention_prefill", "prefill", layers, heads | lengths
    if step.batch_size:
        lengths = {"batch_size": step.batch_size, "query_len": 1, "kv_len": step.context_len}
        yield "attention_decode", "decode", layers, heads | lengths
    if s.experts is None:
        yield gemm("gate and up", 2 * s.intermediate, s.hidden, layers)
        yield small("silu_mul", s.intermediate, layers)
        yield gemm("down", s.hidden, s.intermediate, layers)
    else:
        inter, top_k, count = s.experts
        yield gemm("router", count, s.hidden, layers)
        sizes = {"hidden_size": s.hidden, "inter_size": inter, "top_k": top_k, "num_experts": count}
        point = {"dtype": dtype, "distribution": "balanced", "num_tokens": m, **sizes}
        yield "moe", "experts", layers, point | {"moe_tp_size": s.tensor_parallel_size, "moe_ep_size": 1}
    yield gemm("head", s.vocabulary, s.hidden, 1, step.sequences)
