"""`specs.document.read`: the document of the reference, every mistake with its line and path."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.document import InvalidDocument
from models.errors import InvalidInput
from specs.document import load_problem, read_problem
from specs.policy import Policy

ROOT = Path(__file__).parents[3]
BASE = """\
kind: AssignmentProblem
objects: {name: task, ids: [t0, t1, t2]}
containers: {name: host, ids: [h0, h1]}
scopes: {rack: {h0: r0, h1: r1}}
partitions: {job: {j0: [t0, t1]}}
dimensions:
  memory: {objects: {t0: 10, default: 5}, containers: 64}
constraints:
  - capacity: {scope: host, dimension: memory}
"""


def mistakes(text: str) -> list[tuple[int | None, str, str]]:
    """(line, path, message) of everything wrong with `text`."""
    with pytest.raises(InvalidDocument) as caught:
        read_problem(text).compile()
    return [(v.line, v.dotted_path, v.message) for v in caught.value.violations]


def test_the_document_of_the_reference_is_read_and_compiles():
    text = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "specs.md").read_text(), re.DOTALL)[1]
    document = read_problem(text)
    graph = document.compile()

    assert [c.policy.kind for c in document.problem.limits] == ["repair", "hard", "soft"]
    assert [len(tier.terms) for tier in graph.tiers] == [2, 1]
    assert document.problem.weights("hourly").n_components == 2


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "problems").glob("*.yaml")), ids=lambda p: p.stem
)
def test_examples_compile(path):
    assert load_problem(path).compile().tiers


def test_everything_wrong_is_said_at_once():
    text = BASE.replace("memory}", "memory, bond: max}").replace("default: 5", "default: .nan") + "goal: []\n"
    assert [(line, path) for line, path, _ in mistakes(text)] == [
        (7, "dimensions.memory.objects.default"),
        (9, "constraints[0].capacity.bond"),
        (10, "goal"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message"),
    [
        ("capacity:", "capacty:", 9, "constraints[0].capacty", "did you mean 'capacity'"),
        ("scope: host", "scope: hots", 9, "constraints[0].capacity.scope", "did you mean 'host'"),
        ("memory}\n", "memroy}\n", 9, "constraints[0].capacity.dimension", "did you mean 'memory'"),
        ("{scope: host, ", "{", 9, "constraints[0].capacity", "missing key 'scope'"),
        ("h1: r1}", "h2: r1}", 4, "scopes.rack.h2", "unknown host 'h2'"),
        ("h1: r1}", "h1: [r1, 3]}", 4, "scopes.rack.h1[1]", "expected text, got 3"),
        ("[t0, t1]}", "[t0, t9]}", 5, "partitions.job.j0[1]", "unknown task 't9'"),
        ("[t0, t1]}", "[]}", 5, "partitions.job.j0", "has no objects"),
        (", default: 5", "", 7, "dimensions.memory", "no value for task 't1' and 1 more"),
        ("containers: 64", "containers: -1", 7, "dimensions.memory.containers", "a capacity is at least 0"),
        ("containers: 64", "containers: {h0: 1, h1: .inf}", 7, "dimensions.memory.containers.h1", "finite"),
        ("containers: 64", "containers: 64GiB", 7, "dimensions.memory.containers", "expected a number"),
        ("ids: [h0, h1]", "ids: []", 3, "containers", "the set is empty"),
        ("ids: [h0, h1]", "ids: [h0, h0]", 3, "containers.ids[0]", "given twice"),
        ("ids: [h0, h1]", "ids: [h0, 1]", 3, "containers.ids[1]", "expected text, got 1"),
        ("name: host", "name: task", 3, "containers.name", "both called 'task'"),
        ("AssignmentProblem", "Assignment", 1, "kind", "did you mean 'AssignmentProblem'"),
        ("  - capacity:", "  - policy: hrad\n    capacity:", 9, "constraints[0].policy",
         "did you mean 'hard'"),
        ("  - capacity:", "  - policy: soft\n    capacity:", 9, "constraints[0].policy", "needs its price"),
        ("  - capacity:", "  - to_free: {}\n    capacity:", 9, "constraints[0]", "exactly one spec"),
        ("capacity: {scope: host, dimension: memory}", "minimize_movement: {}", 9,
         "constraints[0].minimize_movement", "states a goal, not a limit"),
        ("{h0: r0, h1: r1}}", "{over: zone, items: {}}, zone: {over: rack, items: {}}}", 4, "scopes",
         "in a circle"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_line_path_and_remedy(old, new, line, path, message):
    assert old in BASE
    found = mistakes(BASE.replace(old, new, 1))
    assert [f[0] for f in found] == [line]
    assert message in found[0][2]
    assert found[0][1] == path


def test_policies_of_a_document():
    text = BASE + (
        "  - avoid_moving: {objects: [t0]}\n    policy: {soft: 3}\n"
        "  - avoid_moving: {}\n    policy: {soft: {weight: 2, tier: 0}}\n    name: calm\n"
        "  - avoid_moving:\n    policy: hard\n"
    )
    limits = read_problem(text).problem.limits
    assert [c.policy for c in limits] == [
        Policy(), Policy(kind="soft", weight=3.0), Policy(kind="soft", weight=2.0), Policy(kind="hard"),
    ]  # fmt: skip
    assert [c.name for c in limits] == ["capacity", "avoid_moving", "calm", "avoid_moving#2"]


def test_files_are_refused_when_the_document_is_no_file():
    text = BASE.replace("containers: 64", "containers: {file: a.npz, column: x}")
    assert "only a document read from a file" in mistakes(text)[0][2]


@pytest.mark.parametrize(("entities", "key"), [("count: 4", "count"), ("counts: {a: 2, b: 2}", "counts")])
def test_a_count_may_be_limited_by_who_reads(entities, key):
    text = f"kind: AssignmentProblem\nobjects: {{name: t, {entities}}}\ncontainers: {{name: h, ids: [a]}}\n"
    assert len(read_problem(text, most_entities=4).problem.objects.labels) >= 2
    with pytest.raises(InvalidDocument, match="4 are more than the 3 allowed here") as error:
        read_problem(text, most_entities=3)
    assert [mistake.dotted_path for mistake in error.value.violations] == [f"objects.{key}"]


def test_no_text_and_no_mapping():
    for text in ("", "[]", "3"):
        with pytest.raises(InvalidInput):
            read_problem(text)


def test_a_missing_file(tmp_path):
    with pytest.raises(InvalidInput, match="cannot read"):
        load_problem(tmp_path / "none.yaml")
