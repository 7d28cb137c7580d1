"""The part of a layer that works on each token by itself: dense, or a mixture of experts."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["DenseFeedForward", "FeedForward", "MixtureOfExperts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseFeedForward:
    """Up- (and gate-) projection, activation, down-projection."""

    intermediate_size: int
    gated: bool = True
    bias: bool = False

    def parameters(self, hidden: int) -> int:
        """Weights and biases of one layer."""
        up = 2 if self.gated else 1
        biases = up * self.intermediate_size + hidden if self.bias else 0
        return (up + 1) * hidden * self.intermediate_size + biases


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureOfExperts:
    """Each token is routed to `top_k` of `num_experts` gated experts, and through the shared ones always."""

    num_experts: int
    top_k: int
    expert_intermediate_size: int
    shared_intermediate_size: int = 0
    bias: bool = False
    shared_gate: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.top_k <= self.num_experts:
            raise InvalidInput(
                f"num_experts_per_tok must be in 1..{self.num_experts} (the experts), got {self.top_k}"
            )

    def expert_parameters(self, hidden: int) -> int:
        """Weights of one routed expert."""
        biases = 2 * self.expert_intermediate_size + hidden if self.bias else 0
        return 3 * hidden * self.expert_intermediate_size + biases

    def shared_parameters(self, hidden: int) -> int:
        """Weights of the shared experts together."""
        return 3 * hidden * self.shared_intermediate_size + (hidden if self.shared_gate else 0)

    def router_parameters(self, hidden: int) -> int:
        """Weights of the router."""
        return self.num_experts * (hidden + (1 if self.bias else 0))

    def parameters(self, hidden: int) -> int:
        """All weights of one layer."""
        routed = self.num_experts * self.expert_parameters(hidden)
        return routed + self.shared_parameters(hidden) + self.router_parameters(hidden)


FeedForward = DenseFeedForward | MixtureOfExperts
