"""A backend that does what its document says, for tests of everything around the planner.

The document is a mapping: ``fleet`` names it; ``steps`` is how many progress events it sends, ``pause_s``
apart, of ``phase`` or each of its own; ``then`` is how it ends.
"""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict

from models.document import read_document
from models.errors import InvalidInput, SolverFailed, UnknownName
from planner.plan import Expectation, Instance, Objective, Plan, Stage
from planner.service.backend import AssignmentOutcome, CheckedDocument, Outcome, ProgressEvent, Work


def plan_for(fleet: str, state: str = "optimal", seed: int = 0, node: int = 2, price: float = 10.0) -> Plan:
    """A small plan with one instance over two nodes, the second being `node`."""
    instance = Instance(
        name="chat-mixed-0", workload="chat", model="chat", role="mixed",
        repository="meta-llama/Llama-3.1-70B-Instruct", engine="vllm", pool="h100", gpu="h100-sxm-80gb",
        tensor_parallel_size=2, pipeline_parallel_size=2, weights="fp8", checkpoint="bf16", kv_cache="fp8",
        max_num_seqs=64, max_num_batched_tokens=2048, max_model_len=8192, gpu_memory_utilization=0.9,
        stages=(Stage("h100/r0/n0", (0, 1)), Stage(f"h100/r1/n{node}", (4, 5))),
        expected=Expectation(
            rate_per_s=1.5, capacity_per_s=2.0, ttft_ms=410.0, tpot_ms=31.0, concurrency=12.0
        ),
        price_per_hour=10.0, basis="datasheet",
    )  # fmt: skip
    return Plan(
        fulcrum_version="0.1.0", fleet=fleet, fleet_digest="0" * 64, seed=seed, state=state,
        cost_per_hour=price,
        instances=(instance,), workloads=(), pools=(), moves=(), basis=(),
        objectives=(Objective(stage="sizing", name="cost", value=10.0, bound=9.5, gap=0.05),),
    )  # fmt: skip


class ScriptedBackend:
    def check(self, document: str) -> CheckedDocument:
        script = read_document(document).value
        if not isinstance(script, dict):
            raise InvalidInput("a script is a mapping", line=1)
        if script.get("check") == "hang":
            time.sleep(600)
        if script.get("check") == "wait":
            time.sleep(1.0)
        end_s = time.process_time() + 0.3
        while script.get("check") == "spin" or (
            script.get("check") == "work" and time.process_time() < end_s
        ):
            pass
        if "fleet" not in script:
            raise InvalidInput("missing", path=("fleet",), line=1)
        if script.get("gpu", "h100-sxm-80gb") != "h100-sxm-80gb":
            raise UnknownName("GPU", str(script["gpu"]), ["h100-sxm-80gb"], path=("pools", 0, "gpu"), line=2)
        return CheckedDocument(fleet=str(script["fleet"]), gpus=tuple(script.get("gpus", [])))

    def check_current(self, plan_json: str) -> None:
        Plan.from_json(plan_json)

    def plan(self, work, on_progress, cancelled) -> Outcome:
        script = read_document(work.document).value
        start = time.monotonic()
        end = start + (work.time_limit_s or 1e9) + script.get("overrun_s", 0.0)
        state = script.get("state", "optimal")
        for step in range(script.get("steps", 1)):
            elapsed_s = time.monotonic() - start
            on_progress(
                ProgressEvent(
                    phase=script.get("phase", f"step {step}"), elapsed_s=elapsed_s,
                    objective=100.0 - step, bound=float(step),
                )
            )  # fmt: skip
            pause_end = min(time.monotonic() + script.get("pause_s", 0.0), end)
            while time.monotonic() < pause_end:
                if cancelled() and script.get("stops", True):
                    return Outcome(
                        state="cancelled", plan_json=plan_for(script["fleet"], "cancelled").to_json()
                    )
                time.sleep(0.005)
            if time.monotonic() >= end:
                state = "feasible"
                break
        node, price = script.get("node", 2), script.get("price", 10.0)
        plan = plan_for(script["fleet"], state, work.seed, node, price)
        match script.get("then", "answer"):
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "eat":
                blocks = []
                while True:
                    blocks.append(bytearray(2**26))
            case "break":
                raise SolverFailed("the backend lost its way")
            case "surprise":
                raise RuntimeError("secret detail")
            case "print":
                print("a solver's banner", flush=True)  # noqa: T201
        return Outcome(state=state, plan_json=plan.to_json(), gap=plan.objectives[0].gap)

    def check_assignment(self, document: str, solver: str) -> None:
        self.check(document)

    def ask(self, question, on_progress, cancelled) -> AssignmentOutcome:
        """As a problem; the answer of ``explain`` is empty, that of ``what_if`` two states."""
        work = Work(document=question.document, time_limit_s=question.time_limit_s)
        made = self.plan(work, on_progress, cancelled)
        if question.kind == "explain":
            # imports the whole planner, which no worker of another test shall wait for
            from planner.explain.explanation import Explanation

            return AssignmentOutcome(
                state=made.state, answer_json=json.dumps(asdict(Explanation(workloads=())))
            )
        states = {
            "comparison": {"before": {"state": "optimal"}, "after": {"state": made.state}},
            "before_plan_json": made.plan_json, "after_plan_json": made.plan_json,
        }  # fmt: skip
        return AssignmentOutcome(state=made.state, answer_json=json.dumps(states))

    def solve(self, work, on_progress, cancelled) -> AssignmentOutcome:
        """As a plan, with the time limit that reached the worker for an answer."""
        made = self.plan(
            Work(document=work.document, time_limit_s=work.time_limit_s, seed=work.seed),
            on_progress,
            cancelled,
        )
        return AssignmentOutcome(
            state=made.state, answer_json=json.dumps({"time_limit_s": work.time_limit_s})
        )
