from __future__ import annotations

import pytest

from models.errors import InvalidInput
from planner.agent.command import NotYet, command_of, read_template
from planner.agent.config import AgentConfig
from planner.service.protos import engine_service_pb2, plan_pb2


def config(**templates: tuple[str, ...]) -> AgentConfig:
    return AgentConfig(fleet="demo", engine_id="e", node="n0", templates=templates)


def assigned(*words: str, engine: str = "vllm", node: str = "n0", **addresses: str):
    return engine_service_pb2.AssignedInstance(
        instance_id="chat-0@1", node=node, gpu_indices=[2, 3], node_addresses=addresses,
        instance=plan_pb2.Instance(
            workload="chat", engine=engine, stages=[plan_pb2.Stage(node="n0"), plan_pb2.Stage(node="n1")]
        ),
        launch=plan_pb2.Launch(command=words, environment={"HOST": "{address:n0}"}),
    )  # fmt: skip


def test_addresses_and_the_template_are_filled_in() -> None:
    template = read_template("numactl -N {gpus} {command} --name {instance}")
    made = command_of(
        assigned("vllm", "serve", "--master-addr", "{address:n0}", "--port", "8003", n0="10.0.0.1"),
        config(vllm=template),
    )
    assert made.words == (
        "numactl", "-N", "2,3", "vllm", "serve", "--master-addr", "10.0.0.1", "--port", "8003", "--name",
        "chat-0@1",
    )  # fmt: skip
    assert made.environment == {"HOST": "10.0.0.1"}
    assert made.port == 8003


def test_a_missing_address_is_waited_for() -> None:
    with pytest.raises(NotYet, match="n0"):
        command_of(assigned("vllm"), config())


def test_only_the_head_of_an_instance_answers() -> None:
    words = ("vllm", "serve", "--port", "8000")
    assert command_of(assigned(*words, node="n1", n0="a"), config()).port is None


def test_sglang_gets_its_metrics() -> None:
    made = command_of(assigned("python", "-m", "sglang.launch_server", engine="sglang", n0="a"), config())
    assert made.words[-1] == "--enable-metrics"


def test_nothing_is_interpreted() -> None:
    made = command_of(assigned("serve", "$(rm -rf /)", "; id", "{model}", n0="a"), config())
    assert made.words == ("serve", "$(rm -rf /)", "; id", "{model}")


@pytest.mark.parametrize("text", ["docker run", "{command} {what}", "'unclosed {command}", "x{command}"])
def test_a_bad_template_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_template(text)


def test_no_command_is_said() -> None:
    with pytest.raises(InvalidInput, match="no command is known"):
        command_of(assigned(n0="a"), config())
