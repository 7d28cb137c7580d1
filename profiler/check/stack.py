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

from profiler.check.shard import Shard, Step
from profiler.devices.device import Device
from profiler.job import Job
from profiler.measure.moe import Moe

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
        self.head = weight(s.vocabulary, s.hidden, salt=99)

    def job(self, step: Step) -> Job:
        """One step through all layers and the head, as a job."""
        s, device = self.shard, self.device
        x = device.random((step.tokens, s.hidden), self.dtype, self.seed + 7)
        angles = device.random((step.tokens, 1, s.head_dim // 2), self.dtype, self.seed + 8)
        attention = [self._attention(step, i) for i in range(s.layers)]
        experts = [self._experts(step, i) for i in range(s.layers)] if s.experts else []
        math = _TorchMath(device.torch) if device.torch is not None else _NumpyMath()
        last = slice(step.prompt_tokens - 1 if step.prompt_tokens else 0, None)

        def run() -> Any:
            h = x
            for number, layer in enumerate(self.layers):
                q = math.linear(math.norm(h, layer.norms[0]), layer.qkv)
                q = math.rotary(q, angles, s.heads + s.kv_heads, s.head_dim)
                h = h + math.linear(attention[number](q), layer.out)
                y = math.norm(h, layer.norms[1])
                if s.experts:
                    math.linear(y, layer.router)
                    h = h + experts[number]()
                else:
                    h = h + math.linear(math.silu_mul(math.linear(y, layer.up)), layer.down)
            return math.linear(h[last], self.head)

        return Job(calls=(run,), kernel="stack")

    def _attention(self, step: Step, number: int) -> Callable[[Any], Any]:
        """Prompt tokens attend to themselves, each decoding sequence to its random cache."""
        s, device = self.shard, self.device
        cache = None
        if step.batch_size:
            shape = (2, step.batch_size, s.kv_heads, step.context_len, s.head_dim)
            cache = device.random(shape, self.dtype, self.seed + 1000 + number)
        softmax = _torch_attention if device.torch is not None else _numpy_attention
        split = s.heads * s.head_dim

        def attend(qkv: Any) -> Any:
            parts = []
            p, b = step.prompt_tokens, step.batch_size
            if p:
                q = qkv[:p, :split].reshape(1, p, s.heads, s.head_dim)
                kv = qkv[:p, split:].reshape(1, p, 2 * s.kv_heads, s.head_dim)
                q, kv = q.swapaxes(1, 2), kv.swapaxes(1, 2)
                found = softmax(q, kv[:, : s.kv_heads], kv[:, s.kv_heads :], device.torch, causal=True)
                parts.append(found.swapaxes(1, 2).reshape(p, split))
            if b:
                q = qkv[p:, :split].reshape(b, s.heads, 1, s.head_dim)
                assert cache is not None
                parts.append(softmax(q, cache[0], cache[1], device.torch, causal=False).reshape(b, split))
            if len(parts) == 1:
                return parts[0]
            join = np.concatenate if device.torch is None else device.torch.cat
            return join(parts)

        return attend

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
            "moe_tp_size": 1,
            "moe_ep_size": 1,
        }
        return Moe().job(self.device, point, self.seed + 10_000 + number).calls[0]


class _NumpyMath:
    @staticmethod
    def linear(x: Any, w: Any) -> Any:
        return x @ w.T

    @staticmethod
    def norm(x: Any, w: Any) -> Any:
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * w

    @staticmethod
    def silu_mul(x: Any) -> Any:
        gate, up = x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :]
        return gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up

    @staticmethod
    def rotary(x: Any, angles: Any, heads: int, size: int) -> Any:
        turned = x[:, : heads * size].reshape(x.shape[0], heads, size)
        left, right = turned[..., : size // 2], turned[..., size // 2 :]
        turned = np.concatenate((left - right * angles, right + left * angles), axis=-1)
        return np.concatenate((turned.reshape(x.shape[0], -1), x[:, heads * size :]), axis=1)


class _TorchMath:
    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.functional = torch.nn.functional

    def linear(self, x: Any, w: Any) -> Any:
        return self.functional.linear(x, w)

    def norm(self, x: Any, w: Any) -> Any:
        return self.functional.rms_norm(x, (x.shape[-1],), w, 1e-6)

    def silu_mul(self, x: Any) -> Any:
        gate, up = x.chunk(2, dim=-1)
        return self.functional.silu(gate) * up

    def rotary(self, x: Any, angles: Any, heads: int, size: int) -> Any:
        turned = x[:, : heads * size].reshape(x.shape[0], heads, size)
        left, right = turned.chunk(2, dim=-1)
        turned = self.torch.cat((left - right * angles, right + left * angles), dim=-1)
        return self.torch.cat((turned.reshape(x.shape[0], -1), x[:, heads * size :]), dim=1)


def _numpy_attention(q: Any, k: Any, v: Any, _: Any, *, causal: bool) -> Any:
    batch, heads, count, size = q.shape
    grouped = q.reshape(batch, k.shape[1], heads // k.shape[1] * count, size)
    scores = grouped @ k.swapaxes(-1, -2) * size**-0.5
    if causal:
        hidden = np.triu(np.ones((count, count), dtype=bool), 1)
        scores.reshape(batch, k.shape[1], -1, count, count)[..., hidden] = -np.inf
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    return (scores @ v).reshape(batch, heads, count, size)


def _torch_attention(q: Any, k: Any, v: Any, torch: Any, *, causal: bool) -> Any:
    return torch.nn.functional.scaled_dot_product_attention(
        q, k, v, is_causal=causal, enable_gqa=q.shape[1] != k.shape[1]
    )
