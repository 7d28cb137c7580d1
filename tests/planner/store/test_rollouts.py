"""Rollouts, engines and load in a database of each kind."""

from __future__ import annotations

import threading
from dataclasses import asdict

import pytest

from planner.latency import LatencyHistogram
from planner.store.engine_statistics import engine_statistics
from planner.store.engines import EngineStore
from planner.store.fleets import FleetStore
from planner.store.loads import LoadStore
from planner.store.plans import PlanStore
from planner.store.records import NewRollout, PlanState, RolloutState, SampleRecord
from planner.store.refusals import (
    AcknowledgementRefused,
    NoSuchEngine,
    RegistrationRefused,
    RolloutMoved,
)
from planner.store.rollouts import RolloutStore, add_rollout
from planner.store.schema import load_samples

BODY = """{"generation":%d,"seats":[],"targets":{},"assumptions":[],"steps":[
 {"index":0,"kind":"load","instance":"a@1","workload":"w","stages":[{"node":"n0","gpus":[0]},
  {"node":"n1","gpus":[0]}],"start_s":0.0,"end_s":1.0,"after":[],"side":"new","surge":false},
 {"index":1,"kind":"check","instance":"","workload":"w","stages":[],"start_s":1.0,"end_s":1.0,"after":[0],
  "side":"new","surge":false},
 {"index":2,"kind":"switch","instance":"a@1","workload":"w","stages":[{"node":"n0","gpus":[0]}],
  "start_s":1.0,"end_s":2.0,"after":[1],"side":"new","surge":false}]}"""


@pytest.fixture
def fleets(store: PlanStore, clock) -> FleetStore:
    made = FleetStore(store.database, clock)
    made.register("a", "demo", "fleet: demo")
    return made


@pytest.fixture
def rollouts(store: PlanStore, clock) -> RolloutStore:
    return RolloutStore(store.database, clock)


@pytest.fixture
def promote(store: PlanStore, fleets: FleetStore, add):
    """Promote a new plan with the rollout above."""

    def one(generation: int, previous: int | None, steps: int = 3) -> str:
        plan_id = add()
        claimed = store.claim("w", lease_s=10.0)
        store.finish(claimed.id, "w", PlanState.OPTIMAL, result_json="{}")
        body = BODY % generation if steps else (BODY % generation).partition('"steps"')[0] + '"steps":[]}'
        new = NewRollout(generation=generation, body_json=body, previous_sequence=previous, step_count=steps)
        fleets.promote("a", "demo", plan_id, caller="c", rollout=new)
        return plan_id

    return one


def say(rollouts, step, node, outcome="done", generation=1, gpus=(), reason=""):
    return rollouts.acknowledge(
        "a", "demo", generation=generation, step=step, node=node, gpus=gpus, outcome=outcome, engine="e",
        reason=reason,
    )  # fmt: skip


def refused(call) -> str:
    with pytest.raises(AcknowledgementRefused) as caught:
        call()
    return caught.value.reason


def test_from_the_first_step_to_the_last(rollouts, promote) -> None:
    assert rollouts.get("a", "demo") is None
    assert refused(lambda: say(rollouts, 0, "n0")) == "STALE_GENERATION"
    promote(1, None)
    assert rollouts.rolling() == [("a", "demo")]
    assert refused(lambda: say(rollouts, 2, "n0")) == "OUT_OF_ORDER"
    assert refused(lambda: say(rollouts, 0, "n2")) == "NOT_CONCERNED"
    assert refused(lambda: say(rollouts, 9, "n0")) == "NOT_CONCERNED"
    assert refused(lambda: say(rollouts, 0, "n0", gpus=(1, 2))) == "NOT_CONCERNED"
    assert say(rollouts, 0, "n0", gpus=(0, 1)) is RolloutState.ROLLING
    before = rollouts.versions([("a", "demo"), ("b", "demo")])
    assert say(rollouts, 0, "n0") is RolloutState.ROLLING
    assert rollouts.versions([("a", "demo")]) == before  # the same again is no news
    assert refused(lambda: say(rollouts, 0, "n0", "failed")) == "STEP_ENDED"
    say(rollouts, 0, "n1", "started")
    say(rollouts, 0, "n1")
    assert say(rollouts, 2, "n0") is RolloutState.DONE  # the check ended by itself
    record, progress = rollouts.get("a", "demo")
    assert (record.state, progress.states) == (RolloutState.DONE, ["done"] * 3)
    assert record.end_us is not None
    assert rollouts.rolling() == []


