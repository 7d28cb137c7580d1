"""The constants of an engine that no operator table holds, fitted on measured serving results.

`data/calibration.json` is written by ``python -m benchmarks serving-fit``: for each engine and GPU generation
the constants, the spread of their logarithms, and how far predictions were off on models left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from models.errors import UnknownName
from models.serving.engine import Overheads

__all__ = ["Calibration", "Spread", "calibration"]


SPREADS = tuple(f"{what}{kind}" for kind in ("", "_full", "_unsure", "_apart") for what in ("ttft", "tpot"))


@dataclass(frozen=True, slots=True)
class Spread:
    """Measured ÷ predicted of rows whose model was left out: the 10 % and 90 % quantiles."""

    low: float
    high: float

    def interval(self, value: float) -> tuple[float, float]:
        """The range that holds the truth of a prediction in 80 % of cases."""
        return value * self.low, value * self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Constants of one engine on one GPU generation.

    Parameters
    ----------
    overheads
        The fitted costs.
    ttft, tpot
        How far predictions of the two are off.
    ttft_full, tpot_full
        The same for rows near the limit of the KV cache.
    ttft_unsure, tpot_unsure
        The same for TensorRT-LLM with DeepSeek, where multi-token prediction may be in the measurements.
    ttft_apart, tpot_apart
        The same for prefill and decode on instances of their own.
    client_delay_ms
        Delay of the measuring clients by harness, which is no property of the engine.
    handover_ms
        From the end of a prefill to the first step of a decode instance, beside the crossing of the cache.
    rows, models
        What it was fitted on; 0 where the constants are those of another generation.
    """

    overheads: Overheads
    ttft: Spread
    tpot: Spread
    ttft_full: Spread
    tpot_full: Spread
    ttft_unsure: Spread
    tpot_unsure: Spread
    ttft_apart: Spread
    tpot_apart: Spread
    client_delay_ms: dict[str, float]
    handover_ms: float
    rows: int
    models: int


@cache
def _fits() -> dict[str, Calibration]:
    text = files("models.serving").joinpath("data/calibration.json").read_text(encoding="utf-8")
    out: dict[str, Calibration] = {}
    for key, record in json.loads(text)["fits"].items():
        out[key] = Calibration(
            overheads=Overheads(**record["overheads"]),
            **{name: Spread(*record[name]) for name in SPREADS},
            client_delay_ms=record["client_delay_ms"],
            handover_ms=record["handover_ms"],
            rows=record["rows"],
            models=len(record["models"]),
        )
    return out


def calibration(engine: str, generation: str) -> Calibration:
    """The constants for an engine on a GPU generation; those of Hopper where it was never measured.

    Raises
    ------
    UnknownName
        Nothing is known of the engine.
    """
    fits = _fits()
    for key in (f"{engine}/{generation}", f"{engine}/hopper"):
        if key in fits:
            return fits[key]
    raise UnknownName("calibrated engine", engine, {key.partition("/")[0] for key in fits})
