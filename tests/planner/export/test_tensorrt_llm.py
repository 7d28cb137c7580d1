"""`planner.export.tensorrt_llm`: flags, and by name what only a YAML file or a launcher could say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from models.errors import Unsupported
from planner.export import export
from planner.export.tensorrt_llm import launch_commands
from planner.plan import Plan
from planner.plan.drafting import Drafting

Make = Callable[..., Plan]


def test_flags(make_plan: Make) -> None:
    words = launch_commands(make_plan("one-node", "tensorrt-llm"))[0].command
    assert words[:2] == ("trtllm-serve", "org/chat-70b")
    assert dict(zip(words[2::2], words[3::2], strict=True)) == {
        "--backend": "pytorch", "--served_model_name": "chat", "--tp_size": "4", "--pp_size": "1",
        "--max_seq_len": "512", "--max_batch_size": "256", "--max_num_tokens": "8192",
        "--kv_cache_free_gpu_memory_fraction": "0.9", "--host": "0.0.0.0", "--port": "8000",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("split", {}, "cache_transceiver_config"),
        ("two-nodes", {}, "needs an MPI launcher"),
        ("one-node", {"weights": "fp8"}, "makes no fp8 of the bf16 checkpoint"),
        ("one-node", {"kv_cache": "fp8"}, r"kv_cache_config\.dtype"),
        ("one-node", {"tensor_parallel_size": 2, "data_parallel_size": 2}, "enable_attention_dp"),
        (
            "one-node",
            {"drafting": Drafting(method="mtp", tokens=1, tokens_per_step=1.8)},
            "speculative_config",
        ),
    ],
)
def test_what_flags_cannot_say_is_refused_by_name(
    make_plan: Make, name: str, changes: dict[str, Any], message: str
) -> None:
    plan = make_plan(name, "tensorrt-llm")
    odd = replace(plan, instances=tuple(replace(i, **changes) for i in plan.instances))
    with pytest.raises(Unsupported, match=message):
        export(odd, "tensorrt-llm")


def test_experts(make_plan: Make) -> None:
    plan = make_plan("one-node", "tensorrt-llm")
    shared = replace(plan.instances[0], expert_parallel_size=2)
    words = launch_commands(replace(plan, instances=(shared,)))[0].command
    assert words[words.index("--ep_size") + 1] == "2"