def test_a_failure_ends_it_and_what_was_begun_may_still_end(rollouts, promote) -> None:
    promote(1, None)
    say(rollouts, 0, "n1", "started")
    assert say(rollouts, 0, "n0", "failed", reason="no memory") is RolloutState.FAILED
    record, _ = rollouts.get("a", "demo")
    assert record.reason == "step 0, load a@1 on n0: no memory"
    assert say(rollouts, 0, "n1") is RolloutState.FAILED
    assert refused(lambda: say(rollouts, 2, "n0")) == "OUT_OF_ORDER"


def test_who_acknowledges_while_another_plan_is_promoted_is_told(
    rollouts, promote, store, add, clock
) -> None:
    promote(1, None)
    answers = []

    def acknowledge() -> None:
        try:
            answers.append(say(rollouts, 0, "n0"))
        except AcknowledgementRefused as refusal:
            answers.append(refusal.reason)

    thread = threading.Thread(target=acknowledge)
    new = NewRollout(generation=2, body_json=BODY % 2, previous_sequence=1, step_count=3)
    plan_id = add()
    with store.database.write() as connection:
        add_rollout(connection, "a", "demo", 2, plan_id, new, clock())
        thread.start()
        thread.join(0.3)  # it waits for the rollout that is the last until this block ends
        assert not answers
    thread.join(20)
    assert answers == ["STALE_GENERATION"]


def test_stopping(rollouts, promote) -> None:
    with pytest.raises(RolloutMoved):
        rollouts.stop("a", "demo", generation=0, reason="x")
    promote(1, None)
    with pytest.raises(RolloutMoved):
        rollouts.stop("a", "demo", generation=2, reason="x")
    assert rollouts.stop("a", "demo", generation=1, reason="x").state is RolloutState.STOPPED
    assert refused(lambda: say(rollouts, 0, "n0")) == "ROLLOUT_STOPPED"


def test_a_promotion_that_was_prepared_for_something_else_is_refused(rollouts, promote, fleets) -> None:
    promote(1, None)
    say(rollouts, 0, "n0")
    with pytest.raises(RolloutMoved):
        promote(2, 1)
    assert fleets.get("a", "demo").revision == 2  # nothing of it was kept
    promote(2, 2)
    assert rollouts.get("a", "demo", 1)[0].state is RolloutState.SUPERSEDED
    assert refused(lambda: say(rollouts, 0, "n1", generation=1)) == "STALE_GENERATION"
    promote(3, 1, steps=0)
    assert rollouts.get("a", "demo")[0].state is RolloutState.DONE


