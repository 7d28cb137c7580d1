"""`planner.export.sglang`: flags, roles and what SGLang cannot do."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from models.errors import Unsupported
from planner.export import export
from planner.export.sglang import launch_commands
from planner.plan import Plan
from planner.plan.drafting import Drafting

Make = Callable[..., Plan]


def flag(words: tuple[str, ...], name: str) -> str | None:
    return words[words.index(name) + 1] if name in words else None


def test_precision(make_plan: Make) -> None:
    chat, _, code = launch_commands(make_plan("one-node", "sglang"))
    assert flag(chat.command, "--kv-cache-dtype") == "auto"
    assert flag(code.command, "--kv-cache-dtype") == "fp8_e4m3"
    assert "--quantization" not in code.command  # the checkpoint says so itself
    plan = make_plan("one-node", "sglang")
    odd = replace(plan.instances[0], weights="int4")
    with pytest.raises(Unsupported, match="SGLang cannot load the bf16 checkpoint org/chat-70b in int4"):
        export(replace(plan, instances=(odd,)), "sglang")
    with pytest.raises(Unsupported, match="no KV cache in nvfp4"):
        export(replace(plan, instances=(replace(odd, weights="bf16", kv_cache="nvfp4"),)), "sglang")


def test_only_prefill_opens_a_bootstrap_port_of_its_own(make_plan: Make) -> None:
    first, second, decode = launch_commands(make_plan("split", "sglang"))
    ports = [flag(c.command, "--disaggregation-bootstrap-port") for c in (first, second, decode)]
    assert ports[2] is None
    assert len(set(ports)) == 3
    assert [flag(c.command, "--disaggregation-mode") for c in (first, decode)] == ["prefill", "decode"]


def test_replicas_and_experts(make_plan: Make) -> None:
    plan = make_plan("one-node", "sglang")
    one = replace(plan.instances[0], tensor_parallel_size=2, data_parallel_size=2, expert_parallel_size=4)
    (made,) = launch_commands(replace(plan, instances=(one,)))
    assert "--enable-dp-attention" in made.command
    # SGLang divides by the replicas what its flags say of all
    wanted = {
        "--tp-size": "4", "--dp-size": "2", "--ep-size": "4", "--max-running-requests": "256",
        "--chunked-prefill-size": "16384",
    }  # fmt: skip
    assert {name: flag(made.command, name) for name in wanted} == wanted
    with pytest.raises(Unsupported, match=r"needs SGLang 0\.5\.0 or newer"):
        launch_commands(replace(plan, instances=(one,)), "0.4.8")


def test_speculative_decoding(make_plan: Make) -> None:
    plan = make_plan("one-node", "sglang")

    def said(drafting: Drafting, version: str = "") -> tuple[str, ...]:
        one = replace(plan.instances[0], drafting=drafting)
        return launch_commands(replace(plan, instances=(one,)), version)[0].command

    mtp = said(Drafting(method="mtp", tokens=2, tokens_per_step=1.8))
    wanted = {
        "--speculative-algorithm": "EAGLE", "--speculative-num-steps": "2", "--speculative-eagle-topk": "1",
        "--speculative-num-draft-tokens": "3",
    }  # fmt: skip
    assert {name: flag(mtp, name) for name in wanted} == wanted
    assert "--speculative-draft-model-path" not in mtp
    small = Drafting(method="draft_model", tokens=2, tokens_per_step=1.8, repository="org/small")
    assert flag(said(small), "--speculative-algorithm") == "STANDALONE"
    assert flag(said(small), "--speculative-draft-model-path") == "org/small"
    with pytest.raises(Unsupported, match=r"needs SGLang 0\.5\.3"):
        said(small, "0.5.0")
