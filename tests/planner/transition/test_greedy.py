"""The quick order against the obvious one: look at every allowed stop, take the most useful."""

from hypothesis import given
from hypothesis import strategies as st

from planner.transition.greedy import stop_greedily
from planner.transition.order import Search


def obvious(search):
    while found := search.candidates():
        search.stop(found[0])
    return len(search.stopped) == len(search.old)


@given(data=st.data())
def test_the_same_stops_in_the_same_order(make, data):
    def draw(prefix, count, gpus):
        return [
            make(
                f"{prefix}{k}",
                "n0",
                [gpus[k]],
                float(data.draw(st.integers(1, 3))),
                workload=data.draw(st.sampled_from(["chat", "code"])),
                role=data.draw(st.sampled_from(["mixed", "mixed", "prefill", "decode"])),
            )
            for k in range(count)
        ]

    places = data.draw(st.permutations(range(12)))
    old = draw("o", data.draw(st.integers(0, 9)), range(12))
    new = draw("n", data.draw(st.integers(0, 9)), places)
    floors = {w: data.draw(st.floats(0, 8)) for w in ("chat", "code")}
    quick, slow = (Search(old, new, [], [], floors) for _ in range(2))
    assert stop_greedily(quick) == obvious(slow)
    assert quick.stopped == slow.stopped
