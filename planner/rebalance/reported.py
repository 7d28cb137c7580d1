"""Measurements that engines reported to the server itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.errors import InvalidInput
from planner.rebalance.series import Measured, Series, Wanted
from planner.service.fleet_client import FleetClient, Load

__all__ = ["ReportedSource"]


class ReportedSource:
    """What the engines of a fleet reported (``EngineService.ReportLoad``).

    Latencies of engines that were warming up are left out by the server already.

    Parameters
    ----------
    step_s
        Distance of the samples.
    """

    def __init__(self, fleets: FleetClient, fleet: str, *, step_s: float) -> None:
        self._fleets = fleets
        self._fleet = fleet
        self._step_s = step_s

    def read(self, workloads: Sequence[Wanted], *, end_s: float, length_s: float) -> Mapping[str, Measured]:
        """See `planner.rebalance.series.Source`."""
        # whole steps before now: a step that has only begun would look like a drop of the load
        end_s = end_s // self._step_s * self._step_s
        start_s = end_s - -(-length_s // self._step_s) * self._step_s
        found: dict[str, list[Load]] = {}
        for load in self._fleets.load(self._fleet, start_s=start_s, end_s=end_s, step_s=self._step_s):
            found.setdefault(load.workload, []).append(load)
        return {
            wanted.workload: self._measured(wanted, found.get(wanted.workload, [])) for wanted in workloads
        }

    def _measured(self, wanted: Wanted, loads: Sequence[Load]) -> Measured:
        if not loads:
            raise InvalidInput(
                f"no engine of the fleet {self._fleet!r} has reported load of the workload "
                f"{wanted.workload!r}; are agents running (fulcrum fleet engines)?"
            )
        times = np.array([load.end_s for load in loads])

        def latency(name: str, percentile: float) -> Series | None:
            histograms = [getattr(load, name) for load in loads]
            values = [None if one is None else one.quantile_ms(percentile) for one in histograms]
            if all(value is None for value in values):
                return None
            return Series(times, np.array([np.nan if value is None else value for value in values]))

        return Measured(
            rate_per_s=Series(times, np.array([load.rate_per_s for load in loads])),
            instances=Series(times, np.array([float(load.instance_count) for load in loads])),
            ttft_ms=latency("ttft", wanted.ttft_percentile),
            tpot_ms=latency("tpot", wanted.tpot_percentile),
        )
