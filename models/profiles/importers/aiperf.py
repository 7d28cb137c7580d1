"""Results of NVIDIA aiperf: ``profile_export_aiperf.json``.

Its ``inter_token_latency`` of a request is (request latency - TTFT) / (output tokens - 1), our TPOT.
"""

from __future__ import annotations

from pathlib import Path

from models.errors import InvalidInput
from models.profiles.importers.measured import MeasuredServing, files_of, number, read_json, write_rows
from models.profiles.importers.registry import Importer, ImportRequest

__all__ = ["IMPORTER", "read_aiperf"]

MILLISECONDS = {"ms": 1.0, "sec": 1e3, "s": 1e3, "us": 1e-3, "ns": 1e-6}


def read_aiperf(path: Path) -> MeasuredServing:
    """The run in a file; `InvalidInput` where a field is missing or no number."""
    data, source = read_json(path), str(path)

    def value(name: str) -> float | None:
        return number(data, name, source, optional=True)

    def latency(metric: str, statistic: str) -> float | None:
        found = value(f"{metric}.{statistic}")
        if found is None:
            return None
        unit = data[metric].get("unit", "ms")
        if unit not in MILLISECONDS:
            raise InvalidInput(f"{metric} has the unit {unit!r}, not one of time", source=source)
        return found * MILLISECONDS[unit]

    config = data.get("input_config")
    config = config if isinstance(config, dict) else {}
    concurrency = number(config, "loadgen.concurrency", source, optional=True)
    names = (
        config.get("endpoint", {}).get("model_names", []) if isinstance(config.get("endpoint"), dict) else []
    )
    return MeasuredServing(
        source=source,
        model=str(names[0]) if names else "",
        requests=int(number(data, "request_count.avg", source) or 0),
        input_tokens=number(data, "input_sequence_length.avg", source) or 0.0,
        output_tokens=number(data, "output_sequence_length.avg", source) or 0.0,
        concurrency=None if concurrency is None else int(concurrency),
        rate_per_s=number(config, "loadgen.request_rate", source, optional=True),
        duration_s=(latency("benchmark_duration", "avg") or 0.0) / 1e3 or None,
        requests_per_s=value("request_throughput.avg"),
        output_tokens_per_s=value("output_token_throughput.avg"),
        ttft_mean_ms=latency("time_to_first_token", "avg"),
        ttft_p50_ms=latency("time_to_first_token", "p50"),
        ttft_p99_ms=latency("time_to_first_token", "p99"),
        tpot_mean_ms=latency("inter_token_latency", "avg"),
        tpot_p50_ms=latency("inter_token_latency", "p50"),
        tpot_p99_ms=latency("inter_token_latency", "p99"),
    )


def _run(request: ImportRequest) -> list[str]:
    return write_rows(
        [read_aiperf(path) for path in files_of(request.source, "profile_export_aiperf.json")], request.out
    )


IMPORTER = Importer(
    name="aiperf",
    result="rows",
    summary="profile_export_aiperf.json of NVIDIA aiperf, one file or a folder of them",
    options=(),
    run=_run,
)
