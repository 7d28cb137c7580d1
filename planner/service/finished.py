"""Finished plans in memory. They never change, and every engine of a fleet fetches the same one."""

from __future__ import annotations

from collections import OrderedDict

from planner.service.protos import plan_pb2

__all__ = ["FinishedPlans"]


class FinishedPlans:
    """The finished plans asked for last, in full, up to `most_bytes` in all."""

    def __init__(self, most_bytes: int = 64 * 2**20) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._plans: OrderedDict[tuple[str, str], tuple[plan_pb2.Plan, int]] = OrderedDict()

    def get(self, tenant: str, plan_id: str) -> plan_pb2.Plan | None:
        """The plan, if it is here and the tenant's."""
        found = self._plans.get((tenant, plan_id))
        if found is None:
            return None
        self._plans.move_to_end((tenant, plan_id))
        return found[0]

    def put(self, tenant: str, plan_id: str, plan: plan_pb2.Plan) -> None:
        """Keep a finished plan, and drop what was not asked for the longest."""
        size = plan.ByteSize()
        if (tenant, plan_id) in self._plans or size > self._most_bytes:
            return
        self._plans[tenant, plan_id] = (plan, size)
        self._bytes += size
        while self._bytes > self._most_bytes:
            _, (_, dropped) = self._plans.popitem(last=False)
            self._bytes -= dropped
