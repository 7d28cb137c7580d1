"""`planner.export.vllm`: flags, ports, devices and ranks."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import replace

import pytest

from models.errors import UnknownName, Unsupported
from planner.export import Options, export
from planner.export.vllm import launch_commands
from planner.plan import Instance, Plan, Stage
from planner.plan.drafting import Drafting
from planner.testing import make_instance


def plan_with(*instances: Instance) -> Plan:
    return Plan(
        fulcrum_version="1", fleet="x", fleet_digest="d", seed=0, state="optimal", cost_per_hour=1.0,
        instances=instances, workloads=(), pools=(), objectives=(), moves=(), basis=(),
    )  # fmt: skip


def commands(text: str) -> list[tuple[dict[str, str], list[str]]]:
    """Environment and words of each command, as a shell would split them."""
    found = []
    for block in text.split("\n\n"):
        words = shlex.split(block.split("\n", 1)[1].replace("\\\n", " "))
        start = words.index("vllm")
        found.append((dict(word.split("=", 1) for word in words[:start]), words[start:]))
    return found


def flag(words: list[str], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_one_node() -> None:
    one = make_instance("a", (Stage("p/r0/n0", (2, 3)),), repository="org/model")
    ((environment, words),) = commands(export(plan_with(one), "vllm"))
    assert environment == {"CUDA_VISIBLE_DEVICES": "2,3"}
    assert words[:3] == ["vllm", "serve", "org/model"]
    assert flag(words, "--tensor-parallel-size") == "2"
    assert flag(words, "--pipeline-parallel-size") == "1"
    assert flag(words, "--served-model-name") == "chat"
    assert flag(words, "--max-num-batched-tokens") == "8192"
    assert flag(words, "--kv-cache-dtype") == "auto"
    assert flag(words, "--port") == "8000"
    assert "--quantization" not in words
    assert "--nnodes" not in words


def test_ports_are_unique_on_a_node_and_start_again_on_the_next() -> None:
    stages = [Stage("n0", (0,)), Stage("n0", (1,)), Stage("n1", (0,))]
    plan = plan_with(*(make_instance(str(n), (stage,)) for n, stage in enumerate(stages)))
    assert [flag(words, "--port") for _, words in commands(export(plan, "vllm"))] == ["8000", "8001", "8000"]


def test_precision() -> None:
    one = make_instance("a", (Stage("n0", (0,)),))
    made = replace(one, weights="fp8", kv_cache="fp8")
    ((_, words),) = commands(export(plan_with(made), "vllm"))
    assert flag(words, "--quantization") == "fp8"
    assert flag(words, "--kv-cache-dtype") == "fp8"
    ready = replace(one, weights="int4", checkpoint="int4")
    ((_, words),) = commands(export(plan_with(ready), "vllm"))
    assert "--quantization" not in words  # the checkpoint says so itself
    with pytest.raises(Unsupported, match=r"cannot load the bf16 checkpoint x in int4"):
        export(plan_with(replace(one, weights="int4")), "vllm")
    with pytest.raises(Unsupported, match="no KV cache in nvfp4"):
        export(plan_with(replace(one, kv_cache="nvfp4")), "vllm")


def test_two_nodes_get_one_command_each() -> None:
    stages = (Stage("n0", (0, 1)), Stage("n0", (2, 3)), Stage("n1", (4, 5)), Stage("n1", (6, 7)))
    (env0, head), (env1, worker) = commands(export(plan_with(make_instance("a", stages)), "vllm"))
    assert (env0["CUDA_VISIBLE_DEVICES"], env1["CUDA_VISIBLE_DEVICES"]) == ("0,1,2,3", "4,5,6,7")
    for rank, words in enumerate((head, worker)):
        assert flag(words, "--nnodes") == "2"
        assert flag(words, "--node-rank") == str(rank)
        assert flag(words, "--master-addr") == "${ADDRESS_n0:?}"
        assert flag(words, "--pipeline-parallel-size") == "4"
    assert "--headless" in worker
    assert "--headless" not in head


def test_prefill_and_decode_exchange_their_cache() -> None:
    plan = plan_with(
        make_instance("p", (Stage("n0", (0,)),), role="prefill"),
        make_instance("d", (Stage("n0", (1,)),), role="decode"),
    )
    (env_p, prefill), (env_d, decode) = commands(export(plan, "vllm"))
    roles = [json.loads(flag(words, "--kv-transfer-config") or "")["kv_role"] for words in (prefill, decode)]
    assert roles == ["kv_producer", "kv_consumer"]
    assert env_p["VLLM_NIXL_SIDE_CHANNEL_PORT"] != env_d["VLLM_NIXL_SIDE_CHANNEL_PORT"]
    assert env_p["VLLM_NIXL_SIDE_CHANNEL_HOST"] == "${ADDRESS_n0:?}"


def test_no_hand_over_between_pipeline_stages() -> None:
    stages = (Stage("n0", (0,)), Stage("n0", (1,)))
    with pytest.raises(Unsupported, match="pipeline-parallel"):
        export(plan_with(make_instance("p", stages, role="prefill")), "vllm")


def test_addresses_are_taken_from_the_environment_by_a_real_shell() -> None:
    plan = plan_with(make_instance("p", (Stage("a/r0/n-1", (0,)),), role="prefill"))
    script = export(plan, "vllm").replace("vllm serve", "printenv VLLM_NIXL_SIDE_CHANNEL_HOST #")
    script = script.split(" \\\n")[0]
    unset = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    assert unset.returncode != 0
    assert "ADDRESS_a_r0_n_1" in unset.stderr
    known = {"PATH": os.environ["PATH"], "ADDRESS_a_r0_n_1": "10.0.0.7"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env=known)
    assert done.stdout.strip() == "10.0.0.7"


def test_names_are_quoted_for_the_shell() -> None:
    one = make_instance("a", (Stage("n0", (0,)),), repository="/models/my model; rm -rf")
    ((_, words),) = commands(export(plan_with(one), "vllm"))
    assert words[2] == "/models/my model; rm -rf"


def test_unknown_format_and_empty_plan() -> None:
    with pytest.raises(UnknownName, match="did you mean 'vllm'"):
        export(plan_with(), "vlm")
    with pytest.raises(Unsupported, match="runs nothing"):
        export(plan_with(), "vllm")


def test_several_nodes_need_a_version_that_starts_them() -> None:
    stages = (Stage("n0", (0,)), Stage("n1", (0,)))
    plan = plan_with(make_instance("a", stages))
    assert "--nnodes" in export(plan, "vllm", Options(engine_version="0.11.2"))
    with pytest.raises(
        Unsupported, match=r"on 2 nodes without Ray needs vLLM 0\.11\.2 or newer, not 0\.10\.1"
    ):
        export(plan, "vllm", Options(engine_version="0.10.1"))
    assert export(plan_with(make_instance("a", stages[:1])), "vllm", Options(engine_version="0.10.1"))


def test_other_engines_are_counted_and_keep_their_ports() -> None:
    places = [Stage("n0", (gpu,)) for gpu in range(3)]
    engines = ("sglang", "vllm", "sglang")
    plan = plan_with(
        *(make_instance(str(n), (p,), engine=e) for n, (p, e) in enumerate(zip(places, engines, strict=True)))
    )
    text = export(plan, "vllm")
    assert text.startswith("# instances of sglang are not here, 2 of them: export to sglang\n\n# 1 on n0")
    assert "--port 8001" in text
    with pytest.raises(Unsupported, match="runs no instance of tensorrt-llm; it runs sglang, vllm"):
        export(plan, "tensorrt-llm")


def test_commands_are_words_before_they_are_text() -> None:
    (one,) = launch_commands(plan_with(make_instance("a", (Stage("n0", (2, 3)),), repository="my model")))
    assert one.command[:3] == ("vllm", "serve", "my model")
    assert one.environment == {"CUDA_VISIBLE_DEVICES": "2,3"}
    assert (one.instance, one.node, one.part, one.parts) == ("a", "n0", 1, 1)


def test_replicas_and_experts() -> None:
    one = make_instance("a", (Stage("n0", (0, 1, 2, 3)),), tensor_parallel_size=2, data_parallel_size=2)
    shared = replace(one, name="b", stages=(Stage("n0", (4, 5, 6, 7)),), expert_parallel_size=4)
    (env, apart), (_, together) = commands(export(plan_with(one, shared), "vllm"))
    assert env["CUDA_VISIBLE_DEVICES"] == "0,1,2,3"
    for words in (apart, together):
        assert flag(words, "--tensor-parallel-size") == flag(words, "--data-parallel-size") == "2"
        assert flag(words, "--max-num-seqs") == "128"  # of each replica
        assert flag(words, "--max-num-batched-tokens") == "8192"
    assert "--enable-expert-parallel" not in apart
    assert "--enable-expert-parallel" in together
    with pytest.raises(Unsupported, match="to all 4 GPUs of a stage or to none, not to 2 groups"):
        export(plan_with(replace(shared, expert_parallel_size=2)), "vllm")


def test_the_side_channels_of_replicas_do_not_meet() -> None:
    """Each GPU of an instance may open one, counted on from the first."""
    stages = [Stage("n0", tuple(range(first, first + 2))) for first in (0, 2, 4)]
    plan = plan_with(
        *(
            make_instance(str(n), (s,), role="decode", tensor_parallel_size=1, data_parallel_size=2)
            for n, s in enumerate(stages)
        )
    )
    first = [int(env["VLLM_NIXL_SIDE_CHANNEL_PORT"]) for env, _ in commands(export(plan, "vllm"))]
    opened = [port + gpu for port in first for gpu in range(2)]
    assert len(opened) == len(set(opened))


def test_speculative_decoding_by_version() -> None:
    one = make_instance("a", (Stage("n0", (0, 1)),))

    def said(drafting: Drafting, version: str = "") -> dict[str, object]:
        plan = plan_with(replace(one, drafting=drafting))
        ((_, words),) = commands(export(plan, "vllm", Options(engine_version=version)))
        return json.loads(flag(words, "--speculative-config") or "")  # type: ignore[no-any-return]

    mtp = Drafting(method="mtp", tokens=1, tokens_per_step=1.8)
    assert said(mtp) == {"method": "mtp", "num_speculative_tokens": 1}
    with pytest.raises(Unsupported, match=r"by mtp needs vLLM 0\.11\.0"):
        said(mtp, "0.10.0")
    head = Drafting(method="eagle3", tokens=3, tokens_per_step=2.5, repository="org/head")
    assert said(head, "0.10.0") == {
        "method": "eagle3", "model": "org/head", "num_speculative_tokens": 3,
        "draft_tensor_parallel_size": 2,
    }  # fmt: skip
    small = replace(head, method="draft_model", repository="org/small")
    assert said(small, "0.17.0")["method"] == "draft_model"
    with pytest.raises(Unsupported, match=r"by draft_model needs vLLM 0\.17\.0"):
        said(small)
