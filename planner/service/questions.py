"""Questions about fleets, asked over gRPC: why a plan is as it is, and what would be otherwise."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import Any

import grpc.aio

from models.errors import InvalidInput
from planner.scenarios.change import parse_changes
from planner.service.backend import AssignmentOutcome, ProgressEvent, Question
from planner.service.create_request import (
    PlanLimits,
    check_document,
    check_work,
    confidence_of,
    time_limit_of,
)
from planner.service.errors import StatusError, invalid_argument, status_of
from planner.service.explanations import explanation_message
from planner.service.identity import current_tenant
from planner.service.own_profiles import OwnProfiles
from planner.service.parts import duration
from planner.service.protos import plan_pb2, planning_service_pb2
from planner.service.streamed import StreamedWork, time_to_work_s
from planner.store.records import PlanRecord

__all__ = ["Questions"]

_Context = grpc.aio.ServicerContext[Any, Any]
_Explained = planning_service_pb2.ExplainPlanResponse
_Compared = planning_service_pb2.WhatIfResponse
_MOST_CHANGES = 100
_LONGEST_CHANGE = 200


class Questions:
    """Has questions answered by the executor; nothing is stored.

    Parameters
    ----------
    default_time_limit_s
        For questions that state none.
    """

    def __init__(
        self,
        profiles: OwnProfiles,
        streamed: StreamedWork,
        limits: PlanLimits,
        *,
        default_time_limit_s: float,
    ) -> None:
        self._profiles = profiles
        self._streamed = streamed
        self._limits = limits
        self._default_time_limit_s = default_time_limit_s

    async def explain(
        self, record: PlanRecord, request: planning_service_pb2.ExplainPlanRequest, context: _Context
    ) -> AsyncGenerator[_Explained, None]:
        """Why the plan of `record` is as it is."""
        if record.result_json is None:
            raise invalid_argument("name", f"{request.name} has no plan in it: it is {record.state}")
        limit_s = time_limit_of(request, self._limits, field="time_limit")

        def begin(time_limit_s: float) -> Question:
            return Question(
                kind="explain",
                document=record.document,
                plan_json=record.result_json,
                time_limit_s=time_limit_s,
                seed=record.options.seed,
                confidence=record.options.confidence,
            )

        rests_on = await self._profiles.of_plan(record.id)
        asking = self._ask("explain", begin, limit_s, context, rests_on)
        async with contextlib.aclosing(asking) as events:
            async for event in events:
                if isinstance(event, ProgressEvent):
                    yield _Explained(progress=_progress(event, request.name))
                else:
                    yield _Explained(explanation=explanation_message(json.loads(event.answer_json or "")))

    async def what_if(
        self,
        record: PlanRecord | None,
        request: planning_service_pb2.WhatIfRequest,
        context: _Context,
    ) -> AsyncGenerator[_Compared, None]:
        """The document of a plan, or else that of the request, with changes.

        A profile is what it was for the plan; one that only the changes name, what it is now.
        """
        document = request.document if record is None else record.document
        check_document(document, self._limits, "a fleet document")
        options, limit_s = request.options, time_limit_of(request.options, self._limits)
        check_work(options, self._limits)
        confidence = confidence_of(options)
        changes = _changes(request.changes)
        profiles = await self._profiles.of(current_tenant())
        if record is None:
            await self._profiles.read(current_tenant(), document)
        else:
            profiles |= await self._profiles.of_plan(record.id)

        def begin(time_limit_s: float) -> Question:
            return Question(
                kind="what_if",
                document=document,
                changes=changes,
                time_limit_s=time_limit_s,
                seed=options.seed,
                thread_count=options.thread_count or 1,
                skip_verification=options.skip_verification,
                confidence=confidence,
            )

        asking = self._ask("what_if", begin, limit_s, context, profiles)
        async with contextlib.aclosing(asking) as events:
            async for event in events:
                if isinstance(event, ProgressEvent):
                    yield _Compared(progress=_progress(event, request.plan))
                else:
                    found = json.loads(event.answer_json or "")
                    comparison = planning_service_pb2.FleetComparison(
                        before_state=_state(found["comparison"]["before"]["state"]),
                        after_state=_state(found["comparison"]["after"]["state"]),
                        json=json.dumps(found["comparison"], indent=1, ensure_ascii=False),
                        before_plan_json=found["before_plan_json"],
                        after_plan_json=found["after_plan_json"],
                    )
                    yield _Compared(comparison=comparison)

    async def _ask(
        self,
        kind: str,
        begin: Callable[[float], Question],
        limit_s: float | None,
        context: _Context,
        profiles: Mapping[str, str],
    ) -> AsyncGenerator[ProgressEvent | AssignmentOutcome, None]:
        own_s = limit_s or self._default_time_limit_s
        async with self._profiles.folders(current_tenant(), profiles) as folders:

            def begin_now() -> Question:
                question = begin(min(own_s, time_to_work_s(context.time_remaining())))
                return replace(question, profiles=folders)

            async with contextlib.aclosing(self._streamed.stream(kind, begin_now)) as events:
                async for event in events:
                    yield event


def _changes(message: planning_service_pb2.FleetChanges) -> dict[str, list[str]]:
    """The changes as arguments of `parse_changes`, which has read them."""
    found = {
        "demand": list(message.demand),
        "remove_pool": list(message.removed_pools),
        "swap": list(message.swaps),
        "nodes": list(message.nodes),
        "price": list(message.prices),
    }
    words = [word for group in found.values() for word in group]
    if not words:
        raise invalid_argument("changes", "is empty; say what would be otherwise")
    if len(words) > _MOST_CHANGES or max(map(len, words)) > _LONGEST_CHANGE:
        raise invalid_argument(
            "changes", f"more than {_MOST_CHANGES} changes, or one of more than {_LONGEST_CHANGE} characters"
        )
    try:
        parse_changes(**found)
    except InvalidInput as error:
        raise StatusError(status_of(error, field="changes")) from error
    return found


def _state(word: str) -> Any:
    return plan_pb2.Plan.State.Value(f"STATE_{word.upper()}")


def _progress(event: ProgressEvent, plan: str) -> plan_pb2.PlanProgress:
    return plan_pb2.PlanProgress(
        plan=plan,
        state=plan_pb2.Plan.STATE_RUNNING,
        phase=event.phase,
        elapsed=duration(event.elapsed_s),
        objective=event.objective,
        bound=event.bound,
        relative_gap=event.gap,
    )
