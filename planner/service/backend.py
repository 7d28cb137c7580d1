"""The seam between the service and the planner: what a worker process calls.

The service knows documents and plans as text only. `PipelineBackend` is the planner; a worker is told which
backend to load by ``module:name``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from models.errors import InvalidInput, UnknownName

__all__ = [
    "AssignmentOutcome",
    "AssignmentWork",
    "Backend",
    "CheckedDocument",
    "Outcome",
    "PipelineBackend",
    "ProgressEvent",
    "Question",
    "Work",
    "load_backend",
]


MOST_ENTITIES = 2_000_000
"""Most objects, and most containers, of a problem: two words in a document can stand for any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDocument:
    """A good document: the name of its fleet, and the names of the GPUs in its pools, each once."""

    fleet: str
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One plan to make; `time_limit_s` None is no limit, `current_json` a plan in canonical form.

    `profiles` are those that come before the server's own: name → folder, which the server wrote.
    """

    document: str
    current_json: str | None = None
    time_limit_s: float | None = None
    seed: int = 0
    thread_count: int = 1
    skip_verification: bool = False
    confidence: float | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentWork:
    """One assignment problem to solve; `gap` is the relative gap at which a goal counts as optimal."""

    document: str
    time_limit_s: float | None = None
    seed: int = 0
    thread_count: int = 1
    solver: str = "auto"
    gap: float = 1e-6
    prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something to find out about a fleet.

    Parameters
    ----------
    kind
        ``explain``: why `plan_json`, a plan of the fleet in canonical form, is as it is. ``what_if``: what
        the fleet would be with `changes`, arguments of `planner.scenarios.change.parse_changes`.
        ``validate_profile``: how far the one profile in `profiles` can be trusted.
    profiles
        As in `Work`.
    """

    kind: Literal["explain", "what_if", "validate_profile"]
    document: str
    plan_json: str | None = None
    changes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    time_limit_s: float | None = None
    seed: int = 0
    thread_count: int = 1
    skip_verification: bool = False
    confidence: float | None = None
    profiles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressEvent:
    """One step of progress; numbers are None where not known yet, `tier` also for plans."""

    phase: str
    elapsed_s: float
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    tier: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A made plan: its state (`optimal`, `feasible`, `infeasible`, `unknown`, `cancelled`) and canonical
    JSON.

    `plan_json` is None only where a plan was cancelled before there was one; `gap` is the widest relative gap
    of its goals, None where none has a bound.
    """

    state: str
    plan_json: str | None
    gap: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentOutcome:
    """A solved problem or an answered question: its status (`solvers.result.STATUSES`) and the answer as
    JSON.

    `answer_json` is None only where a worker was killed because it did not stop when it was told to.
    """

    state: str
    answer_json: str | None


class Backend(Protocol):
    """Checks documents and makes plans, in a worker process."""

    def check(self, document: str) -> CheckedDocument:
        """What is in a document; raise InvalidInput where no plan can be made from it."""
        ...

    def check_current(self, plan_json: str) -> None:
        """Raise InvalidInput for text that is not a plan."""
        ...

    def plan(
        self, work: Work, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
    ) -> Outcome:
        """Make a plan; return the best so far soon after `cancelled` turns true."""
        ...

    def check_assignment(self, document: str, solver: str) -> None:
        """Raise InvalidInput for a document that is no problem, StatusError for a solver there is not."""
        ...

    def solve(
        self,
        work: AssignmentWork,
        on_progress: Callable[[ProgressEvent], None],
        cancelled: Callable[[], bool],
    ) -> AssignmentOutcome:
        """Solve a problem; return the best so far soon after `cancelled` turns true."""
        ...

    def ask(
        self, question: Question, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
    ) -> AssignmentOutcome:
        """Answer a question about a fleet, as far as that goes until `cancelled` turns true."""
        ...


class PipelineBackend:
    """The planner of this distribution. No path in a document is opened.

    Made, it has imported what a check needs: the time that takes is not that of the first document.
    """

    def __init__(self) -> None:
        for module in ("planner.fleet.resolve", "planner.plan", "solvers.choose", "specs.document"):
            importlib.import_module(module)

    def check(self, document: str) -> CheckedDocument:
        """Read the document as planning would."""
        from planner.fleet import read_fleet

        fleet = read_fleet(document, allow_files=False)
        return CheckedDocument(fleet=fleet.name, gpus=tuple(sorted({pool.gpu.name for pool in fleet.pools})))

    def check_current(self, plan_json: str) -> None:
        """Read the plan as planning would."""
        from planner.plan import Plan

        Plan.from_json(plan_json)

    def plan(
        self, work: Work, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
    ) -> Outcome:
        """Run `planner.pipeline.create_plan`."""
        from planner.pipeline import PlanOptions, Progress, create_plan
        from planner.plan import Plan

        def tell(progress: Progress) -> None:
            on_progress(
                ProgressEvent(
                    phase=progress.phase,
                    elapsed_s=progress.elapsed_s,
                    objective=progress.objective,
                    bound=progress.bound,
                    gap=progress.gap,
                )
            )

        plan = create_plan(
            work.document,
            allow_files=False,
            options=PlanOptions(
                time_limit_s=work.time_limit_s,
                seed=work.seed,
                threads=work.thread_count,
                verify=not work.skip_verification,
                confidence=work.confidence,
            ),
            current=None if work.current_json is None else Plan.from_json(work.current_json),
            progress=tell,
            cancelled=cancelled,
        )
        gap = max((tier.gap for tier in plan.objectives if tier.gap is not None), default=None)
        return Outcome(state=plan.state, plan_json=plan.to_json(), gap=gap)

    def check_assignment(self, document: str, solver: str) -> None:
        """Read and compile the problem as solving would; the specs check themselves when they compile."""
        from planner.service.errors import StatusError, status_of
        from solvers.choose import solver_names
        from specs.document import read_problem

        if solver.partition(":")[0] not in solver_names():
            error = UnknownName("solver", solver, solver_names())
            raise StatusError(status_of(error, field="options.solver"))
        read_problem(document, most_entities=MOST_ENTITIES).compile()

    def solve(
        self,
        work: AssignmentWork,
        on_progress: Callable[[ProgressEvent], None],
        cancelled: Callable[[], bool],
    ) -> AssignmentOutcome:
        """Run `planner.assignment.solve_document`."""
        from planner.assignment import solve_document, to_json
        from solvers import Progress, SolveOptions
        from specs.document import read_problem

        def tell(progress: Progress) -> None:
            on_progress(
                ProgressEvent(
                    phase=progress.phase,
                    elapsed_s=progress.elapsed_s,
                    objective=progress.objective,
                    bound=progress.bound,
                    gap=progress.gap,
                    tier=progress.tier,
                )
            )

        document = read_problem(work.document, most_entities=MOST_ENTITIES)
        options = SolveOptions(
            time_limit_s=work.time_limit_s,
            seed=work.seed,
            threads=work.thread_count,
            solver=work.solver,
            gap=work.gap,
            on_progress=tell,
            cancelled=cancelled,
        )
        made = solve_document(document, options, prices=work.prices)
        return AssignmentOutcome(state=made["status"], answer_json=to_json(made))

    def ask(
        self, question: Question, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
    ) -> AssignmentOutcome:
        """Run `planner.service.answers.answer`, or validate a profile."""
        from planner.service.answers import answer, validated_profile

        if question.kind == "validate_profile":
            return validated_profile(question, cancelled)
        return answer(question, on_progress, cancelled)


def load_backend(reference: str) -> Backend:
    """Make the backend called ``module:name``; `name` is called without arguments."""
    module, _, name = reference.partition(":")
    try:
        factory: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidInput(f"no planner backend {reference!r}: {error}") from error
    backend: Backend = factory()
    return backend
