import dataclasses

from planner.transition import plan_transition, replay

NODES = {"a": {"n0": 4, "n1": 4}}


def test_a_wrong_transition_is_found_out(make, times):
    old, new = [make("x", "n0", [0])], [make("y", "n0", [0])]
    good = plan_transition(old, new, nodes=NODES, times=times, floors={})
    assert replay(good, old, new) == ()

    def changed(index, **fields):
        steps = list(good.steps)
        steps[index] = dataclasses.replace(steps[index], **fields)
        return dataclasses.replace(good, steps=tuple(steps))

    load = next(s.index for s in good.steps if s.kind == "load")
    assert "x and y both hold GPU 0 of n0 at 1 s" in replay(changed(load, start_s=1.0), old, new)
    assert any("starts before step" in w for w in replay(changed(load, start_s=1.0), old, new))
    assert "what runs in the end is not the new plan" in replay(good, old, [make("z", "n0", [0])])
    lower = dataclasses.replace(good, floors_per_s={"chat": 1.0})
    assert "chat drops to 0, below 1" in replay(lower, old, new)
    ghost = changed(1, instance="ghost")
    assert any("retires ghost, which does not run" in w for w in replay(ghost, old, new))
