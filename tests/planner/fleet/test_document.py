"""`planner.fleet`: a document becomes a fleet, or one error that lists every mistake with its line."""

# ruff: noqa: E501 - messages are quoted whole

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.document import InvalidDocument
from models.errors import FulcrumError, InvalidInput
from planner.fleet import fleet_schema, read_fleet, read_fleet_file

EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet.yaml"

VALID = """\
fleet: test
pools:
  - name: a
    gpu: h100-sxm-80gb
    nodes: 4
    gpus_per_node: 8
    racks: 2
    price_per_gpu_hour: 2.5
models:
  - {name: chat, architecture: llama-3.1-8b}
workloads:
  - model: chat
    rate: 480/min
    lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}
    slo: {ttft_p95: 1s, tpot_p99: 40ms}
"""


def messages(text: str, **options: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_fleet(text, source="f.yaml", **options)  # type: ignore[arg-type]
    found = caught.value.violations if isinstance(caught.value, InvalidDocument) else (caught.value,)
    assert all(violation.line is not None for violation in found)
    return [str(violation) for violation in found]


def test_values_and_defaults() -> None:
    fleet = read_fleet(VALID)
    (pool,) = fleet.pools
    assert (pool.gpus, pool.zone, [pool.rack_of(n) for n in range(4)]) == (32, "default", [0, 0, 1, 1])
    assert pool.node_name(3) == "a/r1/n3"
    (workload,) = fleet.workloads
    assert workload.name == "chat"
    assert workload.rate_per_s == pytest.approx(8)
    assert (workload.ttft.percentile, workload.ttft.limit_ms) == (95, 1000)
    assert (workload.tpot.percentile, workload.tpot.limit_ms) == (99, 40)
    assert fleet.models[0].weights == "bf16"  # the checkpoint's own
    assert fleet.policies.loss_of is None
    assert fleet.policies.shortage == "refuse"
    assert fleet.goals == ("unserved_demand", "cost", "movement")


def test_the_example_reads_and_is_self_contained() -> None:
    fleet = read_fleet_file(EXAMPLE)
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert (again.digest, again.self_contained) == (fleet.digest, fleet.self_contained)
    assert [w.rate_per_s for w in again.workloads] == [w.rate_per_s for w in fleet.workloads]
    assert again.workloads[0].lengths.mean_input_tokens == fleet.workloads[0].lengths.mean_input_tokens


def test_trace_becomes_rate_and_lengths(tmp_path: Path) -> None:
    rows = "\n".join(f"2023-11-16 18:00:{i:02d}.5000000,{100 + i},{10 + i}" for i in range(31))
    (tmp_path / "t.csv").write_text(f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}\n")
    text = VALID.replace("    rate: 480/min\n", "    scale: 3.0\n")
    text = "\n".join("    trace: t.csv" if "lengths" in line else line for line in text.split("\n"))
    fleet = read_fleet(text, base_dir=tmp_path)
    assert fleet.workloads[0].rate_per_s == pytest.approx(3.0)
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert again.workloads[0].rate_per_s == fleet.workloads[0].rate_per_s
    assert json.loads(fleet.self_contained)["workloads"][0]["trace"]["source"] == "t.csv"


def test_config_path_becomes_content(tmp_path: Path) -> None:
    from importlib.resources import files

    record = json.loads(files("models.architecture").joinpath("data/qwen3-8b.json").read_text())
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps(record["config"]))
    fleet = read_fleet(VALID.replace("llama-3.1-8b", "./m/config.json"), base_dir=tmp_path)
    assert fleet.models[0].repository == "m"
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert again.models[0].repository == "m"
    assert again.models[0].architecture.parameters == fleet.models[0].architecture.parameters > 8e9


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    nodes: 4", "    noodes: 4", "f.yaml:5: pools[0]: unknown key 'noodes'; did you mean 'nodes'?"),
        ("nodes: 4", "nodes: -4", "f.yaml:5: pools[0].nodes: must be at least 1, got -4"),
        ("nodes: 4", "nodes: 0", "f.yaml:5: pools[0].nodes: must be at least 1, got 0"),
        ("nodes: 4", "nodes: .nan", "f.yaml:5: pools[0].nodes: must be a finite number"),
        ("price_per_gpu_hour: 2.5", "price_per_gpu_hour: .inf",
         "f.yaml:8: pools[0].price_per_gpu_hour: must be a finite number"),
        ("h100-sxm-80gb", "h100-smx-80gb",
         "f.yaml:4: pools[0].gpu: unknown GPU 'h100-smx-80gb'; did you mean 'h100-sxm-80gb'?"),
        ("llama-3.1-8b", "lama-3.1-8b",
         "f.yaml:10: models[0].architecture: unknown architecture 'lama-3.1-8b'; did you mean 'llama-3.1-8b'?"),
        ("model: chat", "model: caht", "f.yaml:12: workloads[0].model: unknown model 'caht'; did you mean 'chat'?"),
        ("racks: 2", "racks: 9", "f.yaml:7: pools[0].racks: 9 racks for 4 nodes: at most one a node"),
        ("480/min", "8", "f.yaml:13: workloads[0].rate: expected a rate with its unit, such as 8/s or 480/min, got 8"),
        ("ttft_p95: 1s", "ttft_p95: 0.4", "f.yaml:15: workloads[0].slo.ttft_p95: 0.4 needs one of the units us, ms, s, "
         "min, h: 0.4s (400ms) or 0.4ms?"),
        ("ttft_p95: 1s", "tftt_p95: 1s", "f.yaml:15: workloads[0].slo: unknown key 'tftt_p95'; did you mean 'ttft_p95'?"),
        ("ttft_p95: 1s, ", "", "f.yaml:15: workloads[0].slo: give exactly one ttft target, such as ttft_p95; found none"),
        ("ttft_p95: 1s", "ttft_p95: 1s, ttft_p50: 1s",
         "f.yaml:15: workloads[0].slo: give exactly one ttft target, such as ttft_p95; found ttft_p50, ttft_p95"),
        ("    rate: 480/min\n", "", "f.yaml:12: workloads[0]: lengths need a rate beside them, such as rate: 8/s"),
        ("[100, 300]", "[300, 100]", "f.yaml:14: workloads[0].lengths.input_tokens: input_tokens must be at least 1 "
         "token and may not fall from one level to the next"),
        ("[100, 300]", "[100, .nan]", "f.yaml:14: workloads[0].lengths.input_tokens[1]: must be a finite number"),
        ("llama-3.1-8b}", "llama-3.1-8b, weights: fp9}",
         "f.yaml:10: models[0].weights: unknown weight precision 'fp9'; did you mean 'fp8'?"),
        ("llama-3.1-8b}", "llama-3.1-8b, engine: vlm}",
         "f.yaml:10: models[0].engine: unknown value 'vlm'; did you mean 'vllm'?"),
        ("llama-3.1-8b", "./none/config.json", "f.yaml:10: models[0].architecture: file './none/config.json' does not "
         "exist (looked for 'none/config.json')"),
        ("fleet: test\n", "fleet: test\nfleet: again\n", "f.yaml:2: fleet: duplicate key; first given on line 1"),
        ("fleet: test", "fleet: test\ngoals: [cost]",
         "f.yaml:2: goals: goals name each goal once, unserved_demand first: else the best plan is none"),
        ("fleet: test", "policies: {headroom: 10}\nfleet: test",
         "f.yaml:1: policies.headroom: a share lies between 0 and 1 (0% and 100%), got 10; "
         "10 per cent is '10%'"),
        ("fleet: test", "policies: {survive: {loss_of: nod}}\nfleet: test",
         "f.yaml:1: policies.survive.loss_of: unknown value 'nod'; did you mean 'node'?"),
        ("fleet: test", "fleet: 'a b'", "f.yaml:1: fleet: 'a b' does not match ^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"),
    ],
)  # fmt: skip
def test_mistakes(old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert old in VALID
    assert message in messages(VALID.replace(old, new))


@pytest.mark.parametrize(
    ("tokens", "limit", "refused"), [(350, 349, True), (350, 350, False), (200_000, None, True)]
)
def test_requests_longer_than_the_model_takes(tokens: int, limit: int | None, refused: bool) -> None:
    text = VALID.replace("[100, 300]", f"[100, {tokens - 50}]")
    text = text.replace("llama-3.1-8b}", f"llama-3.1-8b, max_model_len: {limit}}}") if limit else text
    if refused:
        assert messages(text)[0].startswith(
            f"f.yaml:12: workloads[0]: the longest request has {tokens:,} tokens"
        )
    else:
        assert read_fleet(text).models[0].max_model_len == limit


def test_all_mistakes_at_once() -> None:
    text = (
        VALID.replace("h100-sxm-80gb", "x1").replace("llama-3.1-8b", "x2").replace("model: chat", "model: x3")
    )
    assert [m.split(":")[1] for m in messages(text)] == ["4", "10", "12"]


@pytest.mark.parametrize("part", ["pools", "models", "workloads"])
def test_second_of_a_name(part: str) -> None:
    lines = VALID.split("\n")
    start = lines.index(f"{part}:") + 1
    end = next((i for i in range(start, len(lines)) if not lines[i].startswith(" ")), len(lines))
    doubled = "\n".join(lines[:end] + lines[start:end] + lines[end:])
    assert any("a second" in message for message in messages(doubled))


def test_files_are_refused_where_they_are_not_the_senders() -> None:
    text = VALID.replace("llama-3.1-8b", "/etc/hostname.json")
    assert "not read here" in messages(text, allow_files=False)[0]
    for key in ("trace: t.csv", "lengths: t.yaml"):
        text = "\n".join(f"    {key}" if "lengths" in line else line for line in VALID.split("\n"))
        assert "not read here" in messages(text, allow_files=False)[0]


@pytest.mark.parametrize("text", ["[]", "3", "fleet", "null", "fleet: ~", "{}"])
def test_not_a_fleet(text: str) -> None:
    with pytest.raises(FulcrumError):
        read_fleet(text)


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        read_fleet_file(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_fleet_file(tmp_path / "binary.yaml")


def test_schema_names_every_key_and_describes_it() -> None:
    schema = fleet_schema()
    assert schema["additionalProperties"] is False
    for definition in [schema, *schema["$defs"].values()]:
        for name, field in definition["properties"].items():
            assert field.get("description") or "$ref" in field, name
