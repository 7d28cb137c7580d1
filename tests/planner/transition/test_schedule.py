import dataclasses
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.transition import (
    KvTransfer,
    capacity_by_workload,
    find_order,
    floors_between,
    plan_transition,
    replay,
)
from planner.transition.order import gpus_of

NODES = {"a": {"n0": 4, "n1": 4}}


def test_a_move_by_hand(make, times):
    old, new = [make("x", "n0", [0])], [make("x", "n1", [0])]
    plan = plan_transition(old, new, nodes=NODES, times=times)
    # 2 s of reading and 10 s of getting ready, 1 s to switch, then 20.1 s for the longest answer
    assert [(s.kind, s.start_s, s.end_s) for s in plan.steps] == [
        ("load", 0.0, 12.0),
        ("switch", 12.0, 13.0),
        ("drain", 13.0, pytest.approx(33.1)),
        ("retire", pytest.approx(33.1), pytest.approx(33.1)),
    ]
    assert plan.steps[0].surge
    assert plan.lowest_per_s == {"chat": 1.0}
    assert [p.reload_s for p in plan.rollback] == [0.0, 0.0, 12.0]
    assert replay(plan, old, new) == ()


def test_nothing_to_do(make, times):
    same = [make("x", "n0", [0])]
    plan = plan_transition(same, same, nodes=NODES, times=times)
    assert plan.steps == ()
    assert plan.blocked is None


def test_another_precision_on_the_same_gpus_is_a_restart(make, times):
    old, new = [make("x", "n0", [0])], [make("x", "n0", [0], weights="fp8")]
    plan = plan_transition(old, new, nodes=NODES, times=times, floors={})
    assert [s.kind for s in plan.steps] == ["drain", "retire", "load", "switch"]
    assert plan.lowest_per_s == {"chat": 0.0}
    assert replay(plan, old, new) == ()


def test_loads_of_one_node_wait_for_each_other(make, times):
    new = [make("x", "n0", [0]), make("y", "n0", [1]), make("z", "n1", [0])]
    plan = plan_transition([], new, nodes=NODES, times=times)
    loads = {s.instance: s.end_s for s in plan.steps if s.kind == "load"}
    assert loads == {"x": 12.0, "y": 14.0, "z": 12.0}


