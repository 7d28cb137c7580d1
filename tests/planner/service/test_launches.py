from __future__ import annotations

from planner.plan import Instance, Plan, Stage
from planner.service.launches import LaunchCommand, launch_commands
from planner.testing import make_instance


def plan_of(*instances: Instance) -> str:
    return Plan(
        fulcrum_version="1", fleet="x", fleet_digest="d", seed=0, state="optimal", cost_per_hour=1.0,
        instances=instances, workloads=(), pools=(), objectives=(), moves=(), basis=(),
    ).to_json()  # fmt: skip


def test_words_environment_and_addresses() -> None:
    stages = (Stage("h100/r0/n0", (0, 1)), Stage("h100/r0/n1", (0, 1)))
    head, worker = launch_commands(plan_of(make_instance("chat-0", stages, repository="my model")))

    assert isinstance(head, LaunchCommand)
    assert (head.instance, head.node) == ("chat-0", "h100/r0/n0")
    assert head.environment == {"CUDA_VISIBLE_DEVICES": "0,1"}
    assert head.command[:3] == ("vllm", "serve", "my model")
    assert head.command[head.command.index("--master-addr") + 1] == "{address:h100/r0/n0}"
    assert worker.command[-1] == "--headless"


def test_every_engine_of_a_plan_is_started_once() -> None:
    places = [Stage("n0", (gpu,)) for gpu in range(3)]
    engines = ("vllm", "sglang", "vllm")
    made = launch_commands(
        plan_of(
            *(
                make_instance(f"i{n}", (p,), engine=e)
                for n, (p, e) in enumerate(zip(places, engines, strict=True))
            )
        )
    )
    assert sorted(c.instance for c in made) == ["i0", "i1", "i2"]
    ports = [c.command[c.command.index("--port") + 1] for c in made]
    assert len(set(ports)) == 3
    (own,) = (c for c in made if c.instance == "i1")
    assert own.command[2] == "sglang.launch_server"


def test_what_cannot_be_started_has_no_commands() -> None:
    assert launch_commands(plan_of()) == []
    assert launch_commands(plan_of(make_instance("a", (Stage("n", (0,)),), engine="own"))) == []
    assert launch_commands(plan_of(make_instance("a", (Stage("n", (0,)),), kv_cache="nvfp4"))) == []
    assert launch_commands("{}") == []
