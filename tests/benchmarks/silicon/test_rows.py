from pathlib import Path

import pytest

from benchmarks.silicon.rows import MEASURED, Case, Refused, parse_row, read_rows
from models.errors import InvalidInput
from models.serving import Parallelism

ROW = {
    "id": "x_tp4_ep1_3",
    "silicon_data_source": "source_file=2026-04-06.csv; silicon_concurrency=32",
    "backend": "vllm",
    "model_path": "meta-llama/Llama-3.1-70B",
    "system": "h100_sxm",
    "mode": "agg",
    "isl": "1024",
    "osl": "128",
    "gemm_quant_mode": "fp8",
    "tp_size": "4",
    "pp_size": "1",
    "moe_tp_size": "1",
    "moe_ep_size": "1",
}


def case(**changes: str) -> Case:
    found = parse_row({**ROW, **changes})
    assert isinstance(found, Case)
    return found


def test_a_plain_row() -> None:
    found = case()
    assert found.configuration.parallelism == Parallelism(tensor_parallel_size=4)
    assert found.configuration.weights == "fp8"
    assert (found.concurrency, found.harness) == (32, "inferencex")
    assert found.configuration.max_num_seqs == 32


def test_harness_is_told_from_the_source() -> None:
    source = "source_file=/Users/nv/projects/aic-auto-gap-analysis/data/x.csv; silicon_concurrency=8"
    found = case(silicon_data_source=source)
    assert found.harness == "nvidia"
    assert found.configuration.max_num_batched_tokens == 2048


def test_launch_flags_in_the_name_rule_over_misread_columns() -> None:
    """Columns multiply TP and EP in some rows; the name holds what was launched."""
    found = case(
        id="a_tp8_ep8_1", model_path="openai/gpt-oss-120b", tp_size="64", moe_tp_size="8", moe_ep_size="8"
    )
    assert found.configuration.parallelism == Parallelism(tensor_parallel_size=8, expert_parallel_size=8)
    assert found.configuration.weights == "mxfp4"


def test_attention_data_parallel_rows() -> None:
    found = case(
        id="cfg1", model_path="MiniMaxAI/MiniMax-M2.5", tp_size="1", attention_dp_size="4", moe_ep_size="4"
    )
    assert found.configuration.parallelism == Parallelism(data_parallel_size=4, expert_parallel_size=4)
    assert found.configuration.weights == "fp8_block"


@pytest.mark.parametrize(
    ("columns", "parallelism"),
    [
        # TP × EP as the tensor parallel degree
        (("16", "1", "4", "4"), Parallelism(tensor_parallel_size=4, expert_parallel_size=4)),
        # the same with replicas of the attention
        (("1", "64", "8", "8"), Parallelism(data_parallel_size=8, expert_parallel_size=8)),
        # vLLM's: EP as the data parallel degree, TP × EP as that of the experts
        (("4", "4", "1", "16"), Parallelism(tensor_parallel_size=4, expert_parallel_size=4)),
        (("2", "2", "1", "4"), Parallelism(tensor_parallel_size=2, expert_parallel_size=2)),
        # launch flags as they were
        (("4", "1", "1", "4"), Parallelism(tensor_parallel_size=4, expert_parallel_size=4)),
        (("4", "1", "4", "1"), Parallelism(tensor_parallel_size=4)),
    ],
)
def test_products_of_launch_flags_are_taken_apart(columns: tuple[str, ...], parallelism: Parallelism) -> None:
    names = ("tp_size", "attention_dp_size", "moe_tp_size", "moe_ep_size")
    found = case(id="cfg1", model_path="MiniMaxAI/MiniMax-M2.5", **dict(zip(names, columns, strict=True)))
    assert found.configuration.parallelism == parallelism


def test_an_aggregated_row_of_many_nodes_is_of_several_workers() -> None:
    wide = {"id": "a_tp28_ep1_1", "model_path": "deepseek-ai/DeepSeek-R1", "system": "gb200"}
    refused = parse_row({**ROW, **wide, "tp_size": "28"})
    assert isinstance(refused, Refused)
    assert "several workers" in refused.reason


def test_settings_of_recipes_on_blackwell() -> None:
    deepseek = {"model_path": "deepseek-ai/DeepSeek-R1", "backend": "sglang", "system": "b200_sxm"}
    polls = [
        case(**deepseek, silicon_data_source=f"silicon_concurrency={c}").configuration.engine.poll_steps
        for c in (8, 16)
    ]
    assert polls == [10, 30]
    found = case(**deepseek).configuration
    assert (found.kv_cache, found.max_num_batched_tokens) == ("fp8", 32768)
    hopper = case(**{**deepseek, "system": "h200_sxm"}).configuration
    assert (hopper.kv_cache, hopper.engine.poll_steps) == ("bf16", 1)
    minimax = case(model_path="MiniMaxAI/MiniMax-M2.5", system="b200_sxm").configuration
    assert (minimax.kv_cache, minimax.max_num_batched_tokens) == ("fp8", 2 * int(ROW["isl"]))


def test_disaggregated_rows_need_worker_counts() -> None:
    refused = parse_row({**ROW, "mode": "disagg"})
    assert isinstance(refused, Refused)
    assert "without worker counts" in refused.reason
    found = case(
        mode="disagg",
        prefill_num_workers="2",
        decode_num_workers="4",
        prefill_tp_size="2",
        decode_tp_size="4",
        silicon_data_source="silicon_concurrency=64",
    )
    assert found.workers == (2, 4)
    assert found.prefill is not None
    assert found.prefill.parallelism.tensor_parallel_size == 2
    assert found.configuration.max_num_seqs == 16


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"silicon_data_source": "measured"}, "no concurrency"),
        ({"model_path": "nvidia/Llama-3.1-8B-Instruct-FP8"}, "prefix cache suspected"),
        ({"model_path": "deepseek-ai/DeepSeek-R1", "backend": "trtllm"}, "multi-token prediction suspected"),
        ({"model_path": "acme/unknown"}, "unknown architecture"),
        ({"gemm_quant_mode": "int3"}, "quantisation 'int3'"),
        ({"system": "mi300x"}, "no profile"),
        ({"isl": "many"}, "unreadable"),
    ],
)
def test_refusals_state_a_rule(changes: dict[str, str], reason: str) -> None:
    found = parse_row({**ROW, **changes})
    assert isinstance(found, Refused)
    assert reason in found.reason


def test_measured_columns_are_dropped_on_load(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    columns = [*ROW, *MEASURED]
    path.write_text(",".join(columns) + "\n" + ",".join([*ROW.values(), "12.5", "3.5"]) + "\n")
    full, described = read_rows(path)
    assert full[0]["silicon_tpot_ms"] == "3.5"
    assert not set(MEASURED) & described[0].keys()
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="not a table of serving results"):
        read_rows(path)
