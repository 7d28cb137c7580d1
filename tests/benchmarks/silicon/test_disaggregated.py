import pytest

from benchmarks.silicon.disaggregated import _response, measure_disaggregated
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
    found = measure_disaggregated(case, calibration("tensorrt-llm", "blackwell").overheads, 0.0)
    return found.ttft_ms, found.tpot_ms


def exact(clients: int, service: float, fixed: float, think: float) -> float:
    """Mean-value analysis of the same network, one client after the other."""
    waiting, response = 0.0, 0.0
    for n in range(1, clients + 1):
        at_queue = service * (1.0 + waiting)
        response = at_queue + fixed
        waiting = n / (response + think) * at_queue
    return response


@pytest.mark.parametrize("clients", [1, 4, 32, 500])
@pytest.mark.parametrize("think", [10.0, 300.0, 5000.0])
def test_the_closed_form_is_near_the_exact_recursion_and_above_it_at_the_knee(
    clients: int, think: float
) -> None:
    assert _response(clients, 10.0, 20.0, think) == pytest.approx(exact(clients, 10.0, 20.0, think), rel=0.25)


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
        measure_disaggregated(case, calibration("tensorrt-llm", "blackwell").overheads, 0.0)
