"""What a server acknowledged, and whether it still holds: the judge of every fault.

The clients go on while the server dies and comes back, and engines carry out each promotion. What was
acknowledged is written down; what was not is asked again with the same request id. At the end the books are
compared.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc  # type: ignore[import-untyped]

from benchmarks.service_load.engines import EngineBooks
from benchmarks.service_load.server import ServerProcess
from planner.service.gen.fulcrum.v1 import (
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    plan_pb2,
    planning_service_pb2,
    planning_service_pb2_grpc,
)

__all__ = ["FLEET", "Ledger", "Stubs"]

FLEET = "kept"
_CALL_S = 10.0
_NODES = 2
_TURNS = 3
_ROLLED_OUT_S = 1.0
"""Longest wait for a rollout before the next promotion, where there is one."""
_LAST_S = 60.0
_DIED = ("WORKER_DIED", "WORKER_NOT_STARTED")
"""Reasons a plan may fail with where workers are killed."""


@dataclass(frozen=True, slots=True)
class Stubs:
    """The services at the other end of one connection."""

    planning: Any
    operations: Any
    fleets: Any

    @staticmethod
    def of(channel: grpc.Channel) -> Stubs:
        """Stubs over `channel`."""
        planning = planning_service_pb2_grpc.PlanningServiceStub(channel)  # type: ignore[no-untyped-call]
        fleets = fleet_service_pb2_grpc.FleetServiceStub(channel)  # type: ignore[no-untyped-call]
        return Stubs(planning, operations_pb2_grpc.OperationsStub(channel), fleets)


@dataclass(slots=True)
class Ledger:
    """Books of one server under fire.

    Parameters
    ----------
    plans
        Acknowledged: operation name by request id.
    finished
        Bytes of plans seen finished, by name.
    promotions
        Request ids of acknowledged promotions, in the order of their acknowledgement.
    unanswered
        Promotions that got no answer: request id and plan, to be asked again.
    refused
        Count of calls that ended with an error, by code.
    engines
        The books of those who carry the promotions out.
    last_rollout_done
        Whether the last promotion was carried out, when the block `at_work` had ended.
    """

    seed: int
    plans: dict[str, str] = field(default_factory=dict)
    finished: dict[str, bytes] = field(default_factory=dict)
    promotions: list[str] = field(default_factory=list)
    unanswered: dict[str, str] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    engines: EngineBooks = field(default_factory=lambda: EngineBooks(FLEET, _NODES))
    last_rollout_done: bool = False
    _number: int = 0
    _promoted: str = ""

    @contextlib.contextmanager
    def at_work(self, server: ServerProcess) -> Iterator[None]:
        """Ask for plans, fetch and promote them from two threads until the block ends, and let engines carry
        them out.
        """
        stop, stop_engines = threading.Event(), threading.Event()

        def run(step: Any) -> None:
            with server.channel() as channel:
                stubs = Stubs.of(channel)
                while not stop.is_set():
                    try:
                        step(stubs)
                    except grpc.RpcError as error:
                        self.refused[error.code().name] += 1
                        stop.wait(0.02)

        threads = [threading.Thread(target=run, args=(step,)) for step in (self._plan, self._promote)]
        engines = self.engines.threads(server, stop_engines)
        for thread in (*threads, *engines):
            thread.start()
        try:
            yield
            stop.set()
            for thread in threads:
                thread.join()
            with server.channel() as channel:
                self.last_rollout_done = self.engines.wait_for_the_last(Stubs.of(channel).fleets, _LAST_S)
        finally:
            stop.set()
            stop_engines.set()
            for thread in (*threads, *engines):
                thread.join()

    def register(self, server: ServerProcess) -> None:
        """Register the fleet that plans are promoted on."""
        with server.channel() as channel:
            request = fleet_service_pb2.RegisterFleetRequest(document=_script(0))
            Stubs.of(channel).fleets.RegisterFleet(request, timeout=_CALL_S)

    def _plan(self, stubs: Stubs) -> None:
        """Create a plan, look at an older one."""
        request_id = f"plan-{self._number}"
        request = planning_service_pb2.CreatePlanRequest(
            document=_script(self._number), request_id=request_id
        )
        self.plans[request_id] = stubs.planning.CreatePlan(request, timeout=_CALL_S, wait_for_ready=True).name
        self._number += 1
        source = random.Random(f"{self.seed} {self._number}")
        name = source.choice(list(self.plans.values())).replace("operations/", "plans/")
        plan = stubs.planning.GetPlan(planning_service_pb2.GetPlanRequest(name=name), timeout=_CALL_S)
        if plan.state == plan_pb2.Plan.STATE_OPTIMAL:
            self.finished[name] = plan.SerializeToString(deterministic=True)

    def _promote(self, stubs: Stubs) -> None:
        """Promote a finished plan; first those that got no answer."""
        if self.unanswered:
            request_id, name = next(iter(self.unanswered.items()))
        elif others := [name for name in list(self.finished) if name != self._promoted]:
            # Not the promoted one again, which would be no promotion.
            request_id = f"promotion-{len(self.promotions)}"
            name = random.Random(f"{self.seed} {request_id}").choice(others)
            self.unanswered[request_id] = name
        else:
            time.sleep(0.01)
            return
        request = fleet_service_pb2.PromotePlanRequest(
            name=f"fleets/{FLEET}", plan=name, request_id=request_id, reason=request_id
        )
        stubs.fleets.PromotePlan(request, timeout=_CALL_S, wait_for_ready=True)
        self.promotions.append(request_id)
        self._promoted = name
        del self.unanswered[request_id]
        if len(self.promotions) % 2:  # every other one is superseded in the middle
            self.engines.wait_for_the_last(stubs.fleets, _ROLLED_OUT_S)

    def audit(self, server: ServerProcess, *, limit_s: float = 120.0) -> dict[str, int]:
        """Compare the books with the server; all counts of what is wrong should be 0."""
        with server.channel() as channel:
            stubs = Stubs.of(channel)
            states = Counter(
                _outcome(stubs, name, time.monotonic() + limit_s) for name in self.plans.values()
            )
            changed = 0
            for name, before in self.finished.items():
                request = planning_service_pb2.GetPlanRequest(name=name)
                now = stubs.planning.GetPlan(request, timeout=_CALL_S)
                changed += now.SerializeToString(deterministic=True) != before
            listed = _promotions(stubs)
        times = Counter(listed)
        order = [request_id for request_id in listed if request_id in set(self.promotions)]
        return {
            "plans_acknowledged": len(self.plans),
            "plans_optimal": states["OPTIMAL"],
            "plans_failed_with_their_worker": states["DIED"],
            "plans_lost_or_unfinished": len(self.plans) - states["OPTIMAL"] - states["DIED"],
            "finished_plans_changed": changed,
            "promotions_acknowledged": len(self.promotions),
            "promotions_lost": sum(not times[request_id] for request_id in self.promotions),
            "promotions_doubled": sum(count - 1 for count in times.values()),
            "promotions_out_of_order": int(order != self.promotions),
            **self.engines.audit(server),
            "last_rollout_not_done": int(not self.last_rollout_done),
        }


def _script(number: int) -> str:
    return f"{{fleet: {FLEET}, steps: 3, pause_s: 0.03, nodes: {_NODES}, turn: {number % _TURNS}}}"


WRONG = (
    "plans_lost_or_unfinished", "finished_plans_changed", "promotions_lost", "promotions_doubled",
    "promotions_out_of_order", "steps_lost", "rollouts_failed", "engines_sent_backwards",
    "last_rollout_not_done",
)  # fmt: skip
"""Counts of an audit that must be 0."""


def _outcome(stubs: Stubs, name: str, end_s: float) -> str:
    while True:
        request = operations_pb2.GetOperationRequest(name=name)
        try:
            operation = stubs.operations.GetOperation(request, timeout=_CALL_S)
        except grpc.RpcError as error:
            return f"LOST {error.code().name}"
        if operation.done:
            break
        if time.monotonic() > end_s:
            return "UNFINISHED"
        time.sleep(0.05)
    if any(reason.encode() in operation.error.SerializeToString() for reason in _DIED):
        return "DIED"
    plan = plan_pb2.Plan()
    operation.response.Unpack(plan)
    return str(plan_pb2.Plan.State.Name(plan.state)).removeprefix("STATE_")


def _promotions(stubs: Stubs) -> list[str]:
    """Request ids of all promotions, oldest first."""
    found: list[tuple[int, str]] = []
    token = ""
    while True:
        request = fleet_service_pb2.ListPromotionsRequest(
            parent=f"fleets/{FLEET}", page_size=1000, page_token=token
        )
        page = stubs.fleets.ListPromotions(request, timeout=_CALL_S)
        found += [(promotion.sequence, promotion.reason) for promotion in page.promotions]
        if not (token := page.next_page_token):
            return [reason for _, reason in sorted(found)]
