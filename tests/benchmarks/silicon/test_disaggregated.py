import pytest

from benchmarks.silicon.calibrate import Sample
from benchmarks.silicon.disaggregated import (
    fit_handover,
    leave_models_out,
    measure_disaggregated,
    remembered,
)
from benchmarks.silicon.harness import Measured
from benchmarks.silicon.rows import Case, parse_row
from models.errors import InvalidInput
from models.serving.calibration import calibration

ROW = {
    "id": "dsr1_disagg",
    "silicon_data_source": "silicon_concurrency=64",
    "backend": "trtllm",
    "model_path": "deepseek-ai/DeepSeek-V3",
    "system": "gb200",
    "mode": "disagg",
    "isl": "1024",
    "osl": "1024",
    "gemm_quant_mode": "nvfp4",
    "tp_size": "",
    "prefill_num_workers": "1",
    "decode_num_workers": "4",
    "prefill_tp_size": "4",
    "prefill_moe_ep_size": "4",
    "decode_tp_size": "8",
    "decode_moe_ep_size": "8",
}


def measured(**changes: str) -> tuple[float, float]:
    case = parse_row({**ROW, **changes})
    assert isinstance(case, Case), case
    assert case.kind == "apart"
    found = measure(case, 0.0)
    return found.ttft_ms, found.tpot_ms


def measure(case: Case, handover_ms: float) -> Measured:
    return measure_disaggregated(case, calibration("tensorrt-llm", "blackwell").overheads, handover_ms)


def test_more_prefill_workers_shorten_the_queue_and_more_clients_lengthen_it() -> None:
    ttft, tpot = measured()
    assert 30 < ttft < 1000
    assert 2 < tpot < 30
    assert measured(prefill_num_workers="2")[0] < ttft
    assert measured(silicon_data_source="silicon_concurrency=512")[0] > ttft
    assert measured(decode_num_workers="8")[1] < tpot


def test_an_aggregated_row_is_refused() -> None:
    case = parse_row({**ROW, "mode": "agg", "tp_size": "4", "moe_ep_size": "4"})
    assert isinstance(case, Case)
    with pytest.raises(InvalidInput, match="aggregated"):
        measure(case, 0.0)


def test_a_hand_over_delays_the_first_token_and_nothing_else() -> None:
    case = parse_row(ROW)
    assert isinstance(case, Case)
    plain, slow = measure(case, 0.0), measure(case, 50.0)
    assert slow.ttft_ms == pytest.approx(plain.ttft_ms + 50.0)
    assert slow.tpot_ms == plain.tpot_ms


def test_clients_beyond_the_seats_of_tensorrt_llm_wait_a_share_of_a_life() -> None:
    """Eleven clients a worker of eight: three wait for a seat, 3/8 of the time that a request runs."""
    crowd = {"silicon_data_source": "silicon_concurrency=44"}
    ttft, tpot = measured(**crowd)
    seated, _ = measured(silicon_data_source="silicon_concurrency=32")
    life = 0.9 * 1024 * tpot
    assert ttft - seated == pytest.approx(3 / 8 * life, rel=0.2)
    assert measured(**crowd, recipe_clients="64")[0] < 2 * seated
    assert measured(**crowd, backend="sglang")[0] < 3 * seated


def samples(model: str, engine: str, delay_ms: float, rows: int) -> list[Sample]:
    """Rows of an engine whose measurement is a simple law of its constant."""
    case = parse_row({**ROW, "model_path": model, "backend": engine})
    assert isinstance(case, Case)
    return [Sample(case, 100.0 + delay_ms, 10.0, number) for number in range(rows)]


def law(case: Case, handover_ms: float) -> Measured:
    return Measured(100.0 + handover_ms, 10.0, False)


def test_hand_overs_are_found_again_where_there_are_many_rows() -> None:
    rows = samples("deepseek-ai/DeepSeek-V3", "trtllm", 40.0, 400)
    rows += samples("moonshotai/Kimi-K2.5", "vllm", 90.0, 400)
    found = fit_handover(rows, law)
    assert found["tensorrt-llm"] == pytest.approx(40.0, rel=0.05)
    assert found["vllm"] == pytest.approx(90.0, rel=0.05)
    # an engine nobody measured takes what the others have in the middle
    assert found[""] == pytest.approx(40.0)
    left = leave_models_out(rows, law)
    assert left["moonshotai/Kimi-K2.5"]["tensorrt-llm"] == pytest.approx(40.0, rel=0.05)
    # without its only model an engine is drawn from the others and from none at all
    assert left["moonshotai/Kimi-K2.5"]["vllm"] == pytest.approx(20.0)


def test_a_case_is_simulated_once_for_the_same_constants() -> None:
    asked = []

    def slow(case: Case, handover_ms: float) -> Measured:
        asked.append(handover_ms)
        return law(case, handover_ms)

    found = remembered(slow)
    (sample,) = samples("deepseek-ai/DeepSeek-V3", "trtllm", 0.0, 1)
    assert found(sample.case, 0.0) == found(sample.case, 0.0) == law(sample.case, 0.0)
    assert found(sample.case, 1.0).ttft_ms == 101.0
    assert len(asked) == 2
