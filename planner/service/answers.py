"""Questions about a fleet answered, in a worker process."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models.errors import InvalidInput
from models.profiles.validate import validate_profile
from planner.clock import Clock
from planner.fleet import Fleet, read_fleet
from planner.options import PlanOptions, Progress
from planner.plan import Plan
from planner.service.backend import AssignmentOutcome, ProgressEvent, Question

__all__ = ["answer", "validated_profile"]


def answer(
    question: Question, on_progress: Callable[[ProgressEvent], None], cancelled: Callable[[], bool]
) -> AssignmentOutcome:
    """Answer `question`; no path in its document is opened."""
    fleet = read_fleet(question.document, allow_files=False)

    def tell(progress: Progress) -> None:
        on_progress(
            ProgressEvent(
                phase=progress.phase, elapsed_s=progress.elapsed_s, objective=progress.objective,
                bound=progress.bound, gap=progress.gap,
            )
        )  # fmt: skip

    def clock(share: float) -> Clock:
        limit_s = question.time_limit_s
        options = PlanOptions(
            time_limit_s=None if limit_s is None else share * limit_s,
            seed=question.seed,
            threads=question.thread_count,
            verify=not question.skip_verification,
            confidence=question.confidence,
        )
        return Clock(options=options, progress=tell, cancelled=cancelled)

    if question.kind == "explain":
        if question.plan_json is None:
            raise InvalidInput("there is no plan to explain")
        plan = Plan.from_json(question.plan_json)
        made, state = _explanation(fleet, plan, clock(1.0)), str(plan.state)
    else:
        made, state = _comparison(fleet, question, clock)
    return AssignmentOutcome(state=state, answer_json=json.dumps(made, indent=1, ensure_ascii=False))


def validated_profile(question: Question, cancelled: Callable[[], bool]) -> AssignmentOutcome:
    """Validate the profile of `question`, as far as that goes within its time; unknown numbers are None."""
    (folder,) = question.profiles.values()
    end_s = time.monotonic() + (math.inf if question.time_limit_s is None else question.time_limit_s)
    found = validate_profile(Path(folder), enough=lambda: cancelled() or time.monotonic() > end_s)
    tables = [
        {
            "operation": one.operation,
            "row_count": one.points,
            "tested_count": one.tested,
            "median_error_ratio": _known(one.median),
            "p90_error_ratio": _known(one.p90),
            "max_error_ratio": _known(one.worst),
        }
        for one in found.accuracy
    ]
    made = {"tables": tables, "warnings": found.warnings}
    return AssignmentOutcome(state="optimal", answer_json=json.dumps(made, ensure_ascii=False))


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _comparison(
    fleet: Fleet, question: Question, clock: Callable[[float], Clock]
) -> tuple[dict[str, Any], str]:
    from planner.scenarios.change import parse_changes
    from planner.scenarios.what_if import compare

    found = compare(fleet, parse_changes(**question.changes), (clock(0.5), clock(0.5)))
    made = {
        "comparison": found.as_dict(),
        "before_plan_json": found.before.to_json(),
        "after_plan_json": found.after.to_json(),
    }
    return made, found.after.state


def _explanation(fleet: Fleet, plan: Plan, clock: Clock) -> dict[str, Any]:
    """What `planner.explain` says of a plan that was made before, from the fleet's candidates today."""
    from planner.candidates.dominance import undominated
    from planner.candidates.enumerate import enumerate_candidates
    from planner.explain.explanation import explain_plan
    from planner.pipeline import Planned

    chosen = {instance.shape for instance in plan.instances}
    clock.report("candidates")
    candidates = enumerate_candidates(
        fleet, cancelled=lambda: clock.is_cancelled, confidence=clock.options.confidence
    )
    considered = undominated(candidates.accepted, keep=chosen)
    planned = Planned(fleet=fleet, plan=plan, candidates=candidates, considered=considered)
    return asdict(explain_plan(planned, clock))
