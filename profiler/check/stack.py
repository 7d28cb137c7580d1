"""A stack of transformer layers with random weights, run step by step on a device.

Data flows as in a real model: norm, joint projection, rotary embedding, attention over a random cache,
output projection, residual, norm, feed-forward, residual; then the output head. Collectives are left out:
one rank is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from profiler.attention_kernels import Attend, AttentionShape, Kernel, KernelChoice
from profiler.check.shard import Shard, Step
from profiler.devices.device import Device
from profiler.job import Job
from profiler.measure.moe import Moe
from profiler.small_kernels import small_kernels

__all__ = ["Stack"]


@dataclass(frozen=True, slots=True)
class _Layer:
    norms: Any
    qkv: Any
    out: Any
    up: Any
    down: Any
    router: Any


class Stack:
    """Weights of `shard.layers` layers and an output head.

    Parameters
    ----------
    dtype
        Number format of weights, activations and cache.
    """

    def __init__(self, shard: Shard, device: Device, dtype: str, seed: int) -> None:
        self.shard, self.device, self.dtype, self.seed = shard, device, dtype, seed
        s = shard

        def weight(*shape: int, salt: int) -> Any:
            # Scaled, so that activations neither vanish nor overflow through the layers.
            return device.random(shape, dtype, seed + salt) * (shape[-1] ** -0.5)

        self.layers = [
            _Layer(
                norms=weight(2, s.hidden, salt=100 * i) + 1,
                qkv=weight(s.qkv, s.hidden, salt=100 * i + 1),
                out=weight(s.hidden, s.heads * s.head_dim, salt=100 * i + 2),
                up=weight(2 * s.intermediate, s.hidden, salt=100 * i + 3) if s.intermediate else None,
                down=weight(s.hidden, s.intermediate, salt=100 * i + 4) if s.intermediate else None,
                router=weight(s.experts[2], s.hidden, salt=100 * i + 5) if s.experts else None,
            )
            for i in range(s.layers)
        ]
        self.kernels = small_kernels(device)
        self.choice = KernelChoice()
        self.head = weight(s.vocabulary, s.hidden, salt=99)

    def job(self, step: Step) -> Job:
        """One step through all layers and the head, as a job."""
        s, device, kernels = self.shard, self.device, self.kernels
        x = device.random((step.tokens, s.hidden), self.dtype, self.seed + 7)
        turned = (s.heads + s.kv_heads) * s.head_dim
        table = device.random((step.tokens, turned), self.dtype, self.seed + 8)
        attention = [self._attention(step, i) for i in range(s.layers)]
        experts = [self._experts(step, i) for i in range(s.layers)] if s.experts else []
        last = slice(step.prompt_tokens - 1 if step.prompt_tokens else 0, None)

        def run() -> Any:
            h = x
            for number, layer in enumerate(self.layers):
                qkv = kernels.linear(kernels.norm(h, layer.norms[0]), layer.qkv)
                qk = kernels.rotary(qkv[:, :turned], table)
                h = h + kernels.linear(attention[number](qk, qkv[:, turned:]), layer.out)
                y = kernels.norm(h, layer.norms[1])
                if s.experts:
                    kernels.linear(y, layer.router)
                    h = h + experts[number]()
                else:
                    h = h + kernels.linear(kernels.silu_mul(kernels.linear(y, layer.up)), layer.down)
            return kernels.linear(h[last], self.head)

        return Job(calls=(run,), kernel="stack")

    def _attention(self, step: Step, number: int) -> Callable[[Any, Any], Any]:
        """Prompt tokens attend to themselves, each decoding sequence to its random cache; (queries and keys,
        values) → output, by the kernels that win the race the measurements make too.
        """
        p, b, width = step.prompt_tokens, step.batch_size, self.shard.heads * self.shard.head_dim
        prompt = self._kernel(1, p, p) if p else None
        decode = self._kernel(b, 1, step.context_len) if b else None
        cache: Any = None
        if decode is not None:
            cache = decode[0].cache(decode[1], self.device, self.seed + 1000 + 10 * number)
        torch = self.device.torch

        def attend(qk: Any, v: Any) -> Any:
            q, k, parts = qk[:, :width], qk[:, width:], []
            if prompt is not None:
                kernel, shape, run = prompt
                heads = ((q[:p], shape.heads), (k[:p], shape.kv_heads), (v[:p], shape.kv_heads))
                found = run(*(_in_order(kernel, t.reshape(1, p, n, -1)) for t, n in heads))
                parts.append(_in_order(kernel, found).reshape(p, width))
            if decode is not None:
                kernel, shape, run = decode
                found = run(_in_order(kernel, q[p:].reshape(b, 1, shape.heads, -1)), *cache)
                parts.append(_in_order(kernel, found).reshape(b, width))
            if len(parts) == 1:
                return parts[0]
            return (np.concatenate if torch is None else torch.cat)(parts)

        return attend

    def _kernel(self, batch: int, queries: int, keys: int) -> tuple[Kernel, AttentionShape, Attend]:
        s = self.shard
        shape = AttentionShape(
            batch_size=batch,
            query_len=queries,
            kv_len=keys,
            heads=s.heads,
            kv_heads=s.kv_heads,
            head_dim=s.head_dim,
            dtype=self.dtype,
        )
        kernel = self.choice.best(self.device, shape)
        return kernel, shape, kernel.bind(shape, self.device)

    def _experts(self, step: Step, number: int) -> Callable[[], Any]:
        """The routed experts on inputs of their own: routing is drawn before, as when they were measured."""
        s = self.shard
        assert s.experts is not None
        inter, top_k, count = s.experts
        point: dict[str, str | float] = {
            "dtype": self.dtype,
            "distribution": "balanced",
            "num_tokens": step.tokens,
            "hidden_size": s.hidden,
            "inter_size": inter,
            "top_k": top_k,
            "num_experts": count,
            "moe_tp_size": s.tensor_parallel_size,
            "moe_ep_size": 1,
        }
        return Moe().job(self.device, point, self.seed + 10_000 + number).calls[0]


def _in_order(kernel: Kernel, x: Any) -> Any:
    """``[batch, tokens, heads, size]`` in the kernel's order of axes, or back."""
    return x if kernel.tokens_first else x.swapaxes(1, 2)
