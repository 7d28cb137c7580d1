import pytest

from models.errors import InvalidInput
from planner.transition import Blocked, find_order


def names(order):
    return [("+" if a.start else "-") + a.instance.name for a in order]


def test_a_free_place_is_started_before_the_old_one_stops(make):
    old, new = [make("old", "n0", [0])], [make("new", "n0", [1])]
    assert names(find_order(old, new, [], {"chat": 1.0}, {})) == ["+new", "-old"]


def test_stops_that_make_room_come_before_retirements(make):
    # stopping either keeps the floor, but only one of them frees GPUs that are wanted
    old = [make("a-idle", "n0", [0], 5.0), make("b-wanted", "n0", [1], 1.0)]
    new = [make("new", "n0", [1], 10.0)]
    assert names(find_order(old, new, [], {"chat": 5.0}, {})) == ["-b-wanted", "+new", "-a-idle"]


def test_the_search_steps_back_from_a_dead_end(make):
    # stopping x first looks best (it frees the most capacity per stop) but leaves y stuck for ever
    old = [make("x", "n0", [0], 2.0), make("y", "n0", [1], 1.0), make("z", "n0", [2], 1.0)]
    new = [make("u", "n0", [0], 9.0, workload="code"), make("v", "n0", [1], 2.0), make("w", "n0", [2], 2.0)]
    order = find_order(old, new, [], {"chat": 3.0}, {})
    assert names(order)[0] in {"-y", "-z"}


def test_a_circle_is_broken_through_spare_gpus(make):
    # both serve at the floor and want each other's place
    old = [make("x", "n0", [0], workload="chat"), make("y", "n0", [1], workload="code")]
    new = [make("x", "n0", [1], workload="chat"), make("y", "n0", [0], workload="code")]
    floors = {"chat": 1.0, "code": 1.0}
    stuck = find_order(old, new, [], floors, {})
    assert isinstance(stuck, Blocked)
    assert stuck.proven
    assert "no spare group of 1 GPUs in pool a" in stuck.reason
    order = find_order(old, new, [], floors, {"a": [("n0", 7)]})
    assert names(order) == ["+x-temporary", "-x", "+y", "-y", "+x", "-x-temporary"]


def test_the_copy_of_an_instance_with_replicas_has_them_all(make):
    degrees = {"tensor_parallel_size": 1, "data_parallel_size": 2}
    old = [make("x", "n0", [0, 1], **degrees), make("y", "n0", [2, 3], workload="code", **degrees)]
    new = [make("x", "n0", [2, 3], **degrees), make("y", "n0", [0, 1], workload="code", **degrees)]
    floors = {"chat": 1.0, "code": 1.0}
    one = find_order(old, new, [], floors, {"a": [("n0", 7)]})
    assert isinstance(one, Blocked)
    assert "no spare group of 2 GPUs" in one.reason
    order = find_order(old, new, [], floors, {"a": [("n0", 6), ("n0", 7)]})
    assert order[0].instance.stages[0].gpus == (6, 7)


def test_spare_gpus_of_another_pool_do_not_help(make):
    old, new = [make("x", "n0", [0])], [make("y", "n0", [0])]
    assert isinstance(find_order(old, new, [], {"chat": 1.0}, {"b": [("m0", 0)]}), Blocked)


def test_without_a_floor_in_place_is_fine(make):
    old, new = [make("x", "n0", [0])], [make("y", "n0", [0])]
    assert names(find_order(old, new, [], {}, {})) == ["-x", "+y"]


def test_a_gpu_given_twice_is_refused(make):
    with pytest.raises(InvalidInput, match="the new plan gives GPU 0 of n0 to a and b"):
        find_order([], [make("a", "n0", [0]), make("b", "n0", [0])], [], {}, {})
