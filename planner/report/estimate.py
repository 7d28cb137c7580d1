"""One estimate as text."""

from __future__ import annotations

from models.serving import InstanceModel
from models.serving.estimate import Estimate, Latency

__all__ = ["estimate_text"]


def estimate_text(instance: InstanceModel, found: Estimate) -> str:
    """A few lines: what was asked, latencies with intervals and percentiles, throughput, memory, basis."""
    config = instance.configuration
    memory = instance.memory
    lines = [f"{config}, {config.engine.name}, KV cache {config.kv_cache}", ""]
    lines.append(f"{'ms':<12}{'mean':>10}{'80 % interval':>22}{'p50':>10}{'p95':>10}{'p99':>10}")
    for name, latency in (("TTFT", found.ttft), ("TPOT", found.tpot), ("end to end", found.latency)):
        if latency is not None:
            lines.append(_line(name, latency))
    lines += [
        "",
        f"throughput  {found.requests_per_s:.3f} requests/s, "
        f"{found.output_tokens_per_s_per_gpu:.1f} output tokens/s per GPU",
        f"KV cache    {found.kv_cache_tokens:,} tokens, at most {found.peak_cached_tokens:,} in use"
        + (f", {found.preemptions} preemptions" if found.preemptions else ""),
        f"memory      {memory.weight_bytes / 1e9:.1f} GB of weights and "
        f"{(memory.activation_bytes + memory.workspace_bytes) / 1e9:.1f} GB of workspace a GPU",
        f"basis       {found.basis}: {instance.curves.source}",
    ]
    return "\n".join(lines) + "\n"


def _line(name: str, latency: Latency) -> str:
    interval = f"{latency.low:.1f} … {latency.high:.1f}"
    percentiles = f"{latency.p50:>10.1f}{latency.p95:>10.1f}{latency.p99:>10.1f}"
    return f"{name:<12}{latency.mean:>10.1f}{interval:>22}{percentiles}"
