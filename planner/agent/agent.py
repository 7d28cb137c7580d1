"""The agent: a loop around the supervisor, and a dry run that only says what it would do."""

from __future__ import annotations

import logging
import shlex
import signal
import threading
import time
from collections.abc import Callable

from models.errors import InvalidInput
from planner.agent.command import NotYet, command_of
from planner.agent.config import AgentConfig
from planner.agent.link import Link
from planner.agent.reporter import Reporter
from planner.agent.supervisor import Supervisor
from planner.service.engine_client import EngineClient
from planner.service.protos import engine_service_pb2, plan_pb2

__all__ = ["describe", "dry_run", "run_agent"]

log = logging.getLogger(__name__)

TICK_S = 0.25


def run_agent(client: EngineClient, config: AgentConfig, *, keep: bool = False) -> None:
    """Run what the server assigns until SIGTERM or SIGINT; then drain and stop it.

    Parameters
    ----------
    keep
        Leave the engines running at the end; the next agent with the same folder goes on with them.
    """
    stopping = _stop_event()
    link = Link(client, config)
    supervisor = Supervisor(config, link.say)
    reporter = Reporter(config.timing.warm_up)
    link.start()
    next_report_s = time.monotonic() + min(1.0, config.timing.report)

    def report(now_s: float) -> None:
        nonlocal next_report_s
        if now_s >= next_report_s:
            next_report_s = now_s + config.timing.report
            link.report(reporter.samples(supervisor.slots.values(), now_s), supervisor.statuses())

    while not stopping.wait(TICK_S):
        now_s = time.monotonic()
        assignment = link.take_assignment()
        if assignment is not None:
            supervisor.assign(assignment, now_s)
        supervisor.tick(now_s)
        report(now_s)
    if not keep:
        log.info("stopping: draining, then ending what runs here")
        supervisor.leave()
        while not supervisor.empty:
            supervisor.tick(time.monotonic())
            report(time.monotonic())
            time.sleep(TICK_S)
    link.close(forget=not keep)


def dry_run(
    client: EngineClient, config: AgentConfig, say: Callable[[str], None], *, once: bool = False
) -> None:
    """Register, and say what would be done on each assignment; nothing is started, stopped or acknowledged.

    Parameters
    ----------
    once
        End after the first assignment.
    """
    stopping = _stop_event()
    link = Link(client, config, dry_run=True)
    link.start()
    next_report_s = 0.0
    while not stopping.wait(TICK_S):
        assignment = link.take_assignment()
        if assignment is not None:
            say(describe(assignment, config))
            if once:
                break
        if time.monotonic() >= next_report_s:  # the sign of life
            next_report_s = time.monotonic() + config.timing.report
            link.report((), ())
    link.close(forget=True)


def describe(assignment: engine_service_pb2.Assignment, config: AgentConfig) -> str:
    """What an assignment asks for, for people."""
    lines = [f"generation {assignment.generation}: {assignment.plan or 'nothing is promoted'}"]
    for assigned in assignment.instances:
        desired = engine_service_pb2.AssignedInstance.Desired.Name(assigned.desired)
        gpus = ",".join(map(str, assigned.gpu_indices))
        wanted = desired.removeprefix("DESIRED_").lower()
        lines.append(f"  {assigned.instance_id}: {wanted} on GPUs {gpus}")
        try:
            command = command_of(assigned, config)
        except (NotYet, InvalidInput) as problem:
            lines.append(f"    no command: {problem}")
            continue
        variables = [f"{name}={value}" for name, value in sorted(command.environment.items())]
        lines.append(f"    {shlex.join([*variables, *command.words])}")
    for step in assignment.steps:
        kind = plan_pb2.TransitionStep.Kind.Name(step.step.kind).removeprefix("KIND_").lower()
        lines.append(f"  step {step.step.index}: {kind} {step.instance_id}")
    return "\n".join(lines)


def _stop_event() -> threading.Event:
    """Set by SIGTERM and SIGINT where this is the main thread."""
    stopping = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
    return stopping
