from collections.abc import Iterator

import pytest

from benchmarks.silicon.calibrate import Sample
from benchmarks.silicon.choices import decisions, options
from benchmarks.silicon.errors import quantiles
from benchmarks.silicon.held import Held, ratio_of
from benchmarks.silicon.rows import Case, parse_row

MODELS = ("meta-llama/Llama-3.1-70B", "Qwen/Qwen3-32B")
BACKENDS = ("vllm", "sglang")


def rows(model: str, error: float) -> Iterator[Held]:
    """Predictions of a model that are all off by the same: measured is `error` times predicted."""
    for backend in BACKENDS:
        for tp in (2, 4):
            for clients in (4, 8, 16):
                case = parse_row(
                    {
                        "id": f"{model}_tp{tp}_ep1_{clients}",
                        "silicon_data_source": f"silicon_concurrency={clients}",
                        "backend": backend,
                        "model_path": model,
                        "system": "h100_sxm",
                        "mode": "agg",
                        "isl": "1000",
                        "osl": "50",
                        "gemm_quant_mode": "fp8",
                        "tp_size": str(tp),
                    }
                )
                assert isinstance(case, Case)
                predicted = 10.0 + clients - tp + 0.01 * clients**2
                yield Held(Sample(case, 100.0, error * predicted), 100.0, predicted, pressed=False)


@pytest.fixture(scope="module")
def held() -> list[Held]:
    return [*rows(MODELS[0], 1.1), *rows(MODELS[1], 0.9), *rows("openai/gpt-oss-120b", 1.3)]


def test_intervals_are_made_without_the_model(held: list[Held]) -> None:
    for (option, generation), row in zip(options(held, apart=False), held, strict=True):
        assert generation == "hopper"
        assert option.tpot_ms == (row.sample.tpot_ms, row.tpot_ms)
        engine, model = row.sample.case.configuration.engine.name, row.sample.case.model
        others = [
            h
            for h in held
            if h.sample.case.model != model and h.sample.case.configuration.engine.name == engine
        ]
        low, high = (bound / row.tpot_ms for bound in option.tpot_interval_ms)
        # at least what a tenth on either side leaves, and nothing that was not seen
        inner, outer = quantiles(ratio_of(others, "tpot"), 0.1), quantiles(ratio_of(others, "tpot"), 0.0)
        assert outer[0] <= low <= inner[0]
        assert inner[1] <= high <= outer[1]


def test_tokens_per_second_and_gpu_are_those_of_the_closed_loop(held: list[Held]) -> None:
    (option, _), row = options(held, apart=False)[0], held[0]
    seconds = (100.0 + 49 * row.sample.tpot_ms) / 1e3
    assert option.tokens_per_s_per_gpu[0] == pytest.approx(4 * 50 / seconds / 2)


def test_engines_are_chosen_among_together_or_apart(held: list[Held]) -> None:
    found = decisions(held)
    groups = {(d["among"], d["generation"]): d["groups"] for d in found if d["rule"] == "margin 1.00"}
    assert groups["all", "hopper"] == groups["all", "both"] == 3
    assert groups["one engine and precision", "hopper"] == 6
    assert groups["all", "blackwell"] == 0
    assert {d["rule"] for d in found} == {f"margin {m}" for m in ("1.00", "1.05", "1.10", "1.15")} | {
        "chance"
    }
