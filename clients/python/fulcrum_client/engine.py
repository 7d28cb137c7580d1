"""The engine's side: for an engine, or an agent beside one, that should not carry a planner."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc

from fulcrum_client.client import Client, is_away
from fulcrum_client.contract import messages

__all__ = ["Engine"]

_ENGINES = "/fulcrum.v1.EngineService/"
_NOT_FOUND = grpc.StatusCode.NOT_FOUND


class Engine:
    """One engine of a fleet: registers when it is made, and again whenever the server has forgotten it.

    Parameters
    ----------
    client
        The connection; its token needs the role engine.
    fleet, engine_id
        Its fleet, and its name there: the same over restarts.
    node, gpu_indices
        Where it is, as plans name it; no GPUs: the whole node.
    address
        Under which other nodes reach this one.
    lease_s
        How long the server counts it as live after it was heard of: report more often.
    facts
        Any other fields of ``fulcrum.v1.Engine``: kind, version, capabilities, labels.
    """

    def __init__(
        self,
        client: Client,
        fleet: str,
        engine_id: str,
        *,
        node: str,
        gpu_indices: Sequence[int] = (),
        address: str = "",
        lease_s: float = 30.0,
        **facts: Any,
    ) -> None:
        self._client = client
        self._request = messages["fulcrum.v1.RegisterEngineRequest"](
            parent=f"fleets/{fleet}",
            engine_id=engine_id,
            engine={"node": node, "gpu_indices": gpu_indices, "address": address, **facts},
        )
        self._request.lease_duration.FromNanoseconds(round(lease_s * 1e9))
        self.name = f"fleets/{fleet}/engines/{engine_id}"
        """Resource name."""
        self.register()

    def register(self) -> Any:
        """Register, or renew the lease; returns the ``fulcrum.v1.Engine``."""
        return self._client.call(_ENGINES + "RegisterEngine", self._request, "fulcrum.v1.Engine")

    def assignments(self) -> Iterator[Any]:
        """Every ``fulcrum.v1.Assignment``: what holds now, then each change, across lost connections.

        Never ends by itself, and never gives up on a server that is away: what runs goes on meanwhile.
        """
        token, pause_s = "", 0.2
        while True:
            request = messages["fulcrum.v1.WatchAssignmentRequest"](name=self.name, resume_token=token)
            try:
                for response in self._client.stream(
                    _ENGINES + "WatchAssignment", request, "fulcrum.v1.WatchAssignmentResponse"
                ):
                    pause_s = 0.2
                    if response.WhichOneof("event") == "assignment":
                        token = response.assignment.resume_token
                        yield response.assignment
            except grpc.RpcError as error:
                if error.code() == _NOT_FOUND:
                    self.register()
                elif not is_away(error):
                    raise
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 10.0)

    def acknowledge(self, generation: int, step_index: int, outcome: str, reason: str = "") -> Any:
        """Say that a step was ``started``, is ``done`` or has ``failed``; repeated while the server is away.

        Raises grpc.RpcError FAILED_PRECONDITION where the server does not believe it.
        """
        request = messages["fulcrum.v1.AcknowledgeStepRequest"](
            name=self.name, generation=generation, step_index=step_index, reason=reason,
            outcome=f"OUTCOME_{outcome.upper()}",
        )  # fmt: skip
        return self._client.call(_ENGINES + "AcknowledgeStep", request, "fulcrum.v1.AcknowledgeStepResponse")

    def report(self, samples: Sequence[Any] = (), instances: Mapping[str, str] | None = None) -> list[str]:
        """Report measurements, and the state of each instance by id; with neither it is a sign of life.

        Parameters
        ----------
        samples
            ``fulcrum.v1.LoadSample``, or mappings of its fields.
        instances
            ``starting``, ``ready``, ``draining``, ``crashed`` or ``stopped``; None: not said.

        Returns
        -------
        What the server did not keep, for people.
        """
        request = messages["fulcrum.v1.ReportLoadRequest"](
            name=self.name,
            samples=samples,
            instances=[
                {"instance_id": name, "state": f"STATE_{state.upper()}"}
                for name, state in (instances or {}).items()
            ],
            instances_reported=instances is not None,
        )
        response = self._client.call(_ENGINES + "ReportLoad", request, "fulcrum.v1.ReportLoadResponse")
        return list(response.discarded)

    def delete(self) -> None:
        """Say that nothing runs here any more, and nothing should."""
        request = messages["fulcrum.v1.DeleteEngineRequest"](name=self.name)
        self._client.call(_ENGINES + "DeleteEngine", request, "google.protobuf.Empty")
