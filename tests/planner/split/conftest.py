import pytest

from planner.split import PolynomialLatency, Server


def fixed(prefill_ms=0.0, per_token=0.0, decode_ms=0.0, stages=1):
    """A latency of constants: prefill of a batch, per prompt token, and one decode step."""
    flat = (decode_ms, 0.0, 0.0)
    return PolynomialLatency(
        prefill=(prefill_ms, per_token, 0.0),
        decode_small=flat,
        decode_large=flat,
        large_batch=10**6,
        stages=stages,
    )


@pytest.fixture
def server():
    def make(stages=1, gpus=1, cache=10**6, batch_tokens=1, **latency):
        return Server(
            latency=fixed(stages=stages, **latency),
            stages=stages,
            gpus=gpus,
            kv_cache_tokens=cache,
            prefill_batch_tokens=batch_tokens,
        )

    return make
