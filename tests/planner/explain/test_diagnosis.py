"""`planner.explain`: impossible fleets name what binds and the closest thing that works; it is tried here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from planner.pipeline import create_plan
from planner.plan import Diagnosis, Plan


def document(**policies: Any) -> dict[str, Any]:
    return {
        "fleet": "t",
        "pools": [
            {
                "name": "a",
                "gpu": "h100-sxm-80gb",
                "nodes": 2,
                "gpus_per_node": 4,
                "racks": 2,
                "price_per_gpu_hour": 2,
            }
        ],
        "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
        "workloads": [
            {
                "model": "m",
                "rate": "20/s",
                "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
                "slo": {"ttft_p95": "500ms", "tpot_p95": "30ms"},
            }
        ],
        "policies": {"parallelism": {"tensor": [1, 2, 4], "pipeline": [1]}, **policies},
    }


def plan_of(values: dict[str, Any]) -> Plan:
    return create_plan(yaml.safe_dump(values))


def diagnosis_of(values: dict[str, Any]) -> Diagnosis:
    plan = plan_of(values)
    assert plan.state == "infeasible"
    assert plan.instances == ()
    assert plan.objectives == ()
    assert plan.cost_per_hour == 0
    assert plan.diagnosis is not None
    return plan.diagnosis


def test_the_document_these_start_from_is_possible() -> None:
    assert plan_of(document()).state == "optimal"


@pytest.mark.parametrize(("kind", "value"), [("ttft_p95", "5ms"), ("tpot_p95", "1ms")])
def test_target_below_an_idle_request(kind: str, value: str) -> None:
    values = document()
    values["workloads"][0]["slo"][kind] = value
    found = diagnosis_of(values)
    assert found.limit == kind.split("_")[0]
    assert found.subject == "m"
    assert "below what one idle request needs" in found.message
    matched = re.search(rf"{kind}: (\S+ms) would work", found.closest)
    assert matched, found.closest
    values["workloads"][0]["slo"][kind] = matched[1]
    values["workloads"][0]["rate"] = "0.01/s"  # it says that some load can be served, not all
    assert plan_of(values).state == "optimal"


def test_both_targets_too_low_are_both_named() -> None:
    values = document(roles=["mixed"])
    values["workloads"][0]["slo"] = {"ttft_p95": "5ms", "tpot_p95": "1ms"}
    closest = diagnosis_of(values).closest
    assert "ttft_p95" in closest
    assert "tpot_p95" in closest


def test_model_that_fits_with_wider_parallelism() -> None:
    values = document()
    values["models"][0]["architecture"] = "llama-3.1-70b"
    values["policies"]["parallelism"] = {"tensor": [1], "pipeline": [1]}
    found = diagnosis_of(values)
    assert found.limit == "memory"
    assert "llama-3.1-70b" in found.message
    assert "GB" in found.message
    assert found.closest == "parallelism.tensor: [1, 2, 4] would work"


def test_model_that_fits_in_fewer_bits() -> None:
    values = document()
    values["models"][0]["architecture"] = "llama-3.1-70b"
    values["pools"][0] |= {"gpus_per_node": 1, "nodes": 1, "racks": 1}
    values["policies"]["parallelism"] = {"tensor": [1], "pipeline": [1]}
    values["workloads"][0]["slo"] = {"ttft_p95": "5s", "tpot_p95": "100ms"}
    found = diagnosis_of(values)
    assert found.limit == "memory"
    assert "weights: " in found.closest


def test_model_that_can_not_be_cut_that_way() -> None:
    values = document()
    values["policies"]["parallelism"] = {"tensor": [3], "pipeline": [1]}
    found = diagnosis_of(values)
    assert found.limit == "shape"
    assert "heads" in found.message
    assert "would work" in found.closest


NODES = re.compile(r"(\d+) more nodes? in a would do")


@pytest.mark.parametrize(
    ("change", "limit"),
    [
        (lambda v: v["workloads"][0].update(rate="900/s"), "supply"),
        (lambda v: v["workloads"][0].update(rate="20000/s"), "supply"),
        (
            lambda v: (
                v["pools"][0].update(nodes=1, racks=1) or v["policies"].update(survive={"loss_of": "node"})
            ),
            "survive",
        ),
    ],
)
def test_too_little_supply(change: Callable[[dict[str, Any]], object], limit: str) -> None:
    values = document()
    change(values)
    found = diagnosis_of(values)
    assert found.limit == limit
    matched = NODES.search(found.closest)
    assert matched, found.closest
    more = int(matched[1])
    values["pools"][0]["nodes"] += more
    assert plan_of(values).state in ("optimal", "feasible")
    values["pools"][0]["nodes"] -= 1
    if values["pools"][0]["nodes"] >= values["pools"][0]["racks"]:
        assert plan_of(values).state == "infeasible"  # it was the fewest


def test_two_workloads_where_the_second_finds_nothing_left() -> None:
    values = document()
    first = values["workloads"][0] | {"name": "first", "rate": "250/s"}
    values["workloads"] = [first, first | {"name": "second", "priority": 2}]
    found = diagnosis_of(values)
    assert found.limit == "supply"
    assert re.search(r"at best they serve first 250/s, second [\d.]+/s", found.message)


def test_a_large_fleet_is_diagnosed_as_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workloads sized apart prove the shortage and find as many more nodes."""
    values = document(survive={"loss_of": "node"})
    values["workloads"] = [values["workloads"][0] | {"name": n, "rate": "500/s"} for n in ("first", "second")]
    small = diagnosis_of(values)
    for module in ("planner.sizing.solve", "planner.sizing.schedule", "planner.explain.shortage"):
        monkeypatch.setattr(f"{module}.LARGE", 1)
    large = diagnosis_of(values)
    assert (large.limit, large.subject) == (small.limit, small.subject)
    assert large.closest == small.closest
    assert NODES.search(large.closest)
