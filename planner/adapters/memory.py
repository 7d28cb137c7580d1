"""Room that LoRA adapters take on a GPU.

For a weight of ``in × out`` an adapter of rank r adds ``A: in × r`` and ``B: r × out`` in bf16. Cut by tensor
parallelism as engines do it: where the weight is cut by columns, A is whole on every GPU and B is cut; where
by rows, the other way round. Engines set the room of all slots aside at the start, each of the largest rank.
"""

from __future__ import annotations

from models.architecture import Architecture, DenseFeedForward, GroupedQueryAttention
from models.errors import Unsupported
from models.serving import Parallelism

__all__ = ["adapter_bytes_per_gpu"]

BYTES = 2.0


def adapter_bytes_per_gpu(architecture: Architecture, parallelism: Parallelism, rank: int) -> float:
    """Bytes of one adapter on all attention and dense feed-forward weights of the largest stage.

    Experts have no adapters.

    Raises
    ------
    Unsupported
        The attention is of a kind whose adapters are not sized.
    """
    tp, h = parallelism.tensor_parallel_size, architecture.hidden_size
    share = parallelism.stage_layers(architecture) / architecture.num_layers
    total = 0.0
    for block in architecture.blocks:
        mixer, feed_forward = block.mixer, block.feed_forward
        if not isinstance(mixer, GroupedQueryAttention):
            raise Unsupported(f"{architecture.name}: adapters of {type(mixer).__name__} are not sized")
        queries = mixer.num_heads * mixer.head_dim
        keys = mixer.num_key_value_heads * mixer.head_dim
        # q, k and v by columns, the output by rows
        elements = 3 * h + (queries + 2 * max(keys, mixer.head_dim * tp)) / tp + queries / tp + h
        if isinstance(feed_forward, DenseFeedForward):
            elements += 3 * (h + feed_forward.intermediate_size / tp)
        total += block.count * share * rank * elements
    return total * BYTES
