"""A capacity question: one model, one load, one pair of latency targets, and the GPU types to choose from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.errors import InvalidInput
from planner.fleet import Fleet, read_fleet

__all__ = ["LARGEST_NODE_COUNT", "Question", "fixed_lengths"]

LARGEST_NODE_COUNT = 10_000
"""Nodes of a pool whose size is the question: no instance is refused because the pool is small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What must be served, and on what.

    Parameters
    ----------
    model
        Catalogue name, or the path of a ``config.json``.
    gpus
        GPU types, by catalogue name or alias; each is answered on its own.
    workload
        The demand as in a workload of the fleet document: ``lengths`` and perhaps ``rate``, or ``trace``.
    slo
        Targets as the fleet document says them: ``{"ttft_p95": "1s", "tpot_p95": "30ms"}``.
    most_gpus
        GPUs there are of each type; None: as many as needed. Needed when there is no rate.
    price_per_gpu_hour
        By GPU as spelt in `gpus`; types without a price are compared by their number of GPUs.
    weights, kv_cache
        Precisions; None: the checkpoint's, and bf16.
    headroom
        Share by which capacity exceeds the rate.
    speculative
        Speculative decoding as a model of the fleet document says it; None: none.
    base_dir
        Folder that relative paths start from.

    Raises
    ------
    InvalidInput
        Neither a rate nor a number of GPUs, or nonsense in them.
    """

    model: str
    gpus: tuple[str, ...]
    workload: Mapping[str, Any]
    slo: Mapping[str, str]
    most_gpus: int | None = None
    gpus_per_node: int = 8
    price_per_gpu_hour: Mapping[str, float] = field(default_factory=dict)
    weights: str | None = None
    kv_cache: str | None = None
    headroom: float = 0.0
    speculative: Mapping[str, Any] | None = None
    base_dir: Path = Path()

    def __post_init__(self) -> None:
        if not self.gpus:
            raise InvalidInput("name at least one GPU type, such as --gpu h100")
        if "rate" not in self.workload and "trace" not in self.workload and self.most_gpus is None:
            raise InvalidInput("give the load (--rate 20/s), or the GPUs there are (--max-gpus 16), or both")
        if self.most_gpus is not None and self.most_gpus < 1:
            raise InvalidInput(f"at least one GPU is needed, got {self.most_gpus}")
        unpriced = [name for name in self.price_per_gpu_hour if name not in self.gpus]
        if unpriced:
            raise InvalidInput(f"a price for {unpriced[0]!r}, which is none of {', '.join(self.gpus)}")

    @property
    def has_rate(self) -> bool:
        """Whether the load is given; else the question is how much the GPUs can serve."""
        return "rate" in self.workload or "trace" in self.workload

    def fleet(self, gpu: str) -> Fleet:
        """Return the question for one GPU type as a fleet with one pool and one workload.

        Raises
        ------
        InvalidDocument
            Listing everything that is wrong with the question.
        """
        per_node = self.gpus_per_node
        nodes = LARGEST_NODE_COUNT if self.most_gpus is None else -(-self.most_gpus // per_node)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(self.model).name).strip("-._")[:60] or "model"
        model: dict[str, Any] = {"name": name, "architecture": self.model}
        if self.weights is not None:
            model["weights"] = self.weights
        if self.kv_cache is not None:
            model["kv_cache"] = self.kv_cache
        if self.speculative is not None:
            model["speculative"] = dict(self.speculative)
        # Without a rate any will do: capacities do not depend on it.
        workload = {"model": name, "rate": "1/s", **self.workload, "slo": dict(self.slo)}
        if "trace" in self.workload and "rate" not in self.workload:
            del workload["rate"]
        document = {
            "fleet": "capacity",
            "pools": [
                {
                    "name": "pool",
                    "gpu": gpu,
                    "nodes": nodes,
                    "gpus_per_node": min(per_node, self.most_gpus or per_node),
                    "price_per_gpu_hour": self.price_per_gpu_hour.get(gpu, 0.0),
                }
            ],
            "models": [model],
            "workloads": [workload],
            "policies": {
                "headroom": self.headroom,
                # of models with experts; degrees that a node does not hold are refused by themselves
                "parallelism": {"data": [1, 2, 4, 8]},
            },
        }
        return read_fleet(json.dumps(document), source="the question", base_dir=self.base_dir)


def fixed_lengths(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    """Return the length distribution of requests that are all alike, as a fleet document holds it."""
    for name, tokens in (("isl", input_tokens), ("osl", output_tokens)):
        if tokens < 1:
            raise InvalidInput(f"--{name} must be at least one token, got {tokens}")
    return {
        "kind": "LengthDistribution",
        "levels": [0, 1],
        "input_tokens": [input_tokens, input_tokens],
        "bands": [{"up_to": 1, "output_tokens": [output_tokens, output_tokens]}],
    }
