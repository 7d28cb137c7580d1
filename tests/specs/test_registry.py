"""Contract of every spec: the example holds, and the graph agrees with the plain check."""

from __future__ import annotations

import numpy as np
import pytest

from models.graph import Evaluator, evaluate
from models.graph.cells import as_dense
from specs.compiler import Compiler, compile_problem
from specs.registry import class_name, kinds, spec_class, spec_classes
from specs.spec import LimitSpec, Spec


@pytest.fixture(params=sorted(kinds()))
def spec_type(request: pytest.FixtureRequest) -> type[Spec]:
    return spec_class(request.param)


def test_a_spec_is_named_like_its_file(spec_type: type[Spec]) -> None:
    assert class_name(spec_type.kind()) == spec_type.__name__


def test_example_has_the_value_expected_by_hand(spec_type: type[Spec]) -> None:
    example = spec_type.example()
    assignment = example.problem.indices(example.assignment)

    assert isinstance(example.spec, spec_type)
    assert example.spec.check(example.problem, assignment) == pytest.approx(example.value)


def test_graph_agrees_with_the_check_on_the_example(spec_type: type[Spec]) -> None:
    example = spec_type.example()
    assignment = example.problem.indices(example.assignment)
    c = Compiler(example.problem)
    goal = example.spec.goal(c)
    limits = list(example.spec.constraints(c)) if isinstance(example.spec, LimitSpec) else []
    evaluator = Evaluator(c.build(), assignment)

    assert evaluator.scalar(goal) == pytest.approx(example.value)
    if isinstance(example.spec, LimitSpec):
        elements = np.concatenate([as_dense(evaluator.value(x.node)) for x in limits])
        assert elements == pytest.approx(example.spec.excess(example.problem, assignment))


def test_example_compiles_and_evaluates_with_provenance(spec_type: type[Spec]) -> None:
    example = spec_type.example()
    graph = compile_problem(example.problem)
    result = evaluate(graph, example.problem.indices(example.assignment))

    assert len(result.tiers) == len(graph.tiers)
    assert any(spec_type.kind() in graph.specs_of(node) for node in graph.nodes)


def test_description_is_one_sentence(spec_type: type[Spec]) -> None:
    text = spec_type.example().spec.describe()

    assert text
    assert "\n" not in text
    assert not text.endswith(".")


def test_every_spec_can_be_imported_from_the_package() -> None:
    import specs

    for cls in spec_classes().values():
        assert getattr(specs, cls.__name__) is cls
