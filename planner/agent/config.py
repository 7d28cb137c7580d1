"""How an agent runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from models.errors import InvalidInput

__all__ = ["AgentConfig", "Timing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds.

    Parameters
    ----------
    ready
        Longest from the start of an engine until it answers; then the start has failed.
    drain
        Longest that running requests may take to end; then the engine is stopped all the same.
    stop
        From SIGTERM to SIGKILL.
    report
        Between two reports.
    warm_up
        After an engine answers, how long its latencies are those of a cold one.
    first_pause, longest_pause
        Before an engine that ended by itself is started again; twice as long each time.
    healthy
        After so long without ending, the pauses begin anew.
    lease
        How long the server counts the agent as live after it was heard of.
    """

    ready: float = 1800.0
    drain: float = 600.0
    stop: float = 60.0
    report: float = 15.0
    warm_up: float = 120.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    healthy: float = 600.0
    lease: float = 30.0

    def __post_init__(self) -> None:
        for name in ("ready", "stop", "report", "first_pause", "longest_pause", "lease"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"the time {name} must be positive, got {getattr(self, name)}")
        if self.report * 2 > self.lease:
            raise InvalidInput(
                f"a report every {self.report:g} s does not keep a lease of {self.lease:g} s: "
                "let it be twice as long"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """What an agent is.

    Parameters
    ----------
    fleet, engine_id
        Under which it registers.
    node, gpus
        Where it is, as plans name it; no GPUs: the whole node.
    address
        Under which other nodes reach this one.
    engine_host
        Where this agent reaches the engines of its node.
    kind, version
        Of the engine it starts; empty: any.
    templates
        Words around the command of an engine, by engine name; see `planner.agent.command`.
    router
        Words of a command that tells a router about an instance; empty: none.
    folder
        Where it keeps which processes are its own, and their output.
    attempts
        How often a new engine is started before its load step has failed.
    """

    fleet: str
    engine_id: str
    node: str
    gpus: tuple[int, ...] = ()
    address: str = ""
    engine_host: str = "127.0.0.1"
    kind: str = ""
    version: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    templates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    router: tuple[str, ...] = ()
    folder: Path = Path("fulcrum-agent")
    attempts: int = 3
    timing: Timing = field(default_factory=Timing)
