"""The latency coefficients released with DistServe (https://github.com/LLMServe/DistServe, Apache-2.0).

``simdistserve/estimators/profile_data/profiler-a100-80g.*.json``: for each model and tensor-parallel size
three triples (a, b, c). A batch of prompts takes a + b Σ l + c Σ l² ms over their lengths l; a decode step
takes a + b · context tokens + c · requests, with one triple below a number of requests and one from it on.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

from models.errors import InvalidInput
from models.profiles.importers.registry import Importer, ImportRequest

__all__ = ["IMPORTER", "ModelLatency", "read_distserve"]

Triple = tuple[float, float, float]

HEADER = (
    "model", "tensor_parallel_size", "phase", "from_requests", "constant_ms", "ms_per_token",
    "ms_per_squared_token", "ms_per_request",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLatency:
    """Coefficients of one model on GPUs of one tensor-parallel group.

    Parameters
    ----------
    prefill
        (a, b, c) of ``a + b Σ l + c Σ l²`` ms.
    decode_small, decode_large
        (a, b, c) of ``a + b · context tokens + c · requests`` ms, below and from `large_batch` requests.
    """

    model: str
    tensor_parallel_size: int
    prefill: Triple
    decode_small: Triple
    decode_large: Triple
    large_batch: int


def read_distserve(path: Path) -> list[ModelLatency]:
    """Every model and tensor-parallel size of a file, in order; `InvalidInput` for another file."""
    try:
        profiles = json.loads(path.read_text(encoding="utf-8"))
        found = [
            ModelLatency(
                model=model,
                tensor_parallel_size=int(tensor),
                prefill=_triple(entry["prefill"]),
                decode_small=_triple(entry["decoding_smallbs"]),
                decode_large=_triple(entry["decoding_largebs"]),
                large_batch=int(entry["decoding_large_small_bs_threshold"]),
            )
            for model, sizes in profiles.items()
            for tensor, entry in sizes.items()
        ]
    except OSError as error:
        raise InvalidInput(f"cannot read the file: {error.strerror}", source=str(path)) from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not a DistServe latency profile: {error}", source=str(path)) from None
    if not found:
        raise InvalidInput("not a DistServe latency profile: it has no model", source=str(path))
    return sorted(found, key=lambda each: (each.model, each.tensor_parallel_size))


def _triple(values: list[float]) -> Triple:
    a, b, c = (float(v) for v in values)
    return a, b, c


def _run(request: ImportRequest) -> list[str]:
    found = read_distserve(request.source)
    with request.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for each in found:
            setting = each.model, each.tensor_parallel_size
            a, b, c = each.prefill
            writer.writerow((*setting, "prefill", 1, a, b, c, 0.0))
            for begin, (a, b, c) in ((1, each.decode_small), (each.large_batch, each.decode_large)):
                writer.writerow((*setting, "decode", begin, a, b, 0.0, c))
    names = ", ".join(dict.fromkeys(each.model for each in found))
    return [f"{request.out}: {len(found)} settings of {names}"]


IMPORTER = Importer(
    name="distserve",
    result="rows",
    summary="a profiler-*.json of DistServe's simulator: latency coefficients of whole models",
    options=(),
    run=_run,
)