def test_the_cap_holds(make, times):
    new = [make(f"i{k}", f"n{k % 2}", [k // 2]) for k in range(6)]
    plan = plan_transition([], new, nodes=NODES, times=times, max_in_flight=2)
    spans = [
        (s.start_s, next(t.end_s for t in plan.steps if t.kind == "switch" and t.instance == s.instance))
        for s in plan.steps
        if s.kind == "load"
    ]
    for moment, _ in spans:
        assert sum(a <= moment < b for a, b in spans) <= 2


def test_running_requests_migrate_when_that_is_faster_and_somebody_takes_them(make, times):
    quick = dataclasses.replace(
        times, migrate=KvTransfer(bandwidth_bytes_per_s=8e9, cache_bytes=lambda _: 8e9)
    )
    moved = plan_transition([make("x", "n0", [0])], [make("x", "n1", [0])], nodes=NODES, times=quick)
    assert [s.kind for s in moved.steps][2] == "migrate"
    alone = plan_transition([make("x", "n0", [0])], [], nodes=NODES, times=quick, floors={})
    assert [s.kind for s in alone.steps] == ["drain", "retire"]


def test_a_floor_that_an_end_breaks_is_said(make, times):
    plan = plan_transition(
        [make("x", "n0", [0])], [make("y", "n0", [1])], nodes=NODES, times=times, floors={"chat": 2.0}
    )
    assert plan.blocked.proven
    assert "the current plan itself serves 1 requests/s of chat, below the floor of 2" in plan.blocked.reason


def test_a_gpu_outside_the_fleet_is_refused(make, times):
    with pytest.raises(InvalidInput, match="GPU 9 of node 'n0'"):
        plan_transition([], [make("x", "n0", [9])], nodes=NODES, times=times)


@st.composite
def plans(draw, make):
    """Instances of two workloads on the eight GPUs, some of them with a role."""
    found = []
    for node in ("n0", "n1"):
        at = 0
        while at < 4:
            size = draw(st.sampled_from([1, 1, 2, 4]))
            if size <= 4 - at and draw(st.integers(0, 3)):
                found.append(
                    make(
                        f"i{draw(st.integers(0, 5))}-{node}{at}" if draw(st.booleans()) else f"k{node}{at}",
                        node,
                        range(at, at + size),
                        float(draw(st.integers(1, 4))),
                        workload=draw(st.sampled_from(["chat", "code"])),
                        role=draw(st.sampled_from(["mixed", "mixed", "prefill", "decode"])),
                    )
                )
                at += size
            else:
                at += 1
    return found


@given(data=st.data())
def test_no_gpu_is_shared_and_no_floor_broken_or_the_reason_is_said(make, times, data):
    current, new = data.draw(plans(make)), data.draw(plans(make))
    share = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    plan = plan_transition(
        current, new, nodes=NODES, times=times, floor_share=share, max_in_flight=data.draw(st.integers(1, 4))
    )
    assert replay(plan, current, new) == ()
    for workload, floor in plan.floors_per_s.items():
        if plan.blocked is None:
            assert plan.lowest_per_s[workload] >= floor - 1e-6
    if plan.blocked is not None:
        assert share > 0
        assert "cannot stop" in plan.blocked.reason


@given(data=st.data())
def test_a_stop_waits_for_every_start_before_it_by_dependencies_alone(make, times, data):
    plan = plan_transition(data.draw(plans(make)), data.draw(plans(make)), nodes=NODES, times=times)
    before = {}
    for step in plan.steps:
        before[step.index] = set(step.after).union(*(before[i] for i in step.after))
        if step.kind in ("drain", "migrate"):
            switched = {
                s.index
                for s in plan.steps[: step.index]
                if s.kind == "switch" and s.workload == step.workload
            }
            assert switched <= before[step.index]


def test_steps_and_dependencies_grow_with_the_moves(make, times):
    """Everything moves one node on; the dependencies of n moves once were n²."""
    sizes = {}
    for count in (64, 512):
        nodes = {"a": {f"n{i}": 8 for i in range(count // 8 + 2)}}
        old = [make(f"i{k}", f"n{k // 8}", [k % 8]) for k in range(count)]
        new = [make(f"i{k}", f"n{k // 8 + 1}", [k % 8]) for k in range(count)]
        plan = plan_transition(old, new, nodes=nodes, times=times)
        assert replay(plan, old, new) == ()
        sizes[count] = sum(len(s.after) + 1 for s in plan.steps)
    assert sizes[512] < 10 * sizes[64]


def some_permutation_is_safe(old, new, floors):
    """By trying all: a stop is safe when, just after it and before anything starts, no floor is broken."""
    for stops in permutations(old):
        safe = True
        for k, gone in enumerate(stops):
            left = [i for i in old if i not in stops[: k + 1]]
            taken = {g for i in (*left, gone) for g in gpus_of(i)}
            have = capacity_by_workload([*left, *(n for n in new if not gpus_of(n) & taken)])
            safe = safe and have.get(gone.workload, 0.0) >= floors.get(gone.workload, 0.0) - 1e-9
        if safe:
            return True
    return False


@given(data=st.data())
def test_proven_means_that_no_permutation_works(make, data):
    current = data.draw(plans(make))[:5]
    new = [dataclasses.replace(n, name=f"new-{n.name}") for n in data.draw(plans(make))]
    floors = floors_between(current, new)
    found = find_order(current, new, [], floors, {})
    assert isinstance(found, tuple) == some_permutation_is_safe(current, new, floors)
    assert isinstance(found, tuple) or found.proven
