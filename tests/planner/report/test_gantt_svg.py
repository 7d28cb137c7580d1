import re
from xml.etree import ElementTree

from planner.plan import Stage
from planner.plan.transition import Step, Transition
from planner.report.gantt_svg import CHART, LABEL, gantt_svg


def step(index, kind, instance, start, end, side="new"):
    return Step(
        index=index, kind=kind, instance=instance, workload="chat", stages=(Stage("a/r0/n0", (0,)),),
        start_s=start, end_s=end, after=(), side=side,
    )  # fmt: skip


def picture(*steps):
    transition = Transition(
        steps=steps,
        duration_s=max((s.end_s for s in steps), default=0.0),
        lowest_per_s={},
        floors_per_s={},
        rollback=(),
    )
    return gantt_svg(transition, title="of <fleet>")


def test_bars_are_where_their_times_are():
    text = picture(
        step(0, "load", "new<1>", 0, 50), step(1, "switch", "new<1>", 50, 60),
        step(2, "drain", "old", 60, 100, "current"), step(3, "retire", "old", 100, 100, "current"),
    )  # fmt: skip
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    bars = [r for r in root.iter(f"{space}rect") if r.find(f"{space}title") is not None]
    assert [float(b.get("x")) for b in bars] == [
        LABEL, LABEL + CHART * 0.5, LABEL + CHART * 0.6, LABEL + CHART
    ]  # fmt: skip
    assert [float(b.get("width")) for b in bars] == [CHART * 0.5, CHART * 0.1, CHART * 0.4, 2.0]
    assert len({b.get("y") for b in bars}) == 2
    texts = [t.text for t in root.iter(f"{space}text")]
    assert "of <fleet>" in texts
    assert "+ new<1>" in texts
    assert "1:40" in texts


def test_nothing_to_do_is_an_empty_picture():
    assert ElementTree.fromstring(picture()) is not None
    assert not re.search("<title>", picture())
