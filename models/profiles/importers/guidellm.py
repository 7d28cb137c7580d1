"""Reports of GuideLLM: a JSON object with a list of benchmarks.

Its ``inter_token_latency_ms`` of a request is (last token - first token) / (output tokens - 1), our TPOT; its
``time_per_output_token_ms`` divides the whole request by its tokens and is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.errors import InvalidInput
from models.profiles.importers.measured import MeasuredServing, files_of, number, read_json, write_rows
from models.profiles.importers.registry import Importer, ImportRequest

__all__ = ["IMPORTER", "read_guidellm"]


def read_guidellm(path: Path) -> list[MeasuredServing]:
    """The runs in a report; `InvalidInput` where a field is missing or no number."""
    data, source = read_json(path), str(path)
    runs = data.get("benchmarks")
    if not isinstance(runs, list) or not runs:
        raise InvalidInput("a report with a list of benchmarks was expected", source=source)
    return [_row(run, data, f"{source} benchmarks[{index}]") for index, run in enumerate(runs)]


def _row(run: Any, report: Mapping[str, Any], source: str) -> MeasuredServing:
    if not isinstance(run, dict):
        raise InvalidInput("a benchmark must be an object", source=source)

    def value(metric: str, *statistics: str) -> float | None:
        for statistic in statistics:
            found = number(run, f"metrics.{metric}.successful.{statistic}", source, optional=True)
            if found is not None:
                return found
        return None

    requests = number(run, "metrics.request_totals.successful", source, optional=True)
    if requests is None:
        requests = number(run, "metrics.time_to_first_token_ms.successful.count", source)
    strategy = _strategy(run)
    kind = str(strategy.get("type_", ""))
    streams = number(strategy, "streams", source, optional=True)
    rate = number(strategy, "rate", source, optional=True)
    return MeasuredServing(
        source=source,
        model=_model(run, report),
        requests=int(requests or 0),
        input_tokens=value("prompt_token_count", "mean") or 0.0,
        output_tokens=value("output_token_count", "mean") or 0.0,
        concurrency=1 if kind == "synchronous" else None if streams is None else int(streams),
        rate_per_s=rate if kind in ("constant", "poisson", "async") else None,
        duration_s=number(run, "duration", source, optional=True),
        requests_per_s=value("requests_per_second", "mean"),
        output_tokens_per_s=value("output_tokens_per_second", "mean"),
        ttft_mean_ms=value("time_to_first_token_ms", "mean"),
        ttft_p50_ms=value("time_to_first_token_ms", "median", "percentiles.p50"),
        ttft_p99_ms=value("time_to_first_token_ms", "percentiles.p99"),
        tpot_mean_ms=value("inter_token_latency_ms", "mean"),
        tpot_p50_ms=value("inter_token_latency_ms", "median", "percentiles.p50"),
        tpot_p99_ms=value("inter_token_latency_ms", "percentiles.p99"),
    )


def _strategy(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Where versions keep it: under config, args or scheduler."""
    for place in ("config", "args", "scheduler"):
        found = run.get(place)
        if isinstance(found, Mapping) and isinstance(found.get("strategy"), Mapping):
            strategy: Mapping[str, Any] = found["strategy"]
            return strategy
    return {}


def _model(run: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    for holder in (run.get("config"), run.get("worker"), run.get("args"), report.get("args")):
        if isinstance(holder, Mapping):
            for name in (holder.get("model"), holder.get("backend_model")):
                if isinstance(name, str) and name:
                    return name
    return ""


def _run(request: ImportRequest) -> list[str]:
    return write_rows(
        [row for path in files_of(request.source, "*.json") for row in read_guidellm(path)], request.out
    )


IMPORTER = Importer(
    name="guidellm",
    result="rows",
    summary="JSON reports of GuideLLM, one file or a folder of them",
    options=(),
    run=_run,
)
