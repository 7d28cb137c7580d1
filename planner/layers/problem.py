"""Which node holds which layers of a model, where one pipeline runs over nodes of unlike GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["Held", "LayerPlan", "LayerProblem", "NodeKind", "layer_capacity_bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKind:
    """Equal nodes.

    Parameters
    ----------
    name
        For people.
    count
        How many there are.
    tokens_per_s
        Throughput of a node that holds 1, 2, … consecutive layers; its length is the most that fit.
    """

    name: str
    count: int
    tokens_per_s: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidInput(f"{self.name}: at least one node is needed, got {self.count}")
        if not self.tokens_per_s or min(self.tokens_per_s) <= 0:
            raise InvalidInput(f"{self.name}: a node must have a positive throughput with one layer or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerProblem:
    """A model on a cluster; every token passes all layers in order, each on some node that holds it.

    Parameters
    ----------
    layers
        Of the model.
    kinds
        Nodes.
    link_tokens_per_s
        What a link between two nodes carries; None: more than any node computes.
    """

    layers: int
    kinds: tuple[NodeKind, ...]
    link_tokens_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise InvalidInput(f"a model has at least one layer, got {self.layers}")
        if self.link_tokens_per_s is not None and self.link_tokens_per_s <= 0:
            raise InvalidInput(f"a link must carry something, got {self.link_tokens_per_s} tokens/s")

    @property
    def nodes(self) -> tuple[NodeKind, ...]:
        """The kind of each node."""
        return tuple(kind for kind in self.kinds for _ in range(kind.count))

    @property
    def links_may_bind(self) -> bool:
        """Whether a link may carry less than the nodes at its ends compute."""
        most = max(max(kind.tokens_per_s) for kind in self.kinds)
        return self.link_tokens_per_s is not None and self.link_tokens_per_s < most


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Layers ``first`` to ``first + count − 1`` on `nodes` nodes of a kind, and what they carry together."""

    kind: str
    nodes: int
    first: int
    count: int
    tokens_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """A placement with its throughput.

    Parameters
    ----------
    tokens_per_s
        Largest flow through all layers.
    bound
        No placement has more.
    held
        What the nodes hold that carry something.
    proven
        Whether the solver ended by itself.
    """

    tokens_per_s: float
    bound: float
    held: tuple[Held, ...]
    proven: bool


def layer_capacity_bound(problem: LayerProblem) -> float:
    """Throughput that no placement exceeds: every token needs all layers, and a node offers at most
    ``max_j j · rate(j)`` of them a second, whichever they are.
    """
    offered = sum(kind.count * _most(kind.tokens_per_s) for kind in problem.kinds)
    return offered / problem.layers


def _most(rates: Sequence[float]) -> float:
    return max((held + 1) * rate for held, rate in enumerate(rates))
