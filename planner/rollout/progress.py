"""How far a rollout is: what follows from its steps and from what engines have acknowledged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from planner.plan.transition import Step
from planner.rollout.body import Phase, RolloutBody, Seat

__all__ = ["Acknowledgement", "Desired", "Outcome", "Progress", "StepState", "step_nodes"]

Outcome = Literal["started", "done", "failed"]
StepState = Literal["waiting", "open", "started", "done", "failed"]
Desired = Literal["absent", "loaded", "serving", "draining"]
_ENDED = ("done", "failed")
_BEGUN = ("open", "started", "done")
_DESIRED: dict[str, Desired] = {
    "load": "loaded", "switch": "serving", "drain": "draining", "migrate": "draining", "retire": "absent"
}  # fmt: skip
"""What is wanted of an instance from the moment such a step of it may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """How far one node is with one step. Times are µs since the epoch."""

    step: int
    node: str
    outcome: Outcome
    engine: str
    reason: str
    start_us: int
    end_us: int | None


class Progress:
    """The state of every step, at one moment.

    A step is done when each of its nodes has said so, and open when all steps before it are done; a check has
    no nodes and is done as soon as it is open.

    Parameters
    ----------
    acknowledgements
        At most one for a step and a node.
    halted
        The rollout failed, was stopped or superseded: what is only open may not be begun.
    """

    def __init__(
        self, body: RolloutBody, acknowledgements: Iterable[Acknowledgement], *, halted: bool = False
    ) -> None:
        self.body = body
        self.by_step: dict[int, dict[str, Acknowledgement]] = {}
        for said in acknowledgements:
            self.by_step.setdefault(said.step, {})[said.node] = said
        self.states: list[StepState] = []
        for step in body.steps:
            self.states.append(self._state(step, halted))
        self._steps_by_id: dict[str, list[Step]] | None = None

    def _state(self, step: Step, halted: bool) -> StepState:
        said = self.by_step.get(step.index)
        if said is not None:
            outcomes = [said[node].outcome if node in said else "" for node in step_nodes(step)]
            if "failed" in outcomes:
                return "failed"
            return "done" if outcomes.count("done") == len(outcomes) else "started"
        for before in step.after:
            if self.states[before] != "done":
                return "waiting"
        if step.stages:
            return "waiting" if halted else "open"
        return "done"

    def _steps_of(self, seat: Seat) -> list[Step]:
        if self._steps_by_id is None:
            self._steps_by_id = {}
            for step in self.body.steps:
                self._steps_by_id.setdefault(step.instance, []).append(step)
        return self._steps_by_id.get(seat.id, [])

    @property
    def done(self) -> bool:
        """Every step is done."""
        return all(state == "done" for state in self.states)

    @property
    def failed(self) -> Acknowledgement | None:
        """The first failure in the order of the steps."""
        for index, state in enumerate(self.states):
            if state == "failed":
                return next(one for one in self.by_step[index].values() if one.outcome == "failed")
        return None

    def to_do(self, node: str) -> list[Step]:
        """Steps that this node may begin, or has begun and not ended."""
        return [
            step
            for step, state in zip(self.body.steps, self.states, strict=True)
            if state in ("open", "started") and node in step_nodes(step) and not self.ended(step.index, node)
        ]

    def ended(self, step: int, node: str) -> bool:
        """Whether this node has ended this step."""
        said = self.by_step.get(step, {}).get(node)
        return said is not None and said.outcome in _ENDED

    def desired(self, seat: Seat) -> Desired:
        """What is wanted of an instance now."""
        wanted: Desired = seat.phase
        for step in self._steps_of(seat):
            state = self.states[step.index]
            if state in _BEGUN:
                wanted = _DESIRED[step.kind]
            elif state == "failed":
                wanted = "absent" if step.kind in ("load", "retire") else wanted
        return wanted

    def stands(self, seat: Seat) -> Phase:
        """How far an instance is, by what was acknowledged; one that is being stopped does not count."""
        phase = seat.phase
        for step in self._steps_of(seat):
            state = self.states[step.index]
            if step.kind == "load":
                phase = "loaded" if state == "done" else "absent"
            elif step.kind == "switch" and state == "done":
                phase = "serving"
            elif step.kind in ("drain", "migrate") and state in ("started", "done", "failed"):
                phase = "loaded"
            elif step.kind == "retire" and state in ("started", "done", "failed"):
                phase = "absent"
        return phase


def step_nodes(step: Step) -> tuple[str, ...]:
    """Nodes a step concerns, each once; none for a check."""
    return tuple(dict.fromkeys(stage.node for stage in step.stages))
