"""Why the store does not do what an engine or a promotion asks for."""

from __future__ import annotations

__all__ = ["AcknowledgementRefused", "NoSuchEngine", "RegistrationRefused", "RolloutMoved"]


class RolloutMoved(Exception):
    """The last rollout of the fleet is another than the caller believed; `generation` is which it is."""

    def __init__(self, generation: int) -> None:
        super().__init__(generation)
        self.generation = generation


class AcknowledgementRefused(Exception):
    """A step cannot be acknowledged; `reason` is that of ``EngineService.AcknowledgeStep``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class RegistrationRefused(Exception):
    """An engine cannot be registered; `reason` is that of ``EngineService.RegisterEngine``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class NoSuchEngine(Exception):
    """The fleet of the tenant has no such engine."""
