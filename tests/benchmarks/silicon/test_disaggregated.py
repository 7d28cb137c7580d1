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
from models.serving.calibration import Handover, calibration

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
    found = measure(case, Handover())
    return found.ttft_ms, found.tpot_ms


def measure(case: Case, handover: Handover) -> Measured:
    return measure_disaggregated(case, calibration("tensorrt-llm", "blackwell").overheads, 0.0, handover)


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
        measure(case, Handover())


def test_a_hand_over_delays_the_first_token_and_faster_steps_shorten_the_others() -> None:
    case = parse_row(ROW)
    assert isinstance(case, Case)
    plain, slow = measure(case, Handover()), measure(case, Handover(handover_ms=50.0))
    assert slow.ttft_ms == pytest.approx(plain.ttft_ms + 50.0)
    assert slow.tpot_ms == plain.tpot_ms
    assert 0.8 * plain.tpot_ms < measure(case, Handover(step_share=0.8)).tpot_ms < plain.tpot_ms


def samples(model: str, engine: str, share: float, delay_ms: float, rows: int) -> list[Sample]:
    """Rows of an engine whose measurement is a simple law of its constants."""
    case = parse_row({**ROW, "model_path": model, "backend": engine})
    assert isinstance(case, Case)
    return [Sample(case, 100.0 + delay_ms, 10.0 * share, number) for number in range(rows)]


def law(case: Case, handover: Handover) -> Measured:
    return Measured(100.0 + handover.handover_ms, 10.0 * handover.step_share, False)


def test_constants_are_found_again_where_there_are_many_rows() -> None:
    rows = samples("deepseek-ai/DeepSeek-V3", "trtllm", 0.8, 40.0, 400)
    rows += samples("moonshotai/Kimi-K2.5", "vllm", 1.2, 90.0, 400)
    found = fit_handover(rows, law)
    assert found["tensorrt-llm"].step_share == pytest.approx(0.8, rel=0.02)
    assert found["vllm"].step_share == pytest.approx(1.2, rel=0.02)
    assert found["tensorrt-llm"].handover_ms == pytest.approx(40.0, rel=0.05)
    # an engine nobody measured takes what the others have in the middle
    assert found[""].step_share == pytest.approx(1.0, abs=0.01)
    left = leave_models_out(rows, law, found)
    assert left["moonshotai/Kimi-K2.5"]["tensorrt-llm"].step_share == pytest.approx(0.8, rel=0.02)
    # without its only model an engine is drawn from the others and from no difference
    assert left["moonshotai/Kimi-K2.5"]["vllm"].step_share == pytest.approx(0.8**0.5, rel=0.02)


def test_a_case_is_simulated_once_for_the_same_constants() -> None:
    asked = []

    def slow(case: Case, handover: Handover) -> Measured:
        asked.append(handover)
        return law(case, handover)

    found = remembered(slow)
    (sample,) = samples("deepseek-ai/DeepSeek-V3", "trtllm", 1.0, 0.0, 1)
    assert found(sample.case, Handover()) == found(sample.case, Handover()) == law(sample.case, Handover())
    assert found(sample.case, Handover(handover_ms=1.0)).ttft_ms == 101.0
    assert len(asked) == 2
