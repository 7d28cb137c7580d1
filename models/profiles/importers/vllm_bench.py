"""Results of ``vllm bench serve --save-result``: a JSON object a file."""

from __future__ import annotations

from pathlib import Path

from models.profiles.importers.measured import MeasuredServing, files_of, number, read_json, write_rows
from models.profiles.importers.registry import Importer, ImportRequest

__all__ = ["IMPORTER", "read_vllm_bench"]


def read_vllm_bench(path: Path) -> MeasuredServing:
    """The run in a file; `InvalidInput` where a field is missing or no number."""
    data, source = read_json(path), str(path)

    def optional(name: str) -> float | None:
        return number(data, name, source, optional=True)

    completed = number(data, "completed", source) or 0.0
    concurrency = optional("max_concurrency")
    rate = None if data.get("request_rate") == "inf" else optional("request_rate")
    return MeasuredServing(
        source=source,
        model=str(data.get("model_id", "")),
        requests=int(completed),
        input_tokens=(number(data, "total_input_tokens", source) or 0.0) / max(completed, 1.0),
        output_tokens=(number(data, "total_output_tokens", source) or 0.0) / max(completed, 1.0),
        concurrency=None if concurrency is None else int(concurrency),
        rate_per_s=rate,
        duration_s=optional("duration"),
        requests_per_s=optional("request_throughput"),
        output_tokens_per_s=optional("output_throughput"),
        ttft_mean_ms=optional("mean_ttft_ms"),
        ttft_p50_ms=optional("median_ttft_ms"),
        ttft_p99_ms=optional("p99_ttft_ms"),
        tpot_mean_ms=optional("mean_tpot_ms"),
        tpot_p50_ms=optional("median_tpot_ms"),
        tpot_p99_ms=optional("p99_tpot_ms"),
    )


def _run(request: ImportRequest) -> list[str]:
    return write_rows([read_vllm_bench(path) for path in files_of(request.source, "*.json")], request.out)


IMPORTER = Importer(
    name="vllm-bench",
    result="rows",
    summary="results of `vllm bench serve --save-result`, one file or a folder of them",
    options=(),
    run=_run,
)
