"""Shapes worth measuring: what one rank computes of each model under each tensor parallelism."""

from __future__ import annotations

from dataclasses import dataclass

from models.architecture import Architecture, MixtureOfExperts, architecture_names, resolve
from models.serving.operators import Attention, Experts
from models.serving.parallelism import Parallelism
from models.serving.passes import PassOperators
from profiler.space import Request

__all__ = ["Shapes", "shapes_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """Distinct per-rank shapes, sorted.

    Parameters
    ----------
    gemms
        (n, k) of every weight, the output head included.
    attention
        Grouped-query attention: (heads, key-value heads, head size, window).
    latent
        Latent attention, absorbed: (heads, latent size, value size).
    experts
        Routed experts as (hidden, expert size, top k, experts, tensor parallel, expert parallel).
    widths
        Row lengths of norms and activations.
    cache
        (layers, key-value heads, head size) of whole models, for changes of layout.
    vocabularies
        Row lengths of logits.
    """

    gemms: tuple[tuple[int, int], ...]
    attention: tuple[tuple[int, int, int, int], ...]
    latent: tuple[tuple[int, int, int], ...]
    experts: tuple[tuple[int, int, int, int, int, int], ...]
    widths: tuple[int, ...]
    cache: tuple[tuple[int, int, int], ...]
    vocabularies: tuple[int, ...]


def shapes_of(request: Request) -> Shapes:
    """Shapes of the requested models, every tensor parallelism they allow, experts cut both ways.

    Raises
    ------
    UnknownName
        A model that is not in the catalogue.
    """
    names = request.models or architecture_names()
    gemms: set[tuple[int, int]] = set()
    attention: set[tuple[int, int, int, int]] = set()
    latent: set[tuple[int, int, int]] = set()
    experts: set[tuple[int, int, int, int, int, int]] = set()
    widths: set[int] = set()
    cache: set[tuple[int, int, int]] = set()
    vocabularies: set[int] = set()
    for name in names:
        model = resolve(name)
        for tp in request.tensor_parallel_sizes:
            for ep in sorted({1, tp}) if model.is_moe else (1,):
                cut = Parallelism(tensor_parallel_size=tp, expert_parallel_size=ep)
                if cut.problems(model):
                    continue
                ops = PassOperators.of(model, cut, weights="bf16", kv_cache="bf16")
                gemms |= {(g.n, g.k) for g in (*ops.gemms, ops.head)}
                vocabularies.add(ops.head.n)
                experts |= {_expert(e) for e in ops.experts}
                for op in ops.attention:
                    _add_attention(op, attention, latent, cache, model.num_layers)
                widths |= _widths(model, tp)
    return Shapes(
        gemms=tuple(sorted(gemms)),
        attention=tuple(sorted(attention)),
        latent=tuple(sorted(latent)),
        experts=tuple(sorted(experts)),
        widths=tuple(sorted(widths)),
        cache=tuple(sorted(cache)),
        vocabularies=tuple(sorted(vocabularies)),
    )


def _expert(e: Experts) -> tuple[int, int, int, int, int, int]:
    return (
        e.hidden_size,
        e.expert_size,
        e.top_k,
        e.num_experts,
        e.tensor_parallel_size,
        e.expert_parallel_size,
    )


def _add_attention(
    op: Attention,
    attention: set[tuple[int, int, int, int]],
    latent: set[tuple[int, int, int]],
    cache: set[tuple[int, int, int]],
    layers: int,
) -> None:
    if op.latent:
        latent.add((op.heads, op.key_dim, op.value_dim))
        # The same model prefills with its latent expanded to ordinary heads.
        attention.add((op.heads, op.heads, op.prefill_key_dim, 0))
        cache.add((layers, 1, op.key_dim))
    else:
        attention.add((op.heads, op.kv_heads, op.key_dim, op.window))
        cache.add((layers, op.kv_heads, op.key_dim))


def _widths(model: Architecture, tp: int) -> set[int]:
    found = {model.hidden_size}
    for block in model.blocks:
        ff = block.feed_forward
        inner = ff.expert_intermediate_size if isinstance(ff, MixtureOfExperts) else ff.intermediate_size
        found.add(max(inner // tp, 1))
    return found
