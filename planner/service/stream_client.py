"""Assignment problems and questions sent to a server, and followed until the answer comes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from models.errors import Unavailable
from planner.explain.explanation import Explanation
from planner.options import PlanOptions, Progress
from planner.plan import Plan
from planner.scenarios.what_if import Comparison
from planner.service.channel import open_channel
from planner.service.client_errors import error_of
from planner.service.client_options import options_message
from planner.service.explanations import explanation_of
from planner.service.parts import duration
from planner.service.protos import assignment_service_pb2, planning_service_pb2
from planner.service.protos import assignment_service_pb2_grpc as assignment_grpc
from planner.service.protos import planning_service_pb2_grpc as planning_grpc

__all__ = ["StreamClient"]


class StreamClient:
    """One connection. An interrupt, or leaving the block, ends the work on the server.

    Parameters
    ----------
    address, authorities, token
        As in `planner.service.channel.open_channel`.
    """

    def __init__(self, address: str, *, authorities: Path | None = None, token: str | None = None) -> None:
        self.address = address
        self._channel = open_channel(address, authorities=authorities, token=token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def solve(
        self,
        document: str,
        *,
        time_limit_s: float | None = None,
        solver: str = "auto",
        threads: int = 1,
        seed: int = 0,
        gap: float = 1e-6,
        prices: bool = False,
        progress: Callable[[Progress], None] | None = None,
        source: str | None = None,
    ) -> dict[str, Any]:
        """Have an assignment problem solved; the answer as `planner.assignment.solve_document` gives it.

        Raises
        ------
        InvalidInput
            The server refuses the document or the options.
        Unavailable
            The server cannot be reached, or does not know us.
        SolverFailed
            The solver broke.
        """
        options = assignment_service_pb2.AssignmentOptions(
            seed=seed, thread_count=threads, solver=solver, relative_gap=gap, prices=prices
        )
        if time_limit_s is not None:
            options.time_limit.FromNanoseconds(round(time_limit_s * 1e9))
        request = assignment_service_pb2.SolveAssignmentRequest(document=document, options=options)
        stub = assignment_grpc.AssignmentServiceStub(self._channel)  # type: ignore[no-untyped-call]
        answer = self._follow(stub.SolveAssignment(request), "answer", progress, source)
        made: dict[str, Any] = json.loads(answer.json)
        made["problem"] = Path(source or "").name
        return made

    def what_if(
        self,
        document: str,
        changes: Mapping[str, Sequence[str]],
        *,
        options: PlanOptions,
        progress: Callable[[Progress], None] | None = None,
        source: str | None = None,
    ) -> tuple[Comparison, dict[str, Any]]:
        """Have a fleet planned as it is and with changes; raises as `solve`.

        Parameters
        ----------
        changes
            Arguments of `planner.scenarios.change.parse_changes`.
        options
            Of each of the two plans.

        Returns
        -------
        The comparison, with plans as their files have them; and what its `as_dict` gave on the server.
        """
        both = options
        if options.time_limit_s is not None:
            both = replace(options, time_limit_s=2 * options.time_limit_s)
        request = planning_service_pb2.WhatIfRequest(
            document=document,
            changes=planning_service_pb2.FleetChanges(
                demand=changes.get("demand", ()),
                removed_pools=changes.get("remove_pool", ()),
                swaps=changes.get("swap", ()),
                nodes=changes.get("nodes", ()),
                prices=changes.get("price", ()),
            ),
            options=options_message(both),
        )
        stub = planning_grpc.PlanningServiceStub(self._channel)  # type: ignore[no-untyped-call]
        found = self._follow(stub.WhatIf(request), "comparison", progress, source)
        made: dict[str, Any] = json.loads(found.json)
        before, after = (
            Plan.from_json(text, source=self.address)
            for text in (found.before_plan_json, found.after_plan_json)
        )
        return Comparison(words=tuple(made["changes"]), before=before, after=after), made

    def explain(
        self,
        plan: str,
        *,
        time_limit_s: float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Explanation:
        """Have a finished plan explained, by its resource name; raises as `solve`."""
        request = planning_service_pb2.ExplainPlanRequest(name=plan)
        if time_limit_s is not None:
            request.time_limit.CopyFrom(duration(time_limit_s))
        stub = planning_grpc.PlanningServiceStub(self._channel)  # type: ignore[no-untyped-call]
        return explanation_of(self._follow(stub.ExplainPlan(request), "explanation", progress, None))

    def _follow(
        self,
        responses: Iterable[Any],
        last: str,
        progress: Callable[[Progress], None] | None,
        source: str | None,
    ) -> Any:
        """The field `last` of the last response."""
        try:
            for response in responses:
                if response.WhichOneof("event") == last:
                    return getattr(response, last)
                if progress is not None:
                    progress(_progress(response.progress))
        except grpc.RpcError as error:
            raise error_of(error, source=source, address=self.address) from None
        raise Unavailable(f"{self.address} ended the stream without an answer; ask again")


def _progress(message: Any) -> Progress:
    def number(name: str) -> float | None:
        return float(getattr(message, name)) if message.HasField(name) else None

    return Progress(
        phase=message.phase,
        elapsed_s=message.elapsed.ToNanoseconds() / 1e9,
        objective=number("objective"),
        bound=number("bound"),
        gap=number("relative_gap"),
    )
