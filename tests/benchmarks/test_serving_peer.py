from benchmarks.serving_peer import alternatives
from benchmarks.silicon.rows import Case, parse_row

ROW = {
    "id": "minimax_tp4_ep4_1",
    "silicon_data_source": "silicon_concurrency=16",
    "backend": "vllm",
    "model_path": "MiniMaxAI/MiniMax-M2.5",
    "system": "h100_sxm",
    "mode": "agg",
    "isl": "1000",
    "osl": "50",
    "gemm_quant_mode": "fp8",
    "moe_quant_mode": "fp8",
    "tp_size": "1",
    "attention_dp_size": "4",
    "silicon_ttft_ms": "1",
    "silicon_tpot_ms": "2",
}


def test_the_other_model_gets_the_row_as_we_read_it_and_no_measurement() -> None:
    case = parse_row(ROW)
    assert isinstance(case, Case)
    stated, own = alternatives(case, ROW)
    assert (stated["batch_size"], stated["attention_dp_size"], stated["moe_ep_size"]) == (4, 4, 4)
    assert stated["moe_quant_mode"] == "fp8"
    assert "moe_quant_mode" not in own
    assert {k: v for k, v in stated.items() if k in own} == own
    assert not any("ttft" in key or "tpot" in key for key in stated)


def test_a_dense_model_has_no_experts_and_its_bundled_name() -> None:
    dense = {"id": "llama_tp4_ep1_1", "model_path": "meta-llama/Llama-3.1-70B", "tp_size": "4"}
    row = {**ROW, **dense, "attention_dp_size": "1"}
    case = parse_row(row)
    assert isinstance(case, Case)
    stated, _ = alternatives(case, row)
    assert stated["model_path"] == "meta-llama/Meta-Llama-3.1-70B"
    assert not any(key.startswith("moe") for key in stated)
