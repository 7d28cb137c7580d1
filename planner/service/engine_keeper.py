"""Goes on with rollouts where engines are gone.

Nobody acknowledges that an instance of a node that died has stopped. Where no live engine is left to say so,
the server does: its processes take no requests that count, and should the node come back, its engine finds
them unwanted and stops them before it starts anything else.

A lease that expired while this server could not hear anybody says nothing. So after a start, after the store
was away and after the clock was set, a whole settling time passes before anyone counts as gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from planner.service.engine_messages import covers, engine_gpus
from planner.service.rollouts import Rollouts, RolloutView
from planner.store.plans import wall_clock_us
from planner.store.refusals import AcknowledgementRefused

__all__ = ["EngineKeeper"]

log = logging.getLogger(__name__)

SETTLE_S = 60.0
CLOCK_SLACK_S = 5.0
_STOPS = ("drain", "migrate", "retire")


class EngineKeeper:
    """Of one server; several on one store do the same, once.

    Parameters
    ----------
    every_s
        How often it looks.
    settle_s
        See the module.
    wall_us, monotonic_s
        The clocks.
    """

    def __init__(
        self, rollouts: Rollouts, *, every_s: float = 5.0, settle_s: float = SETTLE_S,
        wall_us: Callable[[], int] = wall_clock_us, monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._rollouts = rollouts
        self._every_s = every_s
        self._settle_s = settle_s
        self._wall_us = wall_us
        self._monotonic_s = monotonic_s
        self._offset_s = 0.0
        self._trusted_from_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._distrust()
        self._task = asyncio.create_task(self._forever(), name="engine-keeper")

    async def close(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Go on with every rollout that waits for engines that are gone."""
        now_s = self._monotonic_s()
        if abs(self._wall_us() / 1e6 - now_s - self._offset_s) > CLOCK_SLACK_S:
            self._distrust()
        if now_s < self._trusted_from_s:
            return
        for tenant, fleet in await self._rollouts.read(self._rollouts.store.rolling):
            view = await self._rollouts.view(tenant, fleet)
            if view is not None and any(step.kind in _STOPS for todo in view.to_do.values() for step in todo):
                await self._go_on(view)

    async def _go_on(self, view: RolloutView) -> None:
        tenant, fleet = view.record.tenant, view.record.fleet
        engines = await self._rollouts.read(self._rollouts.engine_store.all, tenant, fleet)
        live = [(engine.node, engine_gpus(engine)) for engine in engines if engine.live]
        for node, steps in view.to_do.items():
            for step in steps:
                gpus = [gpu for stage in step.stages if stage.node == node for gpu in stage.gpus]
                if step.kind not in _STOPS or any(n == node and covers(g, gpus) for n, g in live):
                    continue
                log.warning(
                    "rollout fleet=%s step=%d %s: no live engine on %s", fleet, step.index, step.kind, node
                )
                with contextlib.suppress(AcknowledgementRefused):  # it came back, or another server was first
                    await self._rollouts.write(
                        self._rollouts.store.acknowledge, tenant, fleet, generation=view.record.generation,
                        step=step.index, node=node, gpus=(), outcome="done", engine="",
                        reason="no live engine is left on the node to say so",
                    )  # fmt: skip
        self._rollouts.changed(tenant, fleet)

    def _distrust(self) -> None:
        """Count nobody as gone for a while."""
        now_s = self._monotonic_s()
        self._offset_s = self._wall_us() / 1e6 - now_s
        self._trusted_from_s = now_s + self._settle_s

    async def _forever(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except Exception:
                log.exception("the store cannot be asked for rollouts")
                self._distrust()
