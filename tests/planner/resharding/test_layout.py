import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from planner.resharding import Layout, layouts


def test_names_are_those_of_the_paper():
    assert [str(Layout(*d)) for d in ((2, 4, 1), (1, 1, 8), (2, 2, 2), (1, 1, 1))] == [
        "D2T4",
        "P8",
        "D2T2P2",
        "T1",
    ]


def test_every_layout_uses_all_gpus_and_divides_the_heads():
    found = list(layouts(architecture("llama-2-70b"), 8))
    assert {layout.gpus for layout in found} == {8}
    assert {layout.tensor_parallel_size for layout in found} == {1, 2, 4, 8}
    assert len(found) == len(set(found)) == 10


def test_three_does_not_divide_the_heads():
    assert all(layout.tensor_parallel_size == 1 for layout in layouts(architecture("llama-2-70b"), 3))


def test_degrees_below_one_are_refused():
    with pytest.raises(InvalidInput, match="at least 1"):
        Layout(1, 0, 2)
