"""The text of a first fleet document: valid as it stands, with the next things to edit as comments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["StarterPool", "starter_document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StarterPool:
    """Equal nodes; `price_per_gpu_hour` is None where nobody said."""

    name: str
    gpu: str
    nodes: int
    gpus_per_node: int
    zone: str = "default"
    price_per_gpu_hour: float | None = None


def starter_document(
    name: str, pools: Sequence[StarterPool], models: Sequence[str], *, rate: str, input_tokens: int,
    output_tokens: int, ttft_p95: str, tpot_p95: str,
) -> str:  # fmt: skip
    """Return the YAML of a fleet that serves each model at the same load.

    Parameters
    ----------
    models
        Catalogue names or paths of ``config.json``.
    rate, ttft_p95, tpot_p95
        With units, as the fleet document takes them.

    Raises
    ------
    InvalidInput
        No pool or no model.
    """
    if not pools or not models:
        raise InvalidInput("a fleet needs at least one pool of GPUs and one model")
    lines = [
        "# A fleet document for `fulcrum plan`. `fulcrum schema fleet` explains every key.",
        f"fleet: {json.dumps(name)}",
        "",
        "pools:",
    ]
    for pool in pools:
        price = 1.0 if pool.price_per_gpu_hour is None else pool.price_per_gpu_hour
        unknown = (
            "  # made up: without prices, GPUs of all types cost the same"
            if pool.price_per_gpu_hour is None
            else ""
        )
        lines += [
            f"  - name: {json.dumps(pool.name)}",
            f"    gpu: {json.dumps(pool.gpu)}",
            f"    nodes: {pool.nodes}",
            f"    gpus_per_node: {pool.gpus_per_node}",
            f"    zone: {json.dumps(pool.zone)}",
            f"    price_per_gpu_hour: {price:g}{unknown}",
        ]
    lines += ["", "models:"]
    lines += [f"  - {{name: {json.dumps(_short(m))}, architecture: {json.dumps(m)}}}" for m in models]
    lines += ["", "workloads:"]
    for model in models:
        lines += [
            f"  - model: {json.dumps(_short(model))}",
            f"    rate: {rate}",
            "    # Better than fixed lengths: `trace: FILE.csv` with your own requests.",
            "    lengths:",
            "      kind: LengthDistribution",
            "      levels: [0, 1]",
            f"      input_tokens: [{input_tokens}, {input_tokens}]",
            f"      bands: [{{up_to: 1, output_tokens: [{output_tokens}, {output_tokens}]}}]",
            f"    slo: {{ttft_p95: {ttft_p95}, tpot_p95: {tpot_p95}}}",
        ]
    lines += ["", "policies:", "  headroom: 10%", "  # survive: {loss_of: node}", ""]
    return "\n".join(lines)


def _short(model: str) -> str:
    """The name requests ask for: the catalogue name, or the folder of a config.json."""
    parts = [part for part in model.replace("\\", "/").split("/") if part not in ("", ".", "config.json")]
    return parts[-1] if parts else "model"
