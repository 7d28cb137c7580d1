"""One instance on this node: its processes, from their start to their end."""

from __future__ import annotations

import logging
import signal
import subprocess
from typing import Literal

from models.errors import InvalidInput
from planner.agent.command import EngineCommand, NotYet, command_of, filled, port_of
from planner.agent.config import AgentConfig
from planner.agent.process import EngineProcess
from planner.agent.scrape import NAMES, answers, scrape, taken
from planner.service.protos import engine_service_pb2

__all__ = ["Slot", "SlotState"]

log = logging.getLogger(__name__)

SlotState = Literal["idle", "starting", "ready", "stopping"]
_ROUTER_S = 30.0
_FOLLOWER_S = 1.0
"""A part of an instance that answers no requests is ready when it has run so long; its head says the rest."""


class Slot:
    """Driven by `tick`, never by threads; times are of a monotonic clock.

    Parameters
    ----------
    assigned
        As first assigned; see `update`.
    """

    def __init__(self, assigned: engine_service_pb2.AssignedInstance, config: AgentConfig) -> None:
        self.assigned = assigned
        self.config = config
        self.state: SlotState = "idle"
        self.message = ""
        self.failed = ""
        """Why it was given up."""
        self.restarts = 0
        self.routed = False
        self.ready_since_s: float | None = None
        self.drained = False
        self.command: EngineCommand | None = None
        self.process: EngineProcess | None = None
        self._failures = 0
        self._was_ready = False
        self._since_s = 0.0
        self._not_before_s = 0.0
        self._draining_since_s: float | None = None
        self._killed = False

    @property
    def id(self) -> str:
        """Id of the instance."""
        return self.assigned.instance_id

    @property
    def gpus(self) -> frozenset[int]:
        """Its GPUs here."""
        return frozenset(self.assigned.gpu_indices)

    @property
    def draining(self) -> bool:
        """Whether it is to get no more requests."""
        return self._draining_since_s is not None

    @property
    def running(self) -> bool:
        """Whether its processes hold their GPUs."""
        return self.process is not None

    def adopt(self, process: EngineProcess, words: tuple[str, ...], now_s: float) -> None:
        """Go on with processes that an earlier agent started."""
        self.command = EngineCommand(words=words, environment={}, port=port_of(words))
        self.process, self.state, self._since_s = process, "starting", now_s
        log.info("%s runs already as process %d", self.id, process.pid)

    def start(self, now_s: float) -> None:
        """Start its processes, unless it is too soon after the last time or an address is missing."""
        if now_s < self._not_before_s or self.failed:
            return
        try:
            self.command = command_of(self.assigned, self.config)
            words, port = self.command.words, self.command.port
            if port is not None and taken(self.config.engine_host, port):
                self._lost(f"something else answers on port {port} of {self.config.engine_host}", now_s)
                return
            self.process = EngineProcess.start(self.id, words, self.command.environment, self.config.folder)
        except NotYet as waiting:
            self.message = str(waiting)
            return
        except InvalidInput as error:
            self._fail(error.message)
            return
        except OSError as error:
            self._lost(f"cannot be started: {error}", now_s)
            return
        log.info("%s: started process %d: %s", self.id, self.process.pid, " ".join(words))
        self.state, self._since_s, self.message, self._killed = "starting", now_s, "", False

    def stop(self, now_s: float) -> None:
        """End its processes: SIGTERM, and SIGKILL when that does not help."""
        if self.process is None:
            return
        if self.state != "stopping":
            log.info("%s: stopping process %d", self.id, self.process.pid)
            self.process.signal(signal.SIGTERM)
            self.state, self._since_s = "stopping", now_s
        elif now_s - self._since_s > self.config.timing.stop and not self._killed:
            log.warning("%s: still there after %g s, killed", self.id, self.config.timing.stop)
            self.process.signal(signal.SIGKILL)
            self._killed = True

    def tick(self, now_s: float) -> None:
        """See how its processes are."""
        if self.process is None:
            return
        if not self.process.alive():
            self.process.signal(signal.SIGKILL)  # what it may have left behind
            how, self.process = self.process.exit_text, None
            if self.state == "stopping":
                self.state = "idle"
            else:
                self._lost(how, now_s)
        elif self.state == "starting":
            if self._answers(now_s):
                log.info("%s: answers after %.0f s", self.id, now_s - self._since_s)
                self.state, self.ready_since_s, self._was_ready = "ready", now_s, True
            elif now_s - self._since_s > self.config.timing.ready:
                self._failures += 1
                self._fail(f"did not answer within {self.config.timing.ready:g} s")
        elif (
            self.state == "ready"
            and self._failures
            and self.ready_since_s is not None
            and now_s - self.ready_since_s > self.config.timing.healthy
        ):
            self._failures = 0

    def route(self, *, serve: bool) -> str:
        """Tell the router, where there is one; returns why that failed, or an empty text."""
        if self.routed == serve or not self.config.router:
            self.routed = serve
            return ""
        port = None if self.command is None else self.command.port
        values = {
            "action": "serve" if serve else "drain", "instance": self.id,
            "model": self.assigned.instance.model, "workload": self.assigned.instance.workload,
            "port": "" if port is None else str(port),
            "address": self.config.address,
        }  # fmt: skip
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, no shell
                filled(self.config.router, values), check=False, capture_output=True, text=True,
                timeout=_ROUTER_S, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"the router's command failed: {error}"
        if done.returncode:
            return f"the router's command ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        self.routed = serve
        return ""

    def drain(self, now_s: float) -> bool:
        """Whether its requests have ended, or waiting for them any longer is no use."""
        if self._draining_since_s is None:
            self._draining_since_s = now_s
        if not self.drained:
            self.drained = self.state != "ready" or self._idle(now_s)
            if now_s - self._draining_since_s > self.config.timing.drain:
                log.warning("%s: has requests after %g s of draining", self.id, self.config.timing.drain)
                self.drained = True
        return self.drained

    def undrain(self) -> None:
        """It is wanted again."""
        self.drained, self._draining_since_s = False, None

    def _idle(self, now_s: float) -> bool:
        names = NAMES.get(self.assigned.instance.engine)
        if names is None or self.command is None or self.command.port is None:
            return True  # nobody to ask: the head of the instance is asked by its own agent
        found = scrape(self.config.engine_host, self.command.port, names, now_s)
        return found is not None and found.busy is False

    def _answers(self, now_s: float) -> bool:
        if self.command is None or self.command.port is None:
            return now_s - self._since_s > _FOLLOWER_S
        return answers(self.config.engine_host, self.command.port)

    def _lost(self, how: str, now_s: float) -> None:
        """It ended by itself: start it again after a while, or give up on one that never answered."""
        timing = self.config.timing
        self._failures += 1
        pause_s = min(timing.longest_pause, timing.first_pause * 2 ** (self._failures - 1))
        self.state, self.ready_since_s, self.routed = "idle", None, False
        self.message, self._not_before_s = how, now_s + pause_s
        if not self._was_ready and self._failures >= self.config.attempts:
            self._fail(f"{how}, {self._failures} times")
            return
        self.restarts += 1
        log.warning("%s: %s; starts again in %g s", self.id, how, pause_s)

    def _fail(self, why: str) -> None:
        log.error("%s: %s", self.id, why)
        self.failed = why
