from __future__ import annotations

import pytest

from models.architecture import architecture
from planner.plan import Stage
from planner.testing import make_instance
from planner.transition.sizes import loaded_bytes, parallelism


@pytest.mark.parametrize(("tensor", "pipeline"), [(1, 1), (2, 1), (2, 2)])
def test_all_gpus_together_load_the_model_once(tensor, pipeline):
    stages = tuple(Stage("a/r0/n0", tuple(range(s * tensor, (s + 1) * tensor))) for s in range(pipeline))
    instance = make_instance("m", stages)
    shape = parallelism(instance)
    assert (shape.tensor_parallel_size, shape.pipeline_parallel_size) == (tensor, pipeline)
    assert loaded_bytes(architecture("llama-3.1-8b"), instance) == pytest.approx(2 * 8.03e9, rel=0.08)
