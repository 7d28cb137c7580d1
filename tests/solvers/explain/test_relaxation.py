"""The cheapest relaxation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.graph import evaluate
from solvers.explain import cheapest_relaxation


def test_one_rack_by_two_gpus(overfull):
    relaxation = cheapest_relaxation(overfull)
    assert relaxation.proven
    # 14 GPUs against 12: raising rack-2 (8) costs less, relative to its size, than rack-3 (4) or the drain
    assert [str(r) for r in relaxation.raises] == ["raise Capacity gpus on rack-2 by 2"]
    assert evaluate(overfull, relaxation.assignment).constraints[0].violation == pytest.approx(2.0)


def test_nothing_to_raise(overfull):
    feasible = replace(overfull, constraints=overfull.constraints[:1])
    assert cheapest_relaxation(feasible).raises == ()
