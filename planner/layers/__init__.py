"""Layer placement over unlike nodes: which node holds which layers, so that most tokens pass all of them.

`problem` states it, `positions` solves it where links never bind, `pairs` where they may.
"""

from __future__ import annotations

from planner.layers.pairs import place_layers_by_pairs
from planner.layers.positions import place_layers
from planner.layers.problem import Held, LayerPlan, LayerProblem, NodeKind, layer_capacity_bound

__all__ = [
    "Held",
    "LayerPlan",
    "LayerProblem",
    "NodeKind",
    "layer_capacity_bound",
    "place_layers",
    "place_layers_by_pairs",
]