def test_of_many_acknowledgements_at_once_none_is_lost(rollouts, promote) -> None:
    promote(1, None)
    threads = [
        threading.Thread(target=say, args=(rollouts, 0, node, outcome))
        for node in ("n0", "n1")
        for outcome in ("started", "done", "done")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rollouts.get("a", "demo")[1].states == ["done", "done", "open"]


def test_engines_and_their_leases(store, clock, fleets, rollouts, promote) -> None:
    engines = EngineStore(store.database, clock)

    def register(name, node, gpus=(), tenant="a"):
        facts = f'{{"gpu_indices": {list(gpus)}, "address": ""}}'
        return engines.register(
            tenant, "demo", name, node=node, gpus=gpus, facts_json=facts, lease_us=10_000_000
        )

    with pytest.raises(NoSuchEngine):
        register("e0", "n0", tenant="b")
    promote(1, None)
    assert register("e0", "n0", (0, 1)).live
    assert rollouts.versions([("a", "demo")]) == {("a", "demo"): (1, 2)}  # those who follow are told
    register("e0", "n0", (0, 1))
    assert rollouts.versions([("a", "demo")]) == {("a", "demo"): (1, 2)}
    for name, node, gpus in (("e0", "n1", ()), ("e1", "n0", (1, 2)), ("e1", "n0", ())):
        with pytest.raises(RegistrationRefused):
            register(name, node, gpus)
    clock.advance(9)
    engines.heard("a", "demo", "e0", instances_json='[{"instance_id": "x"}]')
    clock.advance(9)
    assert engines.get("a", "demo", "e0").live
    clock.advance(2)
    assert not engines.get("a", "demo", "e0").live
    assert engines.get("b", "demo", "e0") is None
    assert register("e0", "n1").node == "n1"  # the one elsewhere is lost
    register("e1", "n0")
    found = engine_statistics(store)
    assert (found.live_count, found.lost_count) == (2, 0)
    assert found.rollout_counts == {RolloutState.ROLLING: 1}
    assert found.oldest_plan_s == pytest.approx(20.0)
    engines.delete("a", "demo", "e0")
    assert [one.id for one in engines.all("a", "demo")] == ["e1"]
    with pytest.raises(NoSuchEngine):
        engines.heard("a", "demo", "e0")


def sample(end_s: float, instance: str = "a@1", **fields) -> SampleRecord:
    defaults = {
        "end_us": round(end_s * 1e6), "instance": instance, "workload": "w", "engine": "e",
        "window_us": 10_000_000, "request_count": 20, "running": None, "queued": None, "kv_usage": None,
        "ttft_json": LatencyHistogram((100.0,), (20, 0)).to_json(), "tpot_json": None, "ttft_drift": None,
        "tpot_drift": None, "cold": False,
    }  # fmt: skip
    return SampleRecord(**{**defaults, **fields})


def test_a_report_that_comes_twice_at_once_is_stored_once(store, clock, fleets) -> None:
    loads = LoadStore(store.database, clock)
    reported = [sample(clock.now_us / 1e6)]
    new = []
    again = threading.Thread(target=lambda: new.append(loads.add("a", "demo", reported)))
    with store.database.write() as connection:
        values = {"tenant": "a", "fleet": "demo", **asdict(reported[0])}
        connection.execute(load_samples.insert().values(**values))
        again.start()
        again.join(0.3)  # it waits until this block ends
    again.join(20)
    assert new == [0]


def test_samples_are_summed_and_old_ones_deleted(store, clock, fleets) -> None:
    clock.now_us = 1_000_000_000_000
    now = clock.now_us / 1e6
    loads = LoadStore(store.database, clock, kept_s=3600.0)
    samples = [
        sample(now - 110), sample(now - 100), sample(now - 100, "b@1", request_count=40, running=2.0),
        sample(now - 50, cold=True, ttft_drift=0.5),
    ]  # fmt: skip
    assert loads.add("a", "demo", samples) == 4
    assert loads.add("a", "demo", samples) == 0

    def windows(**limits):
        asked = {"start_us": round((now - 120) * 1e6), "end_us": round(now * 1e6), "step_us": 60_000_000}
        return loads.windows("a", "demo", **asked | {"limit": 10} | limits)

    found, onward = windows()
    assert onward is None
    first, second = found
    assert (first.rate_per_s, first.instance_count, first.gauge("running")) == (6.0, 2, 2.0)
    assert first.ttft.counts == (60, 0)
    assert (second.rate_per_s, second.cold_count, second.ttft) == (2.0, 1, None)
    page, onward = windows(limit=1)
    assert [w.end_us for w in page] == [first.end_us]
    assert [w.end_us for w in windows(start_us=onward)[0]] == [second.end_us]
    assert engine_statistics(store).drifts == {"ttft": (0.5, 0.5)}
    clock.advance(3545)
    loads.add("a", "demo", [sample(now + 3545)])
    assert [w.end_us for w in windows()[0]] == [second.end_us]  # the others were too old
