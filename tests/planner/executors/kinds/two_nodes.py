"""A real Ray cluster of two nodes on this machine and what happens on it; prints one JSON object.

In a process of its own: Ray leaves threads, signal handlers and warnings behind in whatever starts it. One
cluster for both scenarios, since starting one takes longer than they do; the last one kills a node.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

import chores

from planner.executors import Limits, open_executor, values_of
from planner.options import PlanOptions
from planner.scenarios.change import parse_changes
from planner.scenarios.sweep import sweep
from planner.testing import make_fleet

os.environ.update(
    RAY_USAGE_STATS_ENABLED="0",
    RAY_memory_monitor_refresh_ms="0",  # a busy machine is not what is tested
    RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0",
)
OPTIONS = PlanOptions(verify=False)
SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
WORKER = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@contextlib.contextmanager
def cluster():
    """The cluster, its second node, and an executor in it."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args=SMALL)
    try:
        second = made.add_node(**WORKER)
        made.wait_for_nodes(timeout=30)
        with open_executor(f"ray:{made.address}") as executor:
            yield made, second, executor
    finally:
        made.shutdown()


def figures(scenarios):
    return [scenario.plan.to_json() for scenario in scenarios]


def node_killed(made, second, executor):
    """A sweep during which a node goes, and the same sweep by local processes."""
    changes = parse_changes(
        demand=[f"all=x{factor}" for factor in (2, 5, 9, 14, 20, 26, 33)], remove_pool=["b"]
    )
    fleet = make_fleet("node")
    events = []
    killed = []

    def note(event):
        events.append(event)
        elsewhere = event.kind == "started" and event.where == second.node_id
        if elsewhere and not killed:
            killed.append(event.index)
            made.remove_node(second, allow_graceful=False)

    slots = executor.slots
    found = sweep(fleet, changes, OPTIONS, executor, on_event=note)
    until = time.monotonic() + 60
    while (after := executor.slots) == slots and time.monotonic() < until:
        time.sleep(0.05)
    with open_executor("local:2") as local:
        expected = sweep(fleet, changes, OPTIONS, local)
    return {
        "slots": [slots, after],
        "killed": killed,
        "lost": sorted({event.index for event in events if event.kind == "lost"}),
        "same": figures(found.scenarios) == figures(expected.scenarios),
        "plans": len(set(figures(found.scenarios))),
    }


def limits(executor):
    """Errors, limits, cancelling and reports on the cluster."""
    events = []
    counted = values_of(executor.map(chores.count_up, [3, 2], on_event=events.append))
    reports = [[e.report for e in events if e.index == i and e.kind == "reported"] for i in range(2)]
    failed = executor.map(chores.fail_at, range(4))
    timed = executor.map(chores.sleep, [60.0, 0.01], limits=Limits(time_s=1.5))
    filled = executor.map(chores.fill, [400 * 2**20, 2**20], limits=Limits(memory_bytes=150 * 2**20))
    dead = executor.map(chores.die, [0], limits=Limits(retries=1))
    running = set()

    def note(event):
        if event.kind == "reported":
            running.add(event.index)

    stopped = executor.map(
        chores.wait_until_cancelled, [60.0] * 4, on_event=note, cancelled=lambda: len(running) == 2
    )
    return {
        "counted": counted,
        "reports": reports,
        "kinds": [[e.kind for e in events if e.index == i] for i in range(2)],
        "failed": [[o.state, type(o.error).__name__, o.message] for o in failed],
        "timed": [o.state for o in timed],
        "filled": [o.state for o in filled],
        "dead": [[o.state, o.attempts] for o in dead],
        "stopped": [[o.state, o.value] for o in stopped],
    }


if __name__ == "__main__":
    with cluster() as (made, second, executor):
        answer = {"limits": limits(executor), "node_killed": node_killed(made, second, executor)}
    sys.stdout.write(json.dumps(answer))
