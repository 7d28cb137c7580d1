"""A new spec is one new file: dropped into a folder, everything finds it."""

from __future__ import annotations

import json

import pytest

import specs.limits
from models.graph import evaluate
from planner.cli.app import run
from specs import registry
from specs.document import assignment_schema, problem_document, read_problem

TOY = '''
"""No more than so many objects on each item: a toy."""

from dataclasses import dataclass

from specs import measure
from specs.sample import sample
from specs.spec import Limit, LimitSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyLimit(LimitSpec):
    """``n(s) <= most`` for every item s.

    Parameters
    ----------
    scope
        Where.
    most
        How many.
    """

    scope: str
    most: float = 1.0

    def constraints(self, c):
        yield Limit("toy", c.affine([(c.used(self.scope, "count"), 1.0)], -self.most))

    def excess(self, problem, assignment):
        return measure.usage(problem, self.scope, "count", assignment) - self.most

    def describe(self):
        return f"at most {self.most} objects on every {self.scope}"

    @classmethod
    def example(cls):
        return sample(cls(scope="host"), start=[0, 0], end=[0, 0], hosts=1, value=1.0)
'''


@pytest.fixture
def toy(tmp_path, monkeypatch):
    (tmp_path / "toy_limit.py").write_text(TOY)
    monkeypatch.setattr(specs.limits, "__path__", [*specs.limits.__path__, str(tmp_path)])
    registry.kinds.cache_clear()
    yield
    monkeypatch.undo()
    registry.kinds.cache_clear()


def test_it_is_found_by_name_and_from_the_package(toy):
    assert "toy_limit" in registry.kinds()
    assert specs.ToyLimit is registry.spec_class("toy_limit")


def test_it_is_listed_documented_and_in_the_schema(toy, capsys):
    run(["specs"])
    assert "toy_limit" in capsys.readouterr().out
    run(["specs", "toy_limit"])
    assert "| `most` | number | 1.0 | How many. |" in capsys.readouterr().out
    assert json.dumps(assignment_schema()["$defs"]["spec.toy_limit"])


def test_it_reads_checks_and_compiles_from_a_document(toy):
    text = """
kind: AssignmentProblem
objects: {name: task, count: 3}
containers: {name: host, count: 2}
assignment: {task0: host0, task1: host0, task2: host0}
constraints:
  - toy_limit: {scope: host, most: 2}
"""
    document = read_problem(text)
    result = evaluate(document.compile(), document.problem.space.initial)
    assert result.tiers.tolist() == [1.0]
    assert problem_document(document.problem)["constraints"][0]["toy_limit"] == {"scope": "host", "most": 2.0}


def test_a_second_file_of_the_same_name_is_refused(toy, tmp_path, monkeypatch):
    import specs.shape

    monkeypatch.setattr(specs.shape, "__path__", [*specs.shape.__path__, str(tmp_path)])
    registry.kinds.cache_clear()
    with pytest.raises(ImportError, match="two specs are called toy_limit"):
        registry.kinds()
