from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from planner.fleet import read_fleet
from planner.rebalance.demand import moving_little, with_rates, without_nodes

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def document():
    return read_fleet((EXAMPLES / "fleet.yaml").read_text(), base_dir=EXAMPLES).self_contained


def test_lost_nodes_are_out_of_service_and_names_nobody_knows_are_left_out(document):
    fleet = read_fleet(without_nodes(document, ["h100/r1/n2", "h100/r9/n9", "b200/r0/n0"]))
    pools = {pool.name: pool.unavailable for pool in fleet.pools}
    assert pools == {"h100": (2,), "h200": ()}
    again = read_fleet(without_nodes(fleet.self_contained, ["h100/r0/n0", "h100/r1/n2"]))
    assert again.pools[0].unavailable == (0, 2)


def test_nothing_lost_changes_nothing(document):
    assert json.loads(without_nodes(document, [])) == json.loads(document)


def test_movement_before_cost_and_everything_else_as_it_was(document):
    goals = read_fleet(moving_little(document)).goals
    assert goals == ("unserved_demand", "movement", "cost")
    without = json.loads(document) | {"goals": ["unserved_demand", "cost"]}
    assert read_fleet(moving_little(json.dumps(without))).goals == ("unserved_demand", "movement", "cost")


def test_rates_replace_what_the_document_says_about_demand(document):
    fleet = read_fleet(with_rates(document, {"chat": 3.5, "code": 7.0}))
    assert {w.name: w.rate_per_s for w in fleet.workloads} == {"chat": 3.5, "code": 7.0}


def test_a_trace_leaves_its_lengths(tmp_path):
    rows = "".join(f"{n},{100 + n},{10 + n}\n" for n in range(50))
    (tmp_path / "t.csv").write_text("at,in,out\n" + rows)
    document = (EXAMPLES / "one_model.yaml").read_text()
    entry = yaml.safe_load(document)
    entry["workloads"][0] = {
        "model": entry["workloads"][0]["model"], "trace": "t.csv", "slo": entry["workloads"][0]["slo"],
        "columns": {"arrival": "at", "input": "in", "output": "out"},
    }  # fmt: skip
    before = read_fleet(yaml.safe_dump(entry), base_dir=tmp_path)
    name = before.workloads[0].name
    after = read_fleet(with_rates(before.self_contained, {name: 3.5}), allow_files=False)
    assert after.workloads[0].recorded is None
    assert after.workloads[0].rate_per_s == 3.5
    assert (
        after.workloads[0].lengths.input_tokens.tolist() == before.workloads[0].lengths.input_tokens.tolist()
    )
