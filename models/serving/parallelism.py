"""How one instance of a model is spread over GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.architecture import (
    Architecture,
    DenseFeedForward,
    GatedDeltaNet,
    GroupedQueryAttention,
    MixtureOfExperts,
)
from models.errors import InvalidInput

__all__ = ["Parallelism", "parallelisms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """Degrees of parallelism of one instance; GPUs = tensor × pipeline × data.

    Parameters
    ----------
    tensor_parallel_size
        GPUs that share every layer's heads and feed-forward (all-reduce after each half of a layer).
    pipeline_parallel_size
        Stages of consecutive layers.
    data_parallel_size
        Replicas of the attention inside the instance; with experts, all replicas share them.
    expert_parallel_size
        Groups of GPUs that the experts are dealt to. The tensor × data GPUs of a stage hold the experts:
        that many groups, and inside a group each expert is cut in tensor × data / expert pieces.
    """

    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    data_parallel_size: int = 1
    expert_parallel_size: int = 1

    def __post_init__(self) -> None:
        for name in (
            "tensor_parallel_size",
            "pipeline_parallel_size",
            "data_parallel_size",
            "expert_parallel_size",
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidInput(f"{name} must be a whole number ≥ 1, got {value!r}")
        if self.stage_gpus % self.expert_parallel_size:
            raise InvalidInput(
                f"expert_parallel_size ({self.expert_parallel_size}) must divide tensor × data "
                f"({self.stage_gpus} GPUs)"
            )

    @property
    def gpus(self) -> int:
        """GPUs of the instance."""
        return self.stage_gpus * self.pipeline_parallel_size

    @property
    def stage_gpus(self) -> int:
        """GPUs of one pipeline stage."""
        return self.tensor_parallel_size * self.data_parallel_size

    @property
    def expert_tensor_parallel_size(self) -> int:
        """GPUs that share one expert."""
        return self.stage_gpus // self.expert_parallel_size

    def __str__(self) -> str:
        parts = [f"TP{self.tensor_parallel_size}"]
        if self.pipeline_parallel_size > 1:
            parts.append(f"PP{self.pipeline_parallel_size}")
        if self.data_parallel_size > 1:
            parts.append(f"DP{self.data_parallel_size}")
        if self.expert_parallel_size > 1:
            parts.append(f"EP{self.expert_parallel_size}")
        return "·".join(parts)

    def stage_layers(self, architecture: Architecture) -> int:
        """Layers of the largest stage: engines spread the remainder, one layer each."""
        return -(-architecture.num_layers // self.pipeline_parallel_size)

    def problems(self, architecture: Architecture, weight_precision: str = "bf16") -> tuple[str, ...]:
        """Why the model cannot be cut this way, as sentences; empty when it can."""
        found: list[str] = []
        tp, pp = self.tensor_parallel_size, self.pipeline_parallel_size
        if pp > architecture.num_layers:
            found.append(f"{pp} pipeline stages for {architecture.num_layers} layers")
        if self.expert_parallel_size > 1 and not architecture.is_moe:
            found.append("expert parallelism for a model without experts")
        if self.data_parallel_size > 1 and not architecture.is_moe:
            found.append("attention data parallelism for a model without experts: use more instances instead")
        for block in architecture.blocks:
            mixer, ff = block.mixer, block.feed_forward
            if isinstance(mixer, GatedDeltaNet):
                if mixer.num_key_heads % tp or mixer.num_value_heads % tp:
                    found.append(f"{mixer.num_key_heads} key heads do not divide by TP {tp}")
            elif mixer.num_heads % tp:
                found.append(f"{mixer.num_heads} attention heads do not divide by TP {tp}")
            if isinstance(mixer, GroupedQueryAttention):
                kv = mixer.num_key_value_heads
                if kv % tp and tp % kv:
                    found.append(f"{kv} key-value heads neither divide by nor into TP {tp}")
            found += self._feed_forward_problems(ff, weight_precision)
        return tuple(dict.fromkeys(found))

    def _feed_forward_problems(
        self, ff: DenseFeedForward | MixtureOfExperts, weight_precision: str
    ) -> Iterator[str]:
        # block-quantised weights are cut at whole blocks of 128
        unit = 128 if weight_precision == "fp8_block" else 1
        if isinstance(ff, DenseFeedForward):
            if ff.intermediate_size % (self.tensor_parallel_size * unit):
                size, tp = ff.intermediate_size, self.tensor_parallel_size
                yield f"intermediate size {size} does not divide by TP {tp}"
            return
        if ff.num_experts % self.expert_parallel_size:
            yield f"{ff.num_experts} experts do not divide by EP {self.expert_parallel_size}"
        pieces = self.expert_tensor_parallel_size
        if ff.expert_intermediate_size % pieces:  # part blocks of experts are padded
            yield f"expert size {ff.expert_intermediate_size} does not divide by {pieces}"


def parallelisms(
    architecture: Architecture,
    *,
    weight_precision: str = "bf16",
    tensor: tuple[int, ...] = (1, 2, 4, 8),
    pipeline: tuple[int, ...] = (1, 2, 4),
    data: tuple[int, ...] = (1,),
    expert: tuple[int, ...] = (1,),
) -> Iterator[Parallelism]:
    """Every combination of the degrees that the model can be cut in, smallest first."""
    combinations = [
        (tp * pp * dp, tp, pp, dp, ep)
        for tp in tensor
        for pp in pipeline
        for dp in data
        for ep in expert
        if tp * dp % ep == 0
    ]
    for _, tp, pp, dp, ep in sorted(set(combinations)):
        candidate = Parallelism(
            tensor_parallel_size=tp,
            pipeline_parallel_size=pp,
            data_parallel_size=dp,
            expert_parallel_size=ep,
        )
        if not candidate.problems(architecture, weight_precision):
            yield candidate
