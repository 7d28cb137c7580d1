"""The shard of a model that a check builds: one rank's shapes of layers that repeat."""

from __future__ import annotations

from dataclasses import dataclass

from models.architecture import Architecture, DenseFeedForward, GroupedQueryAttention
from models.errors import InvalidInput, Unsupported
from models.serving.parallelism import Parallelism

__all__ = ["Shard", "Step", "shard_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Per-rank shapes of a dense or mixture-of-experts layer with grouped-query attention.

    Parameters
    ----------
    intermediate
        Per rank; 0 in a layer of experts.
    experts
        (expert size before it is cut, top k, experts), or None in a dense layer.
    """

    name: str
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    experts: tuple[int, int, int] | None
    vocabulary: int
    tensor_parallel_size: int
    layers: int
    model_layers: int

    @property
    def qkv(self) -> int:
        """Rows of the joint query, key and value projection."""
        return (self.heads + 2 * self.kv_heads) * self.head_dim


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One engine step: a prompt of `prompt_tokens` and one token for each of `batch_size` sequences.

    Either may be zero. Every decoding sequence attends to `context_len` keys.
    """

    prompt_tokens: int = 0
    batch_size: int = 0
    context_len: int = 0

    @property
    def tokens(self) -> int:
        """Rows of the step's products."""
        return self.prompt_tokens + self.batch_size

    @property
    def sequences(self) -> int:
        """Rows of the output head."""
        return self.batch_size + (self.prompt_tokens > 0)

    @property
    def kind(self) -> str:
        """prefill, decode or mixed."""
        if not self.batch_size:
            return "prefill"
        return "mixed" if self.prompt_tokens else "decode"

    def __str__(self) -> str:
        prompt = f"{self.prompt_tokens} prompt tokens" if self.prompt_tokens else ""
        decode = f"{self.batch_size} × {self.context_len}" if self.batch_size else ""
        return " + ".join(part for part in (prompt, decode) if part)


def shard_of(model: Architecture, tp: int, layers: int) -> Shard:
    """The commonest layer of a model, cut for a tensor parallelism.

    Raises
    ------
    InvalidInput
        The model cannot be cut that way, or no layers are asked for.
    Unsupported
        Its layers have latent, linear or windowed attention.
    """
    if layers < 1:
        raise InvalidInput(f"at least one layer must be built, got {layers}")
    problems = Parallelism(tensor_parallel_size=tp).problems(model)
    if problems:
        raise InvalidInput(f"{model.name} cannot be cut for TP {tp}: {problems[0]}")
    usable = [
        b
        for b in model.blocks
        if isinstance(b.mixer, GroupedQueryAttention) and b.mixer.sliding_window is None
    ]
    if not usable:
        raise Unsupported(
            f"{model.name} has no layer with full grouped-query attention; a check builds only those"
        )
    block = max(usable, key=lambda b: b.count)
    mixer, ff = block.mixer, block.feed_forward
    assert isinstance(mixer, GroupedQueryAttention)
    dense = isinstance(ff, DenseFeedForward)
    return Shard(
        name=model.name,
        hidden=model.hidden_size,
        heads=mixer.num_heads // tp,
        kv_heads=max(mixer.num_key_value_heads // tp, 1),
        head_dim=mixer.head_dim,
        intermediate=ff.intermediate_size // tp if isinstance(ff, DenseFeedForward) else 0,
        experts=None
        if dense or isinstance(ff, DenseFeedForward)
        else (ff.expert_intermediate_size, ff.top_k, ff.num_experts),
        vocabulary=-(-model.vocab_size // tp),
        tensor_parallel_size=tp,
        layers=min(layers, model.num_layers),
        model_layers=model.num_layers,
    )
